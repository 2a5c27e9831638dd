"""The values by which a sweep judges its runs, and the best of them."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from wandb_carbs.metrics import number_of, says_end, to_float
from wandb_carbs.server.store import conditions, run_states

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping


def number_at_end(summary: Mapping[str, Any], last_values: str, name: str, *, maximize: bool) -> float | None:
    """Return the number by which a run counts: NaN and infinities are numbers here.

    It stands in the run's summary, or is the last in its history where `define_metric` has the SDK keep only another,
    such as the mean or the first.

    Args:
        summary: The run's summary.
        last_values: The last number of each key of its history, as JSON.
        name: The metric.
        maximize: Whether more of it is better.
    """
    number = number_of(summary, name, maximize=maximize)
    if says_end(summary, name, maximize=maximize):
        return number
    logged = to_float(json.loads(last_values).get(name))
    return number if logged is None else logged


def value_at_end(summary: Mapping[str, Any], last_values: str, name: str, *, maximize: bool) -> float | None:
    """Return the number like `number_at_end`; None if it is not finite."""
    number = number_at_end(summary, last_values, name, maximize=maximize)
    return number if number is not None and math.isfinite(number) else None


def best_objective(db: sqlite3.Connection, sweep_id: int, config: Mapping[str, Any]) -> float | None:
    """Return the best value of the sweep's metric over its finished runs, or None."""
    metric = config.get("metric")
    if not metric:
        return None
    name, maximize = metric["name"], metric.get("goal") == "maximize"
    best, function = (max, "max") if maximize else (min, "min")
    finished = "FROM runs WHERE sweep_id = ? AND state = ?"
    bound = (sweep_id, run_states.FINISHED)
    sql = conditions.metric(name, maximize=maximize)
    if sql is not None:
        columns, value = sql
        query = f"SELECT {function}({value.text}) FROM (SELECT {columns} {finished})"  # noqa: S608 - our own columns
        found = db.execute(query, (*value.values, *bound)).fetchone()[0]
        return None if found is None else float(found)
    rows = db.execute(f"SELECT summary, last_values {finished}", bound)
    values = [value_at_end(json.loads(row["summary"]), row["last_values"], name, maximize=maximize) for row in rows]
    return best((value for value in values if value is not None), default=None)
