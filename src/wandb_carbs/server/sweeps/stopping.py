"""A sweep watches its runs: it stops those that fall behind, and ends once its target is reached."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.store import run_states, run_streams, runs
from wandb_carbs.server.sweeps import sweeps
from wandb_carbs.server.sweeps.bands import Bands, Progress
from wandb_carbs.server.sweeps.config import Hyperband, early_stopping, stored_config
from wandb_carbs.server.sweeps.metrics import value_at_end

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from wandb_carbs.server.store.database import Store


def stream(store: Store, entity: str, project: str, name: str, body: Any, writer: str | None = None) -> dict[str, bool]:
    """Take one `file_stream` request of a run, and judge the run if it belongs to a sweep.

    Args:
        store: The storage.
        entity: The run's entity.
        project: The run's project.
        name: The run's name.
        body: The request's JSON.
        writer: The process that sends this, where several write the run at once.

    Returns:
        The reply: `stopped` once the run was asked to stop.

    Raises:
        RequestError: The body is malformed.
    """
    reply = run_streams.stream(store, entity, project, name, body, writer)
    files = body.get("files") or {}
    if run_streams.HISTORY not in files and run_streams.SUMMARY not in files:
        return reply
    with store.reading() as db:
        run = runs.find(db, entity, project, name)
    return {"stopped": True} if run is not None and judge(store, run) else reply


def judge(store: Store, run: sqlite3.Row) -> bool:
    """End the run's sweep if its target is reached, and stop the run if it has fallen behind.

    Everything is read beside the other writers: a long history keeps nobody waiting.

    Args:
        store: The storage.
        run: The run's row.

    Returns:
        Whether the run has been asked to stop.
    """
    stopped = bool(run["stop_requested"])
    if run["sweep_id"] is None:
        return stopped
    with store.reading() as db:
        sweep = db.execute("SELECT * FROM sweeps WHERE id = ?", (run["sweep_id"],)).fetchone()
    config = stored_config(sweep["config"])
    metric = config.get("metric")
    if not isinstance(metric, dict):
        return stopped
    if sweep["state"] == sweeps.RUNNING and _reaches_target(run, metric):
        with store.transaction() as db:
            now = db.execute("SELECT state FROM sweeps WHERE id = ?", (sweep["id"],)).fetchone()
            if now["state"] == sweeps.RUNNING:
                sweeps.finish(db, sweep["id"])
    hyperband = early_stopping(config)
    if hyperband is None:
        return stopped
    bands = Bands(store, metric, hyperband)
    progress = bands.follow(run)
    if stopped or run["state"] not in run_states.ALIVE:
        return stopped
    band = max(progress.bests, default=0)
    if band <= (0 if progress.is_anew else run["judged_at"]):
        return False
    falls_behind = _falls_behind(progress, bands.others(run, band), band, hyperband)
    with store.transaction() as db:
        db.execute(
            "UPDATE runs SET judged_at = ?, stop_requested = max(stop_requested, ?) WHERE id = ?",
            (band, falls_behind, run["id"]),
        )
    return falls_behind


def _reaches_target(run: sqlite3.Row, metric: Mapping[str, Any]) -> bool:
    target = metric.get("target")
    if target is None:
        return False
    maximize = metric.get("goal") == "maximize"
    value = value_at_end(json.loads(run["summary"]), run["last_values"], metric["name"], maximize=maximize)
    if value is None:
        return False
    return bool(value >= target if maximize else value <= target)


def _falls_behind(progress: Progress, others: Sequence[float], band: int, hyperband: Hyperband) -> bool:
    """Tell whether a run is not among the best at the highest band that it has reached."""
    own = progress.bests[band]
    at_band = sorted([own, *others])
    limit = at_band[max(int(len(at_band) * hyperband.keep) - 1, 0)]
    now = own if hyperband.strict or progress.best is None else progress.best
    return now > limit
