"""Sweeps: creation, configuration, and states."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.errors import RequestError, UnsupportedError
from wandb_carbs.server.store import run_states, runs
from wandb_carbs.server.store.filters import Filter
from wandb_carbs.server.store.ids import new_name, row_by_id
from wandb_carbs.server.store.json_objects import json_object
from wandb_carbs.server.store.projects import ensure_project
from wandb_carbs.server.store.queries import select_runs
from wandb_carbs.server.sweeps import bayes, run_cap
from wandb_carbs.server.sweeps.config import check_config, config_warnings, has_scheduler, parse_config, stored_config

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from wandb_carbs.server.store.database import Store

PENDING, RUNNING, PAUSED, FINISHED, CANCELED = "PENDING", "RUNNING", "PAUSED", "FINISHED", "CANCELED"
STATES = (PENDING, RUNNING, PAUSED, FINISHED, CANCELED)

_COLUMNS = {
    "displayName": "display_name",
    "description": "description",
    "config": "config",
    "controller": "controller",
    "scheduler": "scheduler",
    "state": "state",
}


def upsert(store: Store, values: Mapping[str, Any]) -> tuple[int, list[str]]:
    """Create or update a sweep.

    Args:
        store: The storage.
        values: Arguments of the mutation `upsertSweep`; without an `id` a sweep is made.

    Returns:
        The sweep's row id, and warnings about its configuration.

    Raises:
        RequestError: The configuration or the state is invalid, or the id is unknown; nothing is changed.
        UnsupportedError: A run queue is to start the sweep.
    """
    if values.get("launchScheduler") not in {None, "", "null"}:
        raise UnsupportedError(
            "this local server has no run queues, so that `wandb launch-sweep` would start nothing; nothing was "
            "changed: make the sweep with `wandb sweep`, and start `wandb agent`"
        )
    changes, warnings = _checked(values)
    Filter.parse(values.get("priorRunsFilters"))
    now = store.now()
    with store.transaction() as db:
        if values.get("id"):
            sweep_id = sweep_by_id(db, values["id"])["id"]
        else:
            if "config" not in changes:
                raise RequestError("a new sweep needs a config")
            project = ensure_project(db, values.get("entityName"), values.get("projectName"), now)
            cursor = db.execute(
                """INSERT INTO sweeps (project_id, name, config, state, seed, created_at, updated_at, heartbeat_at)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
                (project["id"], new_name(), changes["config"], PENDING, secrets.randbits(31), now, now, now),
            )
            assert cursor.lastrowid is not None
            sweep_id = cursor.lastrowid
            if values.get("priorRunsFilters"):
                warnings += _attach(db, project["id"], sweep_id, values["priorRunsFilters"])
        for column, value in changes.items():
            db.execute(f"UPDATE sweeps SET {column} = ? WHERE id = ?", (value, sweep_id))  # noqa: S608 - our own names
        db.execute("UPDATE sweeps SET updated_at = ? WHERE id = ?", (now, sweep_id))
        if changes.get("state") == CANCELED:
            _cancel(db, sweep_id)
        elif changes.get("state") == FINISHED:
            finish(db, sweep_id)
        if "controller" in changes:
            _stop_early(db, sweep_id, json.loads(changes["controller"]))
    return sweep_id, warnings


