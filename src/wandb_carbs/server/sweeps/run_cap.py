"""The `run_cap` of a sweep: how many runs it may have.

`wandb sweep-scheduler` counts by itself, and only the runs that have finished with every metric. It enqueues the next
one before it sees that the last has finished, and then ends the sweep: what it enqueues beyond the cap waits here, in
case a run fails before.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.metrics import value_of
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import run_states
from wandb_carbs.server.sweeps.config import has_scheduler

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping


def check_room(db: sqlite3.Connection, sweep: sqlite3.Row, config: Mapping[str, Any]) -> None:
    """Check that one more run may be enqueued; a scheduler may do so at any time.

    Raises:
        RequestError: The sweep has all its runs.
    """
    if not has_scheduler(config) and is_reached(db, sweep["id"], config):
        raise RequestError(f"sweep {sweep['name']} has as many runs as its run_cap {config['run_cap']}")


def is_reached(db: sqlite3.Connection, sweep_id: int, config: Mapping[str, Any]) -> bool:
    """Tell whether a sweep has had all its runs, so that no new one may be made."""
    cap = config.get("run_cap")
    if cap is None or _count(db, sweep_id, "1") < cap:
        return False
    return not has_scheduler(config) or _count_finished(db, sweep_id, config) >= cap


def may_start(db: sqlite3.Connection, sweep_id: int, config: Mapping[str, Any]) -> bool:
    """Tell whether a run that waits in the queue may be handed out: those before it may have to fail first."""
    cap = config.get("run_cap")
    if cap is None or not has_scheduler(config) or _count(db, sweep_id, "1") <= cap:
        return True
    is_leased = f"state = '{run_states.PENDING}' AND agent_id IS NOT NULL"
    started = _count(db, sweep_id, f"(state IN {run_states.ALIVE} OR {is_leased})")
    return bool(started + _count_finished(db, sweep_id, config) < cap)


def _count(db: sqlite3.Connection, sweep_id: int, condition: str) -> int:
    query = f"SELECT count(*) FROM runs WHERE sweep_id = ? AND {condition}"  # noqa: S608 - our own conditions
    number: int = db.execute(query, (sweep_id,)).fetchone()[0]
    return number


def _count_finished(db: sqlite3.Connection, sweep_id: int, config: Mapping[str, Any]) -> int:
    """Count the runs that have finished with every metric, and never more than the scheduler does."""
    names = [metric["name"] for metric in [config.get("metric"), *(config.get("metrics") or [])] if metric]
    rows = db.execute("SELECT summary FROM runs WHERE sweep_id = ? AND state = ?", (sweep_id, run_states.FINISHED))
    summaries = (json.loads(row["summary"]) for row in rows)
    return sum(all(name in summary and value_of(summary, name) is not None for name in names) for summary in summaries)
