"""What clients write to a run: upserts, stop requests, deletion."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.record import CONFIG_KEY, KEY_PREFIX, SUGGESTION_KEY
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import run_states, writers
from wandb_carbs.server.store.ids import checked_name, new_name, row_by_id, row_id
from wandb_carbs.server.store.json_objects import json_object
from wandb_carbs.server.store.projects import ensure_project, find_project

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from wandb_carbs.server.store.database import Store

# Texts that every page of a project shows.
_MAX_TEXT = 100_000
_MAX_TAGS = 1_000

# argument of the mutation -> column; null leaves a column unchanged
_COLUMNS = {
    "displayName": "display_name",
    "config": "config",
    "summaryMetrics": "summary",
    "groupName": "group_name",
    "jobType": "job_type",
    "notes": "notes",
    "description": "description",
    "host": "host",
    "jobProgram": "program",
    "jobRepo": "repo",
    "commit": "commit_hash",
}


def upsert(store: Store, values: Mapping[str, Any], writer: str | None = None) -> tuple[int, bool]:
    """Create or update a run. A run of a sweep is in the sweep's project, whatever project its program names.

    Args:
        store: The storage.
        values: Arguments of the mutation `upsertBucket`. By `name` a living run speaks, though it may
            add its `id` when it resumes; by `id` alone its record is edited.
        writer: The process that speaks, where several write the run: nobody's configuration replaces another's.

    Returns:
        The run's row id, and whether it is new.

    Raises:
        RequestError: A value is malformed, or the id or sweep is unknown.
    """
    changes = _changes(values)
    speaks = bool(values.get("name")) or not values.get("id")
    with store.transaction() as db:
        sweep = _sweep_named(db, values["sweep"]) if speaks and values.get("sweep") else None
        if values.get("id"):
            run_id, inserted = run_by_id(db, values["id"])["id"], False
        else:
            named = values.get("entityName"), values.get("modelName")
            entity, project = named if sweep is None else sweep[1:]
            run_id, inserted = ensure(store, db, entity, project, values.get("name"))
        if speaks:
            if sweep is not None:
                db.execute("UPDATE runs SET sweep_id = ? WHERE id = ?", (sweep[0], run_id))
            if not values.get("id"):
                _forget_earlier_process(db, run_id)
            is_new = writer is None or writers.is_new(db, run_id, writer)
            if is_new or not run_states.has_ended(db, run_id):
                run_states.revive(db, run_id, store.now())
            if "config" in changes and writer is not None:
                stored = db.execute("SELECT config FROM runs WHERE id = ?", (run_id,)).fetchone()["config"]
                changes["config"] = writers.merged(stored, json.loads(changes["config"]))
            if "config" in changes:
                changes["config"] = _keep_suggestion(db, run_id, changes["config"])
        for column, value in changes.items():
            db.execute(f"UPDATE runs SET {column} = ? WHERE id = ?", (value, run_id))  # noqa: S608 - our own names
    return run_id, inserted


def _sweep_named(db: sqlite3.Connection, name: str) -> tuple[int, str, str]:
    """Return a sweep's row id, entity and project."""
    row = db.execute(
        """SELECT sweeps.id, projects.entity, projects.name FROM sweeps JOIN projects ON projects.id = project_id
           WHERE sweeps.name = ?""",
        (name,),
    ).fetchone()
    if row is None:
        raise RequestError(f"unknown sweep {name!r}", 404)
    return row[0], row[1], row[2]


def _forget_earlier_process(db: sqlite3.Connection, run_id: int) -> None:
    """Empty the summary of a run that was handed out again and begins anew, but for its record and its last time.

    Should the new process log nothing, nobody takes the metrics of the one before for its own. One that resumes the run
    goes on from them. An agent needs the time to know which rows are of the one before.
    """
    run = db.execute("SELECT state, summary FROM runs WHERE id = ?", (run_id,)).fetchone()
    if run["state"] == run_states.PENDING and run["summary"] != "{}":
        summary = json.loads(run["summary"])
        record = {key: value for key, value in summary.items() if key.startswith(KEY_PREFIX) or key == "_timestamp"}
        db.execute("UPDATE runs SET summary = ? WHERE id = ?", (json.dumps(record), run_id))