def _checked(values: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Return the columns to change, and warnings about the configuration."""
    changes: dict[str, str] = {c: values[k] for k, c in _COLUMNS.items() if values.get(k) is not None}
    warnings: list[str] = []
    if "config" in changes:
        config = parse_config(changes["config"])
        check_config(config)
        warnings = [*config_warnings(config), *bayes.notes(config)]
    for key in ("controller", "scheduler"):
        if key in changes:
            json_object(key, changes[key])
    if "state" in changes:
        changes["state"] = changes["state"].upper()
        if changes["state"] not in STATES:
            raise RequestError(f"sweep state {changes['state']!r} must be one of {', '.join(STATES)}")
    return changes, warnings


def _attach(db: sqlite3.Connection, project_id: int, sweep_id: int, filters: str) -> list[str]:
    """Move runs into a sweep, and return a warning for each that another sweep loses.

    Raises:
        RequestError: A run that the filter names does not exist (404), or none matches.
    """
    chosen = select_runs(db, project_id, filters, "created_at").rows
    missing = sorted(_named(json.loads(filters)) - {row["name"] for row in chosen})
    if missing or not chosen:
        raise RequestError(f"prior runs: the project has no run {', '.join(missing) or 'that matches'}", 404)
    db.executemany("UPDATE runs SET sweep_id = ?, prior = 1 WHERE id = ?", [(sweep_id, row["id"]) for row in chosen])
    return [
        f"run {row['name']} has been moved here from sweep {row['sweep_name']}"
        for row in chosen
        if row["sweep_name"] is not None
    ]


def _named(tree: Any) -> set[str]:
    """Return the runs that a filter asks for by their names."""
    if isinstance(tree, list):
        return {name for part in tree for name in _named(part)}
    if not isinstance(tree, dict):
        return set()
    own = {tree["name"]} if isinstance(tree.get("name"), str) else set()
    return own.union(*(_named(tree[key]) for key in ("$or", "$and") if key in tree))


def _stop_early(db: sqlite3.Connection, sweep_id: int, controller: dict[str, Any]) -> None:
    """Stop the runs that a local controller names."""
    names = controller.get("earlystop") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RequestError(f"controller: earlystop {names!r} must be a list of runs")
    db.executemany(
        f"UPDATE runs SET stop_requested = 1 WHERE sweep_id = ? AND name = ? AND state IN {run_states.ALIVE}",  # noqa: S608
        [(sweep_id, name) for name in names],
    )


def enqueue(store: Store, values: Mapping[str, Any]) -> str:
    """Add a run with chosen parameters to a sweep's queue, and return its name.

    Args:
        store: The storage.
        values: Arguments of the mutation `enqueueSweepRun`; the `config` has each value bare or as `{"value": …}`.

    Raises:
        RequestError: The sweep is unknown (404), has ended or has all its runs, or the config is malformed.
    """
    config = wrapped(json_object("config", values["config"]))
    now = store.now()
    with store.transaction() as db:
        sweep = sweep_by_id(db, values["id"])
        if sweep["state"] in {FINISHED, CANCELED}:
            raise RequestError(f"sweep {sweep['name']} is {sweep['state']}: it takes no more runs")
        run_cap.check_room(db, sweep, parse_config(sweep["config"]))
        name = add_run(db, sweep, config, now)["name"]
        if values.get("displayName"):
            db.execute(
                "UPDATE runs SET display_name = ? WHERE project_id = ? AND name = ?",
                (values["displayName"], sweep["project_id"], name),
            )
    return str(name)


def wrapped(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's values as its configuration has them, `{"value": …}` each; those that come so stay."""
    return {
        key: value if isinstance(value, dict) and "value" in value else {"value": value}
        for key, value in values.items()
    }


def add_run(db: sqlite3.Connection, sweep: sqlite3.Row, config: Mapping[str, Any], now: int) -> sqlite3.Row:
    """Add a run that waits for an agent to a sweep, and return its row.

    Args:
        db: The database.
        sweep: The sweep's row.
        config: The parameters, each as `{"value": …}`.
        now: The time.
    """
    run_id = runs.insert(db, sweep["project_id"], new_name(), now, state=run_states.PENDING)
    db.execute("UPDATE runs SET sweep_id = ?, config = ? WHERE id = ?", (sweep["id"], json.dumps(config), run_id))
    row: sqlite3.Row = db.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
    return row


def finish(db: sqlite3.Connection, sweep_id: int) -> None:
    """End a sweep, and what a scheduler has enqueued beyond its last run; if the sweep goes on, it enqueues anew."""
    db.execute("UPDATE sweeps SET state = ? WHERE id = ?", (FINISHED, sweep_id))
    text = db.execute("SELECT config FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()["config"]
    if has_scheduler(stored_config(text)):
        _empty_queue(db, sweep_id)


def _cancel(db: sqlite3.Connection, sweep_id: int) -> None:
    db.execute(
        f"UPDATE runs SET stop_requested = 1 WHERE sweep_id = ? AND state IN {(*run_states.ALIVE, run_states.PENDING)}",  # noqa: S608
        (sweep_id,),
    )
    _empty_queue(db, sweep_id)


def _empty_queue(db: sqlite3.Connection, sweep_id: int) -> None:
    """End the runs that wait for an agent."""
    db.execute(
        "UPDATE runs SET state = ? WHERE sweep_id = ? AND state = ? AND agent_id IS NULL",
        (run_states.KILLED, sweep_id, run_states.PENDING),
    )


def sweep_by_id(db: sqlite3.Connection, identifier: str) -> sqlite3.Row:
    """Return the sweep that an opaque id stands for; an unknown id is a `RequestError` (404)."""
    return row_by_id(db, "sweeps", "Sweep", identifier)
