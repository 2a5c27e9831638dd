"""The projects, sweeps and runs that the addresses of the pages name."""

from __future__ import annotations

import sqlite3

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import runs
from wandb_carbs.server.store.projects import find_project


def project_row(db: sqlite3.Connection, entity: str, name: str) -> sqlite3.Row:
    """Return a project's row.

    Raises:
        RequestError: There is no such project (404).
    """
    return _required(find_project(db, entity, name), f"project {entity}/{name}")


def run_row(db: sqlite3.Connection, entity: str, project: str, name: str) -> sqlite3.Row:
    """Return a run's row.

    Raises:
        RequestError: There is no such run (404).
    """
    return _required(runs.find(db, entity, project, name), f"run {name}")


def sweep_row(db: sqlite3.Connection, entity: str, project: str, name: str) -> sqlite3.Row:
    """Return a sweep's row.

    Raises:
        RequestError: There is no such sweep (404).
    """
    owner = project_row(db, entity, project)
    row = db.execute("SELECT * FROM sweeps WHERE project_id = ? AND name = ?", (owner["id"], name)).fetchone()
    return _required(row, f"sweep {name}")


def cost_name(db: sqlite3.Connection, sweep_id: int) -> str:
    """Return what the costs of a sweep are."""
    has_record = db.execute("SELECT 1 FROM standings WHERE sweep_id = ? AND carbs_state != ''", (sweep_id,)).fetchone()
    return "run time, s" if has_record is None else "cost"


def _required(row: sqlite3.Row | None, what: str) -> sqlite3.Row:
    if row is None:
        raise RequestError(f"there is no {what} on this server", 404)
    return row
