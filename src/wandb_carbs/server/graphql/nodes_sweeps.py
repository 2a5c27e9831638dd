"""Sweeps and their agents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.graphql.fields import (
    Context,
    Fields,
    Node,
    column,
    connection,
    constant,
    count,
    identifier,
    moment,
    project_of,
)
from wandb_carbs.server.graphql.nodes_runs import find_runs
from wandb_carbs.server.store.database import MICROSECONDS
from wandb_carbs.server.store.json_objects import json_object
from wandb_carbs.server.sweeps import sweeps
from wandb_carbs.server.sweeps.config import expected_runs, stored_config

if TYPE_CHECKING:
    import sqlite3

# An agent that has missed this long is shown as gone.
_AGENT_SHOWN = 60 * MICROSECONDS


def _display_name(row: sqlite3.Row, _context: Context) -> str:
    return str(row["display_name"] or stored_config(row["config"]).get("name") or row["name"])


def _description(row: sqlite3.Row, _context: Context) -> str | None:
    return row["description"] or stored_config(row["config"]).get("description")


def _runs(
    row: sqlite3.Row, context: Context, filters: str | None = None, order: str | None = None, **page: Any
) -> Node:
    own = json_object("filters", filters) if filters else {}
    both = json.dumps({"$and": [{"sweep": row["name"]}, own]})
    return find_runs(context, row["project_id"], both, order or "+created_at", **page)


def _prior_runs(row: sqlite3.Row, context: Context, first: int | None = None, after: str | None = None) -> Node:
    rows = context.db.execute(
        """SELECT runs.*, sweeps.name AS sweep_name FROM runs JOIN sweeps ON sweeps.id = runs.sweep_id
           WHERE sweep_id = ? AND prior ORDER BY runs.id""",
        (row["id"],),
    )
    return connection(rows.fetchall(), first, after)


def _agents(row: sqlite3.Row, context: Context) -> Node:
    rows = context.db.execute("SELECT * FROM agents WHERE sweep_id = ? ORDER BY id", (row["id"],))
    return connection(rows.fetchall())


def _agent(row: sqlite3.Row, context: Context, agentName: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = context.db.execute(
        "SELECT * FROM agents WHERE sweep_id = ? AND name = ?", (row["id"], agentName)
    ).fetchone()
    return found


def _agent_state(row: sqlite3.Row, context: Context) -> str:
    return "RUNNING" if context.now - row["heartbeat_at"] < _AGENT_SHOWN else "FINISHED"


def _agent_runs(
    row: sqlite3.Row, context: Context, first: int | None = None, after: str | None = None, **_: Any
) -> Node:
    rows = context.db.execute(
        """SELECT runs.*, sweeps.name AS sweep_name FROM runs JOIN sweeps ON sweeps.id = runs.sweep_id
           WHERE agent_id = ? ORDER BY runs.id""",
        (row["id"],),
    )
    return connection(rows.fetchall(), first, after)


FIELDS: Fields = {
    "Sweep": {
        "id": identifier("Sweep"),
        "name": column("name"),
        "displayName": _display_name,
        "method": lambda row, _context: stored_config(row["config"]).get("method"),
        "state": column("state"),
        "description": _description,
        "config": column("config"),
        "createdAt": moment("created_at"),
        "updatedAt": moment("updated_at"),
        "heartbeatAt": moment("heartbeat_at"),
        "earlyStopJobRunning": constant(False),
        "bestLoss": lambda row, context: sweeps.best_objective(context.db, row["id"], stored_config(row["config"])),
        "controller": column("controller"),
        "scheduler": column("scheduler"),
        "runCount": lambda row, context: count(context, "SELECT count(*) FROM runs WHERE sweep_id = ?", row["id"]),
        "runCountExpected": lambda row, _context: expected_runs(stored_config(row["config"])),
        "project": project_of,
        "runs": _runs,
        "priorRuns": _prior_runs,
        # A scheduler on the user's machine shows itself as a run of this name.
        "controllerRunName": column("name"),
        "agents": _agents,
        "agent": _agent,
    },
    "Agent": {
        "id": identifier("Agent"),
        "name": column("name"),
        "host": lambda row, _context: row["host"] or "",
        "state": _agent_state,
        "totalRuns": lambda row, context: count(context, "SELECT count(*) FROM runs WHERE agent_id = ?", row["id"]),
        "createdAt": moment("created_at"),
        "heartbeatAt": moment("heartbeat_at"),
        "runs": _agent_runs,
    },
}
