"""Artifacts: versions of named collections.

The files of a version are files of the run that logs it, below `artifact/ID/`: they go with the run, and are got as
its other files are.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import runs
from wandb_carbs.server.store.ids import row_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from wandb_carbs.server.store.database import Store

PENDING, COMMITTED = "PENDING", "COMMITTED"


def manifest_name(artifact_id: int) -> str:
    """Return the name of the run's file that holds an artifact's manifest."""
    return f"artifact/{artifact_id}/wandb_manifest.json"


def file_name(artifact_id: int, name: str) -> str:
    """Return the name of the run's file that holds an artifact's file."""
    return f"artifact/{artifact_id}/files/{name}"


def create(store: Store, values: Mapping[str, Any]) -> int:
    """Create an artifact, to be committed once its files have arrived.

    Args:
        store: The storage.
        values: Arguments of the mutation `createArtifact`. The SDK repeats a request whose reply was lost, so a known
            `clientID` stands for the artifact that is there.

    Returns:
        The artifact's row id.

    Raises:
        RequestError: The run is unknown (404), the metadata are malformed, or a name is missing.
    """
    names = values.get("artifactCollectionNames") or [values.get("artifactCollectionName")]
    if not names[0] or not values.get("runName"):
        raise RequestError("an artifact needs a name and a run that logs it")
    if values.get("metadata") is not None:
        runs.json_object("metadata", values["metadata"])
    aliases = [alias["alias"] for alias in values.get("aliases") or []]
    now = store.now()
    with store.transaction() as db:
        run = runs.find(db, values.get("entityName"), values.get("projectName"), values["runName"])
        if run is None:
            raise RequestError(f"unknown run {values['runName']!r}", 404)
        known = db.execute("SELECT id FROM artifacts WHERE client_id = ?", (values.get("clientID"),)).fetchone()
        if known is not None:
            return int(known["id"])
        cursor = db.execute(
            """INSERT INTO artifacts (
                   project_id, run_id, client_id, type, collection, digest, state, aliases, description, metadata,
                   history_step, created_at, updated_at
               ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                run["project_id"],
                run["id"],
                values.get("clientID"),
                values.get("artifactTypeName") or "unspecified",
                names[0],
                values.get("digest") or "",
                PENDING,
                json.dumps(aliases),
                values.get("description"),
                values.get("metadata"),
                values.get("historyStep"),
                now,
                now,
            ),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid


def commit(store: Store, identifier: str) -> int:
    """Make an artifact the newest version of its collection, and return its row id; a second time changes nothing.

    Raises:
        RequestError: The artifact is unknown (404), or its manifest has not arrived.
    """
    with store.transaction() as db:
        row = by_id(db, identifier)
        artifact_id: int = row["id"]
        if row["state"] == COMMITTED:
            return artifact_id
        name = manifest_name(artifact_id)
        if db.execute("SELECT 1 FROM files WHERE run_id = ? AND name = ?", (row["run_id"], name)).fetchone() is None:
            raise RequestError(f"the manifest of artifact {row['collection']!r} has not arrived")
        versions = _versions(db, row["project_id"], row["collection"])
        taken = set(json.loads(row["aliases"]))
        for other in versions:
            left = [alias for alias in json.loads(other["aliases"]) if alias not in taken]
            db.execute("UPDATE artifacts SET aliases = ? WHERE id = ?", (json.dumps(left), other["id"]))
        version = versions[0]["version"] + 1 if versions else 0
        db.execute(
            "UPDATE artifacts SET state = ?, version = ?, updated_at = ? WHERE id = ?",
            (COMMITTED, version, store.now(), artifact_id),
        )
    return artifact_id


def by_id(db: sqlite3.Connection, identifier: str, kind: str = "Artifact") -> sqlite3.Row:
    """Return the artifact that an opaque id, its own or that of its manifest, stands for.

    Raises:
        RequestError: There is none (404).
    """
    row: sqlite3.Row | None = db.execute("SELECT * FROM artifacts WHERE id = ?", (row_id(kind, identifier),)).fetchone()
    if row is None:
        raise RequestError(f"unknown artifact id {identifier!r}", 404)
    return row


def by_client_id(db: sqlite3.Connection, client_id: str) -> sqlite3.Row | None:
    """Return the artifact to which a client gave this id, or None."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM artifacts WHERE client_id = ?", (client_id,)).fetchone()
    return row


def find(db: sqlite3.Connection, project_id: int, name: str) -> sqlite3.Row | None:
    """Return the version that "collection:alias" or "collection:v0" names, by default the latest, or None."""
    collection, _, alias = name.partition(":")
    versions = _versions(db, project_id, collection)
    for row in versions:
        if alias in {f"v{row['version']}", *json.loads(row["aliases"])}:
            return row
    return versions[0] if versions and alias in {"", "latest"} else None


def of_run(db: sqlite3.Connection, run_id: int) -> list[sqlite3.Row]:
    """Return the artifacts that a run has logged."""
    return db.execute(
        "SELECT * FROM artifacts WHERE run_id = ? AND state = ? ORDER BY id", (run_id, COMMITTED)
    ).fetchall()


def _versions(db: sqlite3.Connection, project_id: int, collection: str) -> list[sqlite3.Row]:
    """Return the committed versions of a collection, the latest first."""
    return db.execute(
        "SELECT * FROM artifacts WHERE project_id = ? AND collection = ? AND state = ? ORDER BY version DESC",
        (project_id, collection, COMMITTED),
    ).fetchall()
