"""Collections of artifacts: each has a name, a type, and versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.ids import row_by_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from wandb_carbs.server.store.database import Store


def ensure(db: sqlite3.Connection, project_id: int, name: str, kind: str, now: int) -> sqlite3.Row:
    """Return a collection's row, made on the fly when it is new.

    Raises:
        RequestError: It has another type, or the name is not fit for one.
    """
    _check(name)
    db.execute(
        "INSERT OR IGNORE INTO collections (project_id, name, type, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
        (project_id, name, kind, now, now),
    )
    row = find(db, project_id, name)
    assert row is not None
    if row["type"] != kind:
        raise RequestError(
            f"the artifacts {name!r} are of type {row['type']!r}; one of type {kind!r} needs another name"
        )
    return row


def _check(name: str) -> None:
    if not set("/:").isdisjoint(name):
        raise RequestError(f"artifacts cannot be named {name!r}: a name must hold no / and no :")


def find(db: sqlite3.Connection, project_id: int, name: str) -> sqlite3.Row | None:
    """Return a collection's row, or None."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM collections WHERE project_id = ? AND name = ?", (project_id, name.partition(":")[0])
    ).fetchone()
    return row


def by_id(db: sqlite3.Connection, identifier: str) -> sqlite3.Row:
    """Return the collection that an opaque id stands for.

    Raises:
        RequestError: There is none (404).
    """
    return row_by_id(db, "collections", "ArtifactCollection", identifier)


def of_project(db: sqlite3.Connection, project_id: int, kind: str | None = None) -> list[sqlite3.Row]:
    """Return a project's collections, those of one type if it is given, the newest first."""
    return db.execute(
        "SELECT * FROM collections WHERE project_id = ? AND type = coalesce(?, type) ORDER BY id DESC",
        (project_id, kind),
    ).fetchall()


def types(db: sqlite3.Connection, project_id: int) -> list[sqlite3.Row]:
    """Return a project's types of artifacts: one row with its first collection's columns for each."""
    return db.execute(
        "SELECT *, min(id) FROM collections WHERE project_id = ? GROUP BY type ORDER BY type", (project_id,)
    ).fetchall()


def update(store: Store, values: Mapping[str, Any]) -> None:
    """Change a collection's name or description.

    Raises:
        RequestError: It is unknown (404), or the new name is taken or not fit for one.
    """
    with store.transaction() as db:
        row = by_id(db, values["artifactSequenceID"])
        if values.get("description") is not None:
            db.execute("UPDATE collections SET description = ? WHERE id = ?", (values["description"], row["id"]))
        name = values.get("name")
        if name and name != row["name"]:
            _check(name)
            if find(db, row["project_id"], name) is not None:
                raise RequestError(f"the project has artifacts named {name!r} already")
            db.execute("UPDATE collections SET name = ? WHERE id = ?", (name, row["id"]))
            db.execute(
                "UPDATE artifacts SET collection = ? WHERE project_id = ? AND collection = ?",
                (name, row["project_id"], row["name"]),
            )
        db.execute("UPDATE collections SET updated_at = ? WHERE id = ?", (store.now(), row["id"]))


def change_type(store: Store, identifier: str, kind: str) -> None:
    """Change the type of a collection and its versions.

    Raises:
        RequestError: It is unknown (404).
    """
    with store.transaction() as db:
        row = by_id(db, identifier)
        db.execute("UPDATE collections SET type = ? WHERE id = ?", (kind, row["id"]))
        db.execute(
            "UPDATE artifacts SET type = ? WHERE project_id = ? AND collection = ?",
            (kind, row["project_id"], row["name"]),
        )


def tag(store: Store, project_id: int, name: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> list[str]:
    """Add tags to a collection or remove them, and return its tags.

    Raises:
        RequestError: It is unknown (404).
    """
    with store.transaction() as db:
        row = find(db, project_id, name)
        if row is None:
            raise RequestError(f"unknown artifact collection {name!r}", 404)
        tags = [tag for tag in dict.fromkeys([*json.loads(row["tags"]), *add]) if tag not in remove]
        db.execute("UPDATE collections SET tags = ? WHERE id = ?", (json.dumps(tags), row["id"]))
        return tags


def delete(db: sqlite3.Connection, collection_id: int) -> None:
    """Delete a collection, whose versions are deleted already."""
    db.execute("DELETE FROM collections WHERE id = ?", (collection_id,))