def _changes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that a mutation changes.

    Raises:
        RequestError: A value is malformed or too large.
    """
    changes = {column: values[key] for key, column in _COLUMNS.items() if values.get(key) is not None}
    for key in ("config", "summary"):
        if key in changes:
            json_object(key, changes[key])
    for column, value in changes.items():
        if column not in {"config", "summary"} and len(value) > _MAX_TEXT:
            raise RequestError(f"{column} has {len(value)} characters; at most {_MAX_TEXT} are taken", 413)
    if len(values.get("tags") or ()) > _MAX_TAGS:
        raise RequestError(f"a run has at most {_MAX_TAGS} tags, not {len(values['tags'])}", 413)
    if values.get("tags") is not None:
        changes["tags"] = json.dumps(values["tags"])
    return changes


def _keep_suggestion(db: sqlite3.Connection, run_id: int, text: str) -> str:
    """Return a living run's configuration, completed by what was recorded of the run with its suggestion.

    A run that is started again may begin with an empty configuration, and its agent repeats the suggestion; if it is
    killed before, what was observed must still say of what.
    """
    summary = json.loads(db.execute("SELECT summary FROM runs WHERE id = ?", (run_id,)).fetchone()["summary"])
    # The suggestion is the run's configuration, unless another was made of it.
    key = CONFIG_KEY if CONFIG_KEY in summary else SUGGESTION_KEY
    try:
        suggestion = json_object(key, summary[key])
    except (KeyError, TypeError, RequestError):
        return text
    config = json_object("config", text)
    missing = {key: {"value": value} for key, value in suggestion.items() if key not in config}
    return json.dumps({**config, **missing}) if missing else text


def ensure(
    store: Store, db: sqlite3.Connection, entity: str | None, project: str | None, name: str | None
) -> tuple[int, bool]:
    """Return a run's row id, and whether it had to be made.

    Raises:
        RequestError: A name does not fit into an address, or is that of a run that was deleted alive (410).
    """
    now = store.now()
    owner = ensure_project(db, entity, project, now)
    name = checked_name("run", name or new_name())
    row = db.execute("SELECT id FROM runs WHERE project_id = ? AND name = ?", (owner["id"], name)).fetchone()
    if row is not None:
        return row["id"], False
    if db.execute("SELECT 1 FROM deleted_runs WHERE project_id = ? AND name = ?", (owner["id"], name)).fetchone():
        # Its process goes on, and must not bring it back. Clients repeat nothing after a 410.
        raise RequestError(f"run {name} was deleted while it was alive; start a new run under another id", 410)
    return insert(db, owner["id"], name, now, state=run_states.RUNNING), True


def insert(db: sqlite3.Connection, project_id: int, name: str, now: int, *, state: str) -> int:
    """Add a run to a project and return its row id."""
    number = db.execute("SELECT count(*) FROM runs WHERE project_id = ?", (project_id,)).fetchone()[0] + 1
    cursor = db.execute(
        """INSERT INTO runs (project_id, name, display_name, state, created_at, heartbeat_at)
           VALUES (?, ?, ?, ?, ?, ?)""",
        (project_id, name, f"run-{number}", state, now, now),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def find(db: sqlite3.Connection, entity: str | None, project: str | None, name: str) -> sqlite3.Row | None:
    """Return a run's row, or None."""
    owner = find_project(db, entity, project)
    if owner is None:
        return None
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM runs WHERE project_id = ? AND name = ?", (owner["id"], name)
    ).fetchone()
    return row


def run_by_id(db: sqlite3.Connection, identifier: str) -> sqlite3.Row:
    """Return the run that an opaque id stands for; an unknown id is a `RequestError` (404)."""
    return row_by_id(db, "runs", "Run", identifier)


def exists(db: sqlite3.Connection, identifier: str) -> bool:
    """Tell whether the run that an opaque id stands for is still there.

    Raises:
        RequestError: The id is not one of a run (404).
    """
    return db.execute("SELECT 1 FROM runs WHERE id = ?", (row_id("Run", identifier),)).fetchone() is not None


def stop(store: Store, identifier: str) -> None:
    """Ask a run to stop."""
    with store.transaction() as db:
        db.execute("UPDATE runs SET stop_requested = 1 WHERE id = ?", (run_by_id(db, identifier)["id"],))


# new state -> the states from which a client may put a run into it
_TRANSITIONS = {
    run_states.PENDING: (run_states.RUNNING, run_states.FAILED, run_states.CRASHED, run_states.PREEMPTED),
    run_states.FAILED: (run_states.PENDING, run_states.RUNNING),
}


def set_state(store: Store, identifier: str, state: str) -> None:
    """Put a run that belongs to no sweep into a state: `pending` or `failed`.

    Raises:
        RequestError: There is no such run (404), or it cannot go into that state.
    """
    with store.transaction() as db:
        run = run_by_id(db, identifier)
        if run["sweep_id"] is not None:
            raise RequestError(f"run {run['name']} belongs to a sweep, which alone sets its state")
        if run["state"] not in _TRANSITIONS.get(state, ()):
            raise RequestError(f"run {run['name']} is {run['state']}: it cannot be put into the state {state!r}")
        db.execute("UPDATE runs SET state = ? WHERE id = ?", (state, run["id"]))


def delete(store: Store, identifier: str) -> int:
    """Delete a run with all that it has logged, and return its row id."""
    with store.transaction() as db:
        run = run_by_id(db, identifier)
        if run["state"] in (*run_states.ALIVE, run_states.PENDING):
            db.execute("INSERT OR IGNORE INTO deleted_runs VALUES (?, ?)", (run["project_id"], run["name"]))
        db.execute("DELETE FROM runs WHERE id = ?", (run["id"],))
        return int(run["id"])
