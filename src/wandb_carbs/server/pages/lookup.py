"""The projects, sweeps and runs that the addresses of the pages name."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.pages.rows import Goal, RunRow, read_run
from wandb_carbs.server.store import runs
from wandb_carbs.server.store.projects import find_project
from wandb_carbs.server.sweeps.config import stored_config


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


def sweep_rows(db: sqlite3.Connection, sweep: sqlite3.Row, goal: Goal) -> list[RunRow]:
    """Return all runs of a sweep, the oldest first."""
    found = db.execute("SELECT * FROM runs WHERE sweep_id = ? ORDER BY created_at, id", (sweep["id"],))
    return [read_run(row, goal) for row in found]


def project_rows(db: sqlite3.Connection, project_id: int, sweeps: Sequence[sqlite3.Row]) -> list[RunRow]:
    """Return all runs of a project, the newest first, without those that schedulers show of themselves."""
    goals = {sweep["id"]: Goal.of(sweep) for sweep in sweeps}
    schedulers = {sweep["name"] for sweep in sweeps}
    found = db.execute("SELECT * FROM runs WHERE project_id = ? ORDER BY created_at DESC, id DESC", (project_id,))
    return [
        read_run(row, goals.get(row["sweep_id"], Goal.of(None)))
        for row in found
        if row["sweep_id"] is not None or row["name"] not in schedulers
    ]


def title(sweep: sqlite3.Row) -> str:
    """Return the name that a sweep shows."""
    return str(sweep["display_name"] or stored_config(sweep["config"]).get("name") or sweep["name"])


def cost_name(rows: Sequence[RunRow]) -> str:
    """Return what the costs of a sweep are."""
    return "cost" if any(row.carbs_state for row in rows) else "run time, s"


def _required(row: sqlite3.Row | None, what: str) -> sqlite3.Row:
    if row is None:
        raise RequestError(f"there is no {what} on this server", 404)
    return row
