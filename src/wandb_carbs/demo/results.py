"""What a finished demo leaves: its runs as the server stores them, the frontier, a table and a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from carbs.pareto import frontier
from wandb_carbs.demo.problem import PARAMS
from wandb_carbs.tables import config_table

_NAMES = tuple(param.name for param in PARAMS)


@dataclass(frozen=True)
class RunResult:
    """A run as the server stores it.

    Attributes:
        id: Its id.
        state: `carbs.state`, or W&B's own state if there is none.
        objective: Validation accuracy; None if it reported none.
        cost: Seconds of training; None if it reported none.
        config: The stored configuration.
        suggestion: What the optimizer had suggested in the agent; empty if the run never got so far.
        kind: How the suggestion came about: random or model.
    """

    id: str
    state: str
    objective: float | None
    cost: float | None
    config: dict[str, Any]
    suggestion: dict[str, Any]
    kind: str | None


def read_runs(path: str, suggestions: Mapping[str, dict[str, Any]]) -> list[RunResult]:
    """Read a sweep's runs, oldest first.

    Args:
        path: "entity/project/sweep".
        suggestions: What the agents say that was suggested, by run.
    """
    import wandb  # noqa: PLC0415 - slow to import, and not needed before

    entity, project, sweep = path.split("/")
    runs = wandb.Api().runs(f"{entity}/{project}", {"sweep": sweep}, order="+created_at", per_page=500, lazy=False)
    return [
        RunResult(
            run.id,
            run.summary.get("carbs.state", run.state),
            run.summary.get("carbs.objective"),
            run.summary.get("carbs.cost"),
            {name: run.config[name] for name in _NAMES if name in run.config},
            suggestions.get(run.id, {}),
            run.summary.get("carbs.kind"),
        )
        for run in runs
    ]


def find_frontier(runs: Sequence[RunResult]) -> list[RunResult]:
    """Return the runs that no cheaper one equals, by increasing cost and accuracy."""
    ended = [run for run in runs if run.state == "success"]
    costs, accuracies = _points(ended).T
    return [ended[i] for i in frontier(accuracies, costs)]


def _points(runs: Sequence[RunResult]) -> np.ndarray:
    """Return costs and accuracies, shape (n, 2)."""
    return np.array([(run.cost, run.objective) for run in runs], float).reshape(-1, 2)


def table(members: Sequence[RunResult]) -> Table:
    """Return the frontier as a table."""
    lines = [(run.cost, run.objective, *(run.config[name] for name in _NAMES)) for run in members]
    return config_table("Pareto frontier: the best accuracy at each cost", ("cost (s)", "accuracy"), _NAMES, lines)


def write_json(path: Path, sweep: str, runs: Sequence[RunResult], suggest_seconds: Sequence[float]) -> None:
    """Write everything there is to check."""
    members = [
        {"run": run.id, "cost": run.cost, "objective": run.objective, "config": run.config}
        for run in find_frontier(runs)
    ]
    content = {
        "sweep": sweep,
        "runs": [asdict(run) for run in runs],
        "frontier": members,
        "suggest_seconds": list(suggest_seconds),
    }
    path.write_text(json.dumps(content, indent=2) + "\n")


def draw(path: Path, runs: Sequence[RunResult]) -> None:
    """Draw all runs and the frontier among them."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import, and not needed before
    from matplotlib.ticker import FixedLocator, NullLocator  # noqa: PLC0415 - likewise

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    points, members = _points([run for run in runs if run.state == "success"]), _points(find_frontier(runs))
    for kind, label, color in (
        ("random", "first, spread over the space", "0.6"),
        ("model", "chosen by the model", "C0"),
    ):
        chosen = _points([run for run in runs if run.kind == kind and run.state == "success"])
        axes.scatter(chosen[:, 0], chosen[:, 1], 28, color, label=label, zorder=3)
    # The frontier goes on to the dearest run: what is best at one cost is best above it until something better comes.
    line = np.vstack([members, (points[:, 0].max(), members[-1, 1])])
    axes.step(line[:, 0], line[:, 1], where="post", color="C1", label="Pareto frontier", zorder=2)
    # Logit: from 0.97 to 0.98 is as long a way as from 0.5 to 0.6 or so.
    axes.set_yscale("logit")
    axes.set_ylim(0.04, 0.995)
    axes.yaxis.set_major_locator(FixedLocator([0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99]))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("training time in seconds")
    axes.set_ylabel("validation accuracy")
    axes.set_title("wandb-carbs demo: a network that reads digits", loc="left")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=150)
