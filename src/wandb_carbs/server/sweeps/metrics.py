"""The best of a sweep's runs by its metric."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.metrics import value_of
from wandb_carbs.server.store import conditions, run_states

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping


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
        found = db.execute(f"SELECT {function}({value}) FROM (SELECT {columns} {finished})", bound).fetchone()[0]  # noqa: S608
        return None if found is None else float(found)
    rows = db.execute(f"SELECT summary {finished}", bound)
    values = [value_of(json.loads(row["summary"]), name, maximize=maximize) for row in rows]
    return best((value for value in values if value is not None), default=None)
