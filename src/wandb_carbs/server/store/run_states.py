"""The life of a run: its states, and how each kind of ending is told from the others."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from wandb_carbs.server.errors import outage
from wandb_carbs.server.store.database import MICROSECONDS

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store

PENDING, RUNNING, PREEMPTING = "pending", "running", "preempting"
FINISHED, FAILED, CRASHED, KILLED, PREEMPTED = "finished", "failed", "crashed", "killed", "preempted"
ALIVE = (RUNNING, PREEMPTING)

# A run beats every 15 s, or 30 s without system metrics.
HEARTBEAT_TIMEOUT = 120 * MICROSECONDS
# A run's last words may arrive a little after its agent has dropped it.
ABSENCE_GRACE = 5 * MICROSECONDS


def ending(state: str, exit_code: int | None, *, stop_requested: bool) -> str:
    """Return the state in which a run ends.

    Args:
        state: The state before.
        exit_code: Exit code that the run has sent, or None when it vanished.
        stop_requested: Whether it was asked to stop.
    """
    if exit_code == 0:
        return FINISHED
    if state == PREEMPTING:
        return PREEMPTED
    if stop_requested:
        return KILLED
    return CRASHED if exit_code is None else FAILED


def close(db: sqlite3.Connection, run: sqlite3.Row, exit_code: int | None) -> None:
    """End a run."""
    state = ending(run["state"], exit_code, stop_requested=bool(run["stop_requested"]))
    db.execute("UPDATE runs SET state = ?, exit_code = ? WHERE id = ?", (state, exit_code, run["id"]))


def revive(db: sqlite3.Connection, run_id: int, now: int) -> None:
    """Note a sign of life: whatever its state was, the run is alive.

    A run that had ended was only suspended, or is resumed: a stop that was asked of its earlier life is forgotten.
    """
    db.execute(
        f"""UPDATE runs SET heartbeat_at = :now, absent_at = NULL,
            stop_requested = CASE WHEN state IN {(*ALIVE, PENDING)} THEN stop_requested ELSE 0 END,
            exit_code = NULL,
            state = CASE WHEN state = '{PREEMPTING}' THEN state ELSE '{RUNNING}' END
            WHERE id = :id""",  # noqa: S608 - constants
        {"now": now, "id": run_id},
    )


def has_ended(db: sqlite3.Connection, run_id: int) -> bool:
    """Tell whether a run has said that it ended, and did not just fall silent."""
    said = db.execute("SELECT 1 FROM runs WHERE id = ? AND exit_code IS NOT NULL", (run_id,)).fetchone()
    return said is not None


def expire(store: Store) -> None:
    """End the runs that have been silent for too long, and those that their agents no longer have.

    Nobody's silence counts from before this server's start.
    """
    now = store.now()
    age = now - store.started_at
    silent_since = now - HEARTBEAT_TIMEOUT if age >= HEARTBEAT_TIMEOUT else -1
    absent_since = now - ABSENCE_GRACE if age >= ABSENCE_GRACE else -1
    with store.reading() as db:
        if not _gone(db, silent_since, absent_since):
            return
    try:
        with store.transaction() as db:
            for run in _gone(db, silent_since, absent_since):
                close(db, run, None)
    except sqlite3.OperationalError as error:
        outage(error)  # a full disk must not keep anybody from reading; the next request tries again


def _gone(db: sqlite3.Connection, silent_since: int, absent_since: int) -> list[sqlite3.Row]:
    # The first condition is that of the index runs_alive, word for word: SQLite uses the index for no other.
    return db.execute(
        f"""SELECT * FROM runs WHERE state IN ('running', 'preempting', 'pending') AND state IN {ALIVE}
            AND (max(heartbeat_at, coalesce(seen_at, 0)) <= ? OR absent_at <= ?)""",  # noqa: S608 - constants
        (silent_since, absent_since),
    ).fetchall()
