"""The agent protocol: which agent has which run, and what an agent is told to do next.

A run that is handed out is leased to its agent. Every heartbeat of an agent lists the runs it has, which tells within
seconds what became of each lease: started, never arrived, ended without a word.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import run_states
from wandb_carbs.server.store.database import MICROSECONDS
from wandb_carbs.server.store.ids import global_id, new_name, row_by_id
from wandb_carbs.server.store.json_objects import json_object
from wandb_carbs.server.sweeps import bayes, controller, run_cap, sweeps
from wandb_carbs.server.sweeps.config import has_local_controller, is_custom, parse_config, space_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from wandb_carbs.server.store.database import Store

# An agent asks again within these seconds without the run it was just given: the reply was lost. Agents poll every 5 s,
# so later it means that the run has died before `wandb.init`.
LOST_REPLY = 2 * MICROSECONDS
# Twelve missed polls.
AGENT_TIMEOUT = 60 * MICROSECONDS

Command = dict[str, Any]


def create_agent(store: Store, sweep_name: str, host: str | None) -> str:
    """Register an agent and return its opaque id.

    Raises:
        RequestError: The sweep is unknown (404).
    """
    now = store.now()
    with store.transaction() as db:
        sweep = db.execute("SELECT * FROM sweeps WHERE name = ?", (sweep_name,)).fetchone()
        if sweep is None:
            raise RequestError(f"unknown sweep {sweep_name!r}", 404)
        if sweep["state"] == sweeps.PENDING:
            db.execute("UPDATE sweeps SET state = ? WHERE id = ?", (sweeps.RUNNING, sweep["id"]))
        cursor = db.execute(
            "INSERT INTO agents (sweep_id, name, host, created_at, heartbeat_at) VALUES (?, ?, ?, ?, ?)",
            (sweep["id"], new_name(), host, now, now),
        )
        assert cursor.lastrowid is not None
        return global_id("Agent", cursor.lastrowid)


def by_id(db: sqlite3.Connection, identifier: str) -> sqlite3.Row:
    """Return the agent that an opaque id stands for; an unknown id is a `RequestError` (404)."""
    return row_by_id(db, "agents", "Agent", identifier)


def heartbeat(store: Store, identifier: str, run_state: str | None) -> list[Command]:
    """Take an agent's heartbeat and answer with at most one command, since function agents read no more.

    Args:
        store: The storage.
        identifier: The agent's opaque id.
        run_state: JSON object of the runs that the agent has, `{name: true}`.

    Raises:
        RequestError: The agent is unknown (404), or `run_state` is malformed.
    """
    reported = {name for name, alive in json_object("runState", run_state or "{}").items() if alive}
    try:
        return _answer(store, identifier, reported, None)
    except _SearchWantedError as wanted:  # outside the transaction: a search takes tenths of a second
        with bayes.turn() as has_come:
            if not has_come:
                return []
            with store.reading() as db:
                found = bayes.suggest(db, wanted.sweep, parse_config(wanted.sweep["config"]))
            return _answer(store, identifier, reported, _Found(found))


class _SearchWantedError(Exception):
    """The next run of this sweep is to be searched."""

    def __init__(self, sweep: sqlite3.Row) -> None:
        super().__init__()
        self.sweep = sweep


@dataclass(frozen=True)
class _Found:
    """The result of a search.

    Attributes:
        values: Parameters for the next run; None if they are to be drawn at random.
    """

    values: dict[str, Any] | None


def _answer(store: Store, identifier: str, reported: set[str], found: _Found | None) -> list[Command]:
    now = store.now()
    with store.transaction() as db:
        agent = by_id(db, identifier)
        sweep = db.execute("SELECT * FROM sweeps WHERE id = ?", (agent["sweep_id"],)).fetchone()
        db.execute("UPDATE agents SET heartbeat_at = ? WHERE id = ?", (now, agent["id"]))
        db.execute("UPDATE sweeps SET heartbeat_at = ? WHERE id = ?", (now, sweep["id"]))
        _reclaim(db, store, sweep, now)
        lost = _judge(db, agent, reported, now)
        if reported:
            return _stops(db, sweep, reported)
        if sweep["state"] in {sweeps.FINISHED, sweeps.CANCELED}:
            return [{"type": "exit"}]
        if sweep["state"] != sweeps.RUNNING:
            return []
        if lost is not None:
            return [_lease(db, lost, sweep, agent, now)]
        return _work(db, sweep, agent, now, found)


def _reclaim(db: sqlite3.Connection, store: Store, sweep: sqlite3.Row, now: int) -> None:
    """Return the unstarted runs of agents that have gone silent to the queue."""
    if now - store.started_at >= AGENT_TIMEOUT:
        db.execute(
            """UPDATE runs SET agent_id = NULL WHERE sweep_id = ? AND state = ?
               AND agent_id IN (SELECT id FROM agents WHERE sweep_id = ? AND heartbeat_at < ?)""",
            (sweep["id"], run_states.PENDING, sweep["id"], now - AGENT_TIMEOUT),
        )


def _judge(db: sqlite3.Connection, agent: sqlite3.Row, reported: set[str], now: int) -> sqlite3.Row | None:
    """Compare an agent's leases with the runs it has; return the run whose lease never arrived, if any."""
    lost = None
    for run in db.execute(
        f"SELECT * FROM runs WHERE agent_id = ? AND state IN {(*run_states.ALIVE, run_states.PENDING)}",  # noqa: S608
        (agent["id"],),
    ).fetchall():
        if run["name"] in reported:
            db.execute("UPDATE runs SET seen_at = ?, absent_at = NULL WHERE id = ?", (now, run["id"]))
        elif run["state"] == run_states.PENDING:
            fresh = now - run["leased_at"] < LOST_REPLY and run["deliveries"] == 1
            if fresh and run["seen_at"] is None and not run["stop_requested"]:
                lost = run
            else:
                run_states.close(db, run, None)
        elif run["absent_at"] is None:
            db.execute("UPDATE runs SET absent_at = ? WHERE id = ?", (now, run["id"]))
    return lost


