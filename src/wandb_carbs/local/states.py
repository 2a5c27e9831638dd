"""The life of a run: its states, and how each kind of ending is told from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wandb_carbs.local.store import MICROSECONDS

if TYPE_CHECKING:
    import sqlite3

    from wandb_carbs.local.store import Store

PENDING, RUNNING, PREEMPTING = "pending", "running", "preempting"
FINISHED, FAILED, CRASHED, KILLED, PREEMPTED = "finished", "failed", "crashed", "killed", "preempted"
ALIVE = (RUNNING, PREEMPTING)
STATES = (PENDING, *ALIVE, FINISHED, FAILED, CRASHED, KILLED, PREEMPTED)

# A run beats every 15 s, or 30 s without system metrics.
HEARTBEAT_TIMEOUT = 120 * MICROSECONDS


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


def expire(store: Store) -> None:
    """End the runs that have been silent for too long."""
    now = store.now()
    if now - store.started_at < HEARTBEAT_TIMEOUT:
        return
    with store.reading() as db:
        silent = db.execute(
            f"""SELECT * FROM runs WHERE state IN {ALIVE}
                AND max(heartbeat_at, coalesce(seen_at, 0)) < ?""",  # noqa: S608 - constants
            (now - HEARTBEAT_TIMEOUT,),
        ).fetchall()
        if silent:
            with store.transaction() as db_writing:
                for run in silent:
                    close(db_writing, run, None)
