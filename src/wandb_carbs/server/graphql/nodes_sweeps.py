"""Sweeps and their agents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.graphql import fields
from wandb_carbs.server.graphql.fields import Context, Fields, Node, connection
from wandb_carbs.server.graphql.nodes_runs import find_runs
from wandb_carbs.server.store.database import MICROSECONDS
from wandb_carbs.server.store.json_objects import json_object
from wandb_carbs.server.store.queries import SELECT_RUNS
from wandb_carbs.server.sweeps.config import description_of, expected_runs, stored_config, title_of
from wandb_carbs.server.sweeps.metrics import best_objective

if TYPE_CHECKING:
    import sqlite3

# An agent that has missed this long is shown as gone.
_AGENT_SHOWN = 60 * MICROSECONDS


def _runs(
    row: sqlite3.Row, context: Context, filters: str | None = None, order: str | None = None, **page: Any
) -> Node:
    own = json_object("filters", filters) if filters else {}
    both = json.dumps({"$and": [{"sweep": row["name"]}, own]})
    return find_runs(context, row["project_id"], both, order or "+created_at", **page)


def _prior_runs(row: sqlite3.Row, context: Context, first: int | None = None, after: str | None = None) -> Node:
    rows = context.db.execute(f"{SELECT_RUNS} WHERE sweep_id = ? AND prior ORDER BY runs.id", (row["id"],))
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
    rows = context.db.execute(f"{SELECT_RUNS} WHERE agent_id = ? ORDER BY runs.id", (row["id"],))
    return connection(rows.fetchall(), first, after)


FIELDS: Fields = {
    "Sweep": {
        **fields.identifier("Sweep"),
        # A scheduler on the user's machine shows itself as a run of the sweep's name.
        **fields.columns("name", "state", "config", "controller", "scheduler", controllerRunName="name"),
        **fields.moments(createdAt="created_at", updatedAt="updated_at", heartbeatAt="heartbeat_at"),
        **fields.constants(earlyStopJobRunning=False),
        "displayName": lambda row, _context: title_of(row),
        "method": lambda row, _context: stored_config(row["config"]).get("method"),
        "description": lambda row, _context: description_of(row),
        "bestLoss": lambda row, context: best_objective(context.db, row["id"], stored_config(row["config"])),
        "runCount": lambda row, context: fields.count(
            context, "SELECT count(*) FROM runs WHERE sweep_id = ?", row["id"]
        ),
        "runCountExpected": lambda row, _context: expected_runs(stored_config(row["config"])),
        "project": fields.project_of,
        "runs": _runs,
        "priorRuns": _prior_runs,
        "agents": _agents,
        "agent": _agent,
    },
    "Agent": {
        **fields.identifier("Agent"),
        **fields.columns("name"),
        **fields.moments(createdAt="created_at", heartbeatAt="heartbeat_at"),
        "host": lambda row, _context: row["host"] or "",
        "state": _agent_state,
        "totalRuns": lambda row, context: fields.count(
            context, "SELECT count(*) FROM runs WHERE agent_id = ?", row["id"]
        ),
        "runs": _agent_runs,
    },
}