def _stops(db: sqlite3.Connection, sweep: sqlite3.Row, reported: set[str]) -> list[Command]:
    canceled = sweep["state"] == sweeps.CANCELED
    for name in sorted(reported):
        run = db.execute("SELECT * FROM runs WHERE project_id = ? AND name = ?", (sweep["project_id"], name)).fetchone()
        # Repeated until the agent drops the run: the CLI agent answers with SIGTERM first, with SIGKILL later.
        if (
            run is not None
            and run["state"] in (*run_states.ALIVE, run_states.PENDING)
            and (canceled or run["stop_requested"])
        ):
            db.execute("UPDATE runs SET stop_requested = 1 WHERE id = ?", (run["id"],))
            return [{"type": "stop", "run_id": name}]
    return []


def _work(
    db: sqlite3.Connection, sweep: sqlite3.Row, agent: sqlite3.Row, now: int, found: _Found | None
) -> list[Command]:
    """Lease the next run: one that waits in the queue, one that was pre-empted, or a new suggestion.

    Raises:
        _SearchWantedError: It is to be searched first.
    """
    config = parse_config(sweep["config"])
    for state in (run_states.PENDING, run_states.PREEMPTED):
        waiting = db.execute(
            """SELECT * FROM runs WHERE sweep_id = ? AND state = ? AND (agent_id IS NULL OR state = ?)
               ORDER BY id LIMIT 1""",
            (sweep["id"], state, run_states.PREEMPTED),
        ).fetchone()
        is_new = state == run_states.PENDING
        if waiting is not None and (not is_new or run_cap.may_start(db, sweep["id"], config)):
            return [_lease(db, waiting, sweep, agent, now)]
    if run_cap.is_reached(db, sweep["id"], config):
        return _exhausted(db, sweep)
    if has_local_controller(config):
        following = controller.next_run(db, sweep, now)
        if following.exhausted:
            return _exhausted(db, sweep)
        return [] if following.run is None else [_lease(db, following.run, sweep, agent, now)]
    if is_custom(config):
        return []  # a scheduler enqueues the runs, and ends the sweep
    if found is None and bayes.is_bayes(config):
        raise _SearchWantedError(sweep)
    values = _draw(db, sweep, config, found.values if found is not None else None)
    if values is None:
        return _exhausted(db, sweep)
    return [_lease(db, sweeps.add_run(db, sweep, values, now), sweep, agent, now)]


def _draw(
    db: sqlite3.Connection, sweep: sqlite3.Row, config: Mapping[str, Any], found: dict[str, Any] | None
) -> dict[str, Any] | None:
    """Return the parameters of the sweep's next run, those found or drawn; None when its grid is exhausted.

    A grid leaves out what its prior runs have run.
    """
    space, draws = space_of(config), sweep["draws"]
    assert space is not None
    prior = db.execute("SELECT config FROM runs WHERE sweep_id = ? AND prior", (sweep["id"],)).fetchall()
    done = [json.loads(row["config"]) for row in prior] if space.method == "grid" else []
    while True:
        values = space.suggest(sweep["seed"], draws) if found is None else found
        draws += 1
        wrapped = None if values is None else {key: {"value": value} for key, value in values.items()}
        if wrapped is None or not any(all(other.get(k) == v for k, v in wrapped.items()) for other in done):
            break
    db.execute("UPDATE sweeps SET draws = ? WHERE id = ?", (draws, sweep["id"]))
    return wrapped


def _exhausted(db: sqlite3.Connection, sweep: sqlite3.Row) -> list[Command]:
    pending = db.execute(
        "SELECT count(*) FROM runs WHERE sweep_id = ? AND state = ? AND agent_id IS NOT NULL",
        (sweep["id"], run_states.PENDING),
    ).fetchone()[0]
    if pending:  # another agent's lease, which may come back to the queue
        return []
    sweeps.finish(db, sweep["id"])
    return [{"type": "exit"}]


def _lease(db: sqlite3.Connection, run: sqlite3.Row, sweep: sqlite3.Row, agent: sqlite3.Row, now: int) -> Command:
    again = run["agent_id"] == agent["id"] and run["state"] == run_states.PENDING
    db.execute(
        """UPDATE runs SET state = ?, agent_id = ?, leased_at = ?, deliveries = ?, seen_at = NULL, absent_at = NULL,
           stop_requested = 0, heartbeat_at = ? WHERE id = ?""",
        (run_states.PENDING, agent["id"], now, run["deliveries"] + 1 if again else 1, now, run["id"]),
    )
    config = json.loads(run["config"])
    return {
        "type": "resume" if run["state"] == run_states.PREEMPTED else "run",
        "run_id": run["name"],
        "program": parse_config(sweep["config"]).get("program"),
        "args": {key: value for key, value in config.items() if key != "_wandb"},
    }
