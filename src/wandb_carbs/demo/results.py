"""The end of a demo: the frontier as a table, scaling laws as lines, and everything as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from carbs.scaling import ScalingLaws
from wandb_carbs.demo.problem import PARAMS
from wandb_carbs.report.data import ReportData
from wandb_carbs.sweep.history import SweepHistory
from wandb_carbs.sweep.rows import find_frontier, rows
from wandb_carbs.tables import ConfigTable, short

_NAMES = tuple(param.name for param in PARAMS)


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


def as_json(
    history: SweepHistory, sweep: str, suggestions: Mapping[str, dict[str, Any]], suggest_seconds: Sequence[float]
) -> dict[str, Any]:
    """Return everything there is to check.

    Args:
        history: The sweep.
        sweep: Its address.
        suggestions: Suggestions as the agents reported them, by run.
        suggest_seconds: How long each suggestion took.
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
    }


def best(history: SweepHistory) -> str:
    """Say how far the frontier reaches."""
    members = find_frontier(history)
    first, last = (f"{short(row.objective)} in {short(row.cost)} s" for row in (members[0], members[-1]))
    return f"from loss {first} to {last}"
