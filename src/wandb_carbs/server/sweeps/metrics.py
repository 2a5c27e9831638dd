"""The metric of a sweep: its value in a summary, and the best of a sweep's runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.plain import is_number
from wandb_carbs.server.store import run_states
from wandb_carbs.server.store.conditions import number

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

# What `run.define_metric(summary=…)` may keep of a metric in place of its last value.
_KEPT = frozenset({"last", "first", "best", "min", "max", "mean"})


def best_objective(db: sqlite3.Connection, sweep_id: int, config: Mapping[str, Any]) -> float | None:
    """Return the best value of the sweep's metric over its finished runs, or None."""
    metric = config.get("metric")
    if not metric:
        return None
    name, maximize = metric["name"], metric.get("goal") == "maximize"
    best, function = (max, "max") if maximize else (min, "min")
    finished = "FROM runs WHERE sweep_id = ? AND state = ?"
    bound: tuple[int | str, ...] = (sweep_id, run_states.FINISHED)
    value = number(f"summary_metrics.{name}")
    if value is not None:
        found = db.execute(f"SELECT {function}({value}) {finished}", bound).fetchone()[0]
        if found is not None:
            return float(found)
        # Only `define_metric(summary=…)` makes an object of it.
        finished += " AND (instr(summary, ?) OR instr(summary, ?))"
        last = name.rpartition(".")[2]
        bound = (*bound, f'{last}":{{', f'{last}": {{')
    rows = db.execute(f"SELECT summary {finished}", bound)
    values = [value_of(json.loads(row["summary"]), name, maximize=maximize) for row in rows]
    return best((value for value in values if value is not None), default=None)


def value_of(summary: Any, name: str, *, maximize: bool = False) -> float | None:
    """Return a metric's value in a summary or a row of a history; None if it is no finite number.

    Args:
        summary: The JSON object.
        name: The metric; dots lead into nested objects where no key has the whole name.
        maximize: Whether more of it is better, where the summary has `{"min": …, "max": …}` instead of the last value.
    """
    value: Any = summary
    if isinstance(summary, dict) and name in summary:
        value = summary[name]
    else:
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, dict) and value.keys() <= _KEPT:
        order = ("last", "best", "max" if maximize else "min", "min" if maximize else "max", "mean", "first")
        value = next((value[kept] for kept in order if kept in value), None)
    return float(value) if is_number(value) else None
