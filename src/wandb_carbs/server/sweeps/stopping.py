"""A sweep watches its runs: it stops those that fall behind, and ends once its target is reached."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.store import run_states, run_streams, runs
from wandb_carbs.server.sweeps import sweeps
from wandb_carbs.server.sweeps.config import Hyperband, early_stopping, stored_config

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from wandb_carbs.server.store.database import Store


def stream(store: Store, entity: str, project: str, name: str, body: Any) -> dict[str, bool]:
    """Take one `file_stream` request of a run, and judge the run if it belongs to a sweep.

    Args:
        store: The storage.
        entity: The run's entity.
        project: The run's project.
        name: The run's name.
        body: The request's JSON.

    Returns:
        The reply: `stopped` once the run was asked to stop.

    Raises:
        RequestError: The body is malformed.
    """
    with store.transaction() as db:
        reply = run_streams.stream(store, entity, project, name, body)
        files = body.get("files") or {}
        if run_streams.HISTORY in files or run_streams.SUMMARY in files:
            run = runs.find(db, entity, project, name)
            assert run is not None
            return {"stopped": True} if judge(db, run) else reply
    return reply


def judge(db: sqlite3.Connection, run: sqlite3.Row) -> bool:
    """End the run's sweep if its target is reached, and stop the run if it has fallen behind.

    Returns:
        Whether the run has been asked to stop.
    """
    stopped = bool(run["stop_requested"])
    if run["sweep_id"] is None:
        return stopped
    sweep = db.execute("SELECT * FROM sweeps WHERE id = ?", (run["sweep_id"],)).fetchone()
    config = stored_config(sweep["config"])
    metric = config.get("metric")
    if not isinstance(metric, dict):
        return stopped
    if sweep["state"] == sweeps.RUNNING and _reaches_target(run, metric):
        db.execute("UPDATE sweeps SET state = ? WHERE id = ?", (sweeps.FINISHED, sweep["id"]))
    hyperband = early_stopping(config)
    if hyperband is None or stopped or run["state"] not in run_states.ALIVE:
        return stopped
    if not _falls_behind(db, run, metric, hyperband):
        return False
    db.execute("UPDATE runs SET stop_requested = 1 WHERE id = ?", (run["id"],))
    return True


def _reaches_target(run: sqlite3.Row, metric: Mapping[str, Any]) -> bool:
    target = metric.get("target")
    if target is None:
        return False
    value = sweeps.value_of(json.loads(run["summary"]), metric["name"])
    if value is None:
        return False
    return bool(value >= target if metric.get("goal") == "maximize" else value <= target)


def _falls_behind(db: sqlite3.Connection, run: sqlite3.Row, metric: Mapping[str, Any], hyperband: Hyperband) -> bool:
    """Judge a run at the highest band that it has reached, once for each band."""
    own = _values(db, run["id"], metric)
    reached = [band for band in hyperband.bands if band <= len(own)]
    if not reached or reached[-1] <= run["judged_at"]:
        return False
    band = reached[-1]
    db.execute("UPDATE runs SET judged_at = ? WHERE id = ?", (band, run["id"]))
    others = db.execute(
        "SELECT id FROM runs WHERE sweep_id = ? AND id != ? AND history_lines >= ?", (run["sweep_id"], run["id"], band)
    ).fetchall()
    histories = [_values(db, other["id"], metric, band) for other in others]
    at_band = sorted([min(own[:band]), *(min(values) for values in histories if len(values) == band)])
    limit = at_band[max(int(len(at_band) * hyperband.keep) - 1, 0)]
    return min(own[:band] if hyperband.strict else own) > limit


def _values(db: sqlite3.Connection, run_id: int, metric: Mapping[str, Any], most: int | None = None) -> list[float]:
    """Return the values of the metric that a run has logged, the smaller the better, up to a number."""
    sign = -1.0 if metric.get("goal") == "maximize" else 1.0
    found: list[float] = []
    for line in db.execute(
        "SELECT text FROM lines WHERE run_id = ? AND stream = ? ORDER BY position", (run_id, run_streams.HISTORY)
    ):
        value = sweeps.value_of(json.loads(line["text"]), metric["name"])
        if value is not None:
            found.append(sign * value)
            if len(found) == most:
                break
    return found
