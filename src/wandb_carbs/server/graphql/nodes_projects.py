"""Entities and projects, and the fields at which queries start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wandb_carbs.server.graphql import fields
from wandb_carbs.server.graphql.fields import Context, Fields, Node, connection
from wandb_carbs.server.graphql.nodes_runs import find_runs
from wandb_carbs.server.graphql.viewer import SERVER, USER
from wandb_carbs.server.store.artifacts import HIDDEN
from wandb_carbs.server.store.database import DEFAULT_ENTITY
from wandb_carbs.server.store.projects import find_project
from wandb_carbs.server.store.queries import SELECT_RUNS, count_runs

if TYPE_CHECKING:
    import sqlite3


def _entity(_root: Any, _context: Context, name: str | None = None) -> Node:
    """Return an entity; every name is one."""
    name = name or DEFAULT_ENTITY
    # There are no organizations, which the SDK says by itself where it needs one, for a link to the registry, say.
    nothing = {"organization": None, "user": None}
    return {"id": f"entity-{name}", "name": name, "isTeam": False, "xxhashDigestsEnabled": False, **nothing}


def _viewer(_root: Any, context: Context) -> Node:
    """Return the one user; every entity that has a project is one of the user's teams."""
    rows = context.db.execute(
        "SELECT DISTINCT entity FROM projects WHERE entity NOT IN (?, ?) ORDER BY entity", (DEFAULT_ENTITY, HIDDEN[0])
    )
    teams = [{"node": _entity(None, context, row["entity"])} for row in rows]
    return {**USER, "teams": {"edges": teams}}


def _users(_root: Any, context: Context, query: str | None = None) -> Node:
    """Return the one user if a part of the name is asked for."""
    fits = (query or "").lower() in USER["username"]
    return connection([_viewer(None, context)] if fits else [])


def _project(
    _root: Any, context: Context, name: str | None = None, entityName: str | None = None
) -> sqlite3.Row | None:
    return find_project(context.db, entityName, name)


def _projects(
    _root: Any,
    context: Context,
    entityName: str | None = None,
    first: int | None = None,
    after: str | None = None,
    **_: Any,
) -> Node:
    rows = context.db.execute(
        "SELECT * FROM projects WHERE entity = coalesce(?, entity) AND entity != ? ORDER BY id", (entityName, HIDDEN[0])
    ).fetchall()
    return connection(rows, first, after)


def _run(project: sqlite3.Row, context: Context, name: str, **_: Any) -> sqlite3.Row | None:
    row: sqlite3.Row | None = context.db.execute(
        f"{SELECT_RUNS} WHERE runs.project_id = ? AND runs.name = ?", (project["id"], name)
    ).fetchone()
    return row


def _sweep(project: sqlite3.Row, context: Context, sweepName: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = context.db.execute(
        "SELECT * FROM sweeps WHERE project_id = ? AND name = ?", (project["id"], sweepName)
    ).fetchone()
    return row


def _sweeps(
    project: sqlite3.Row, context: Context, first: int | None = None, after: str | None = None, **_: Any
) -> Node:
    rows = context.db.execute("SELECT * FROM sweeps WHERE project_id = ? ORDER BY id DESC", (project["id"],))
    return connection(rows.fetchall(), first, after)


FIELDS: Fields = {
    "Query": {
        "viewer": _viewer,
        "users": _users,
        **fields.constants(serverInfo=SERVER),
        "entity": _entity,
        "project": _project,
        "model": _project,
        "models": _projects,
    },
    "User": {"projects": _projects},
    "Entity": {"projects": lambda entity, context, **page: _projects(None, context, entity["name"], **page)},
    "Project": {
        **fields.identifier("Project"),
        **fields.columns("name", internalId="id", entityName="entity"),
        **fields.moments(createdAt="created_at"),
        **fields.constants(
            isBenchmark=False, readOnly=False, access="PRIVATE", description=None, views="{}", user=USER
        ),
        "entity": lambda row, context: _entity(None, context, row["entity"]),
        "run": _run,
        "bucket": _run,
        "runs": lambda row, context, **query: find_runs(context, row["id"], **query),
        "runCount": lambda row, context, filters=None: count_runs(context.db, row["id"], filters),
        "sweep": _sweep,
        "sweeps": _sweeps,
        "totalSweeps": lambda row, context: fields.count(
            context, "SELECT count(*) FROM sweeps WHERE project_id = ?", row["id"]
        ),
    },
}
