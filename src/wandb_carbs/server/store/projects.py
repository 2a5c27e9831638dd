"""Projects."""

from __future__ import annotations

import sqlite3

from wandb_carbs.server.store.database import DEFAULT_ENTITY, DEFAULT_PROJECT
from wandb_carbs.server.store.ids import checked_name


def find_project(db: sqlite3.Connection, entity: str | None, name: str | None) -> sqlite3.Row | None:
    """Return a project's row, or None."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM projects WHERE entity = ? AND name = ?", (entity or DEFAULT_ENTITY, name or DEFAULT_PROJECT)
    ).fetchone()
    return row


def ensure_project(db: sqlite3.Connection, entity: str | None, name: str | None, now: int) -> sqlite3.Row:
    """Return a project's row, made on the fly when it is new."""
    entity = checked_name("entity", entity or DEFAULT_ENTITY)
    name = checked_name("project", name or DEFAULT_PROJECT)
    db.execute("INSERT OR IGNORE INTO projects (entity, name, created_at) VALUES (?, ?, ?)", (entity, name, now))
    row: sqlite3.Row = db.execute("SELECT * FROM projects WHERE entity = ? AND name = ?", (entity, name)).fetchone()
    return row
