"""The end of a demo: the frontier as a table, scaling laws as lines, and everything as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

import numpy as np

from carbs.pareto import hypervolume
from carbs.scaling import ScalingLaws
from wandb_carbs.demo.problem import MAX_SECONDS, PARAMS
from wandb_carbs.record import COST_KEY, OBJECTIVE_KEY, Standing
from wandb_carbs.report.data import ReportData
from wandb_carbs.sweep.history import SweepHistory
from wandb_carbs.sweep.rows import find_frontier, rows
from wandb_carbs.tables import ConfigTable, short

_NAMES = tuple(param.name for param in PARAMS)
_CHANCE = math.log(10)  # the loss where every digit is equally likely
_NEVER = datetime.max.replace(tzinfo=timezone.utc)


def table(history: SweepHistory) -> ConfigTable:
    """Return the frontier as a table."""
    lines = [(row.cost, row.objective, *(row.config[name] for name in _NAMES)) for row in find_frontier(history)]
    return ConfigTable("Pareto frontier: the lowest validation loss at each cost", ("seconds", "loss"), _NAMES, lines)


def laws(history: SweepHistory) -> Iterator[str]:
    """Yield a line for each hyperparameter for which there is evidence that its best value changes with the cost."""
    found = ReportData(history).laws
    if not isinstance(found, ScalingLaws):
        return
    for law in found.params:
        if law.is_scaling:
            low, high = law.interval
            yield f"{law.name} ~ seconds^{law.exponent:.2f} (90 %: {low:.2f} to {high:.2f})"


@dataclass(frozen=True)
class Comparison:
    """The search beside random search that has trained for as long.

    Frontiers are compared by hypervolume, over the logarithms of seconds and loss: up to the longest run that is
    allowed, and a loss as if by chance.

    Attributes:
        runs: Number of random runs.
        seconds: Of their training.
        loss: The best of them.
        reached: Seconds of training after which the search's frontier was as good; None if it never was.
        search_loss: The best of the search.
    """

    runs: int
    seconds: float
    loss: float
    reached: float | None
    search_loss: float

    @property
    def text(self) -> str:
        """The comparison as sentences, which hold both losses: a frontier as good may end at a worse one."""
        found = f"Random search found loss {self.loss:.4f} in {short(self.seconds)} s of training ({self.runs} runs)"
        if self.reached is None:
            return f"{found}, and this time a frontier as good as the search's, which found {self.search_loss:.4f}."
        ratio = self.seconds / self.reached
        return (
            f"{found}. The search found {self.search_loss:.4f}, and had a frontier as good (over all costs) after "
            f"{short(self.reached)} s: {ratio:.2g} times less."
        )


def compare(history: SweepHistory, random_runs: Sequence[tuple[float, float]]) -> Comparison:
    """Compare the search with random search.

    Args:
        history: The sweep.
        random_runs: Loss and seconds of each random run, at least one.
    """
    ended = sorted(history.runs, key=lambda run: run.record.last_seen or _NEVER)
    own = [
        (float(run.record.summary[OBJECTIVE_KEY]), float(run.record.summary[COST_KEY]))
        for run in ended
        if run.verdict.standing is Standing.OBSERVATION
    ]
    wanted = _hypervolume(random_runs)
    enough = (number for number in range(1, len(own) + 1) if _hypervolume(own[:number]) >= wanted)
    number = next(enough, None)
    return Comparison(
        runs=len(random_runs),
        seconds=sum(seconds for _, seconds in random_runs),
        loss=min(loss for loss, _ in random_runs),
        reached=None if number is None else sum(seconds for _, seconds in own[:number]),
        search_loss=min(loss for loss, _ in own),
    )


def _hypervolume(runs: Sequence[tuple[float, float]]) -> float:
    loss, seconds = np.log(np.array(runs)).T
    return hypervolume(-loss, seconds, -math.log(_CHANCE), math.log(MAX_SECONDS))


def as_json(
    history: SweepHistory,
    sweep: str,
    suggestions: Mapping[str, dict[str, Any]],
    suggest_seconds: Sequence[float],
    comparison: Comparison,
) -> dict[str, Any]:
    """Return everything there is to check.

    Args:
        history: The sweep.
        sweep: Its address.
        suggestions: Suggestions as the agents reported them, by run.
        suggest_seconds: How long each suggestion took.
        comparison: The search beside random search.
    """
    configs = {run.record.id: run.record.config for run in history.runs}
    return {
        "sweep": sweep,
        "runs": [
            {
                "id": row.id,
                "state": row.state,
                "objective": row.objective,
                "cost": row.cost,
                "config": {name: configs[row.id][name] for name in _NAMES if name in configs[row.id]},
                "suggestion": suggestions.get(row.id, {}),
                "kind": row.kind,
            }
            for row in rows(history)
        ],
        "frontier": [
            {"run": row.id, "cost": row.cost, "objective": row.objective, "config": row.config}
            for row in find_frontier(history)
        ],
        "suggest_seconds": list(suggest_seconds),
        "random_search": asdict(comparison),
    }


def best(history: SweepHistory) -> str:
    """Say how far the frontier reaches."""
    members = find_frontier(history)
    first, last = (f"{short(row.objective)} in {short(row.cost)} s" for row in (members[0], members[-1]))
    return f"from loss {first} to {last}"
