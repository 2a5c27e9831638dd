"""Reading artifacts: versions by their ids, names and aliases, and the runs that have to do with them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.store.ids import row_by_id
from wandb_carbs.server.store.queries import SELECT_RUNS

if TYPE_CHECKING:
    import sqlite3

PENDING, COMMITTED, DELETED = "PENDING", "COMMITTED", "DELETED"
LATEST = "latest"
HAS_ALIASES = "aliases != '[]'"
_OF_COLLECTION = "FROM artifacts WHERE project_id = ? AND collection = ? AND state = ?"
_VERSION = re.compile("v[0-9]{1,17}", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """One entry of a manifest.

    Attributes:
        path: Its path in the artifact.
        digest: Base64 of its hash.
        size: Bytes; 0 where the manifest does not say.
        reference: Where it is if it is not on this server, or None.
        birth_id: Row id of the artifact whose files hold its bytes.
    """

    path: str
    digest: str
    size: int
    reference: str | None
    birth_id: int


def manifest_name(artifact_id: int) -> str:
    """Return the name of the run's file that holds an artifact's manifest."""
    return f"artifact/{artifact_id}/wandb_manifest.json"


def file_name(artifact_id: int, name: str) -> str:
    """Return the name of the run's file that holds an artifact's file."""
    return f"artifact/{artifact_id}/files/{name}"


def by_id(db: sqlite3.Connection, identifier: str, kind: str = "Artifact") -> sqlite3.Row:
    """Return the artifact that an opaque id, its own or that of its manifest, stands for.

    Raises:
        RequestError: There is none (404).
    """
    return row_by_id(db, "artifacts", kind, identifier)


def by_client_id(db: sqlite3.Connection, client_id: str) -> sqlite3.Row | None:
    """Return the artifact to which a client gave this id, or None."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM artifacts WHERE client_id = ?", (client_id,)).fetchone()
    return row


def find(db: sqlite3.Connection, project_id: int, name: str) -> sqlite3.Row | None:
    """Return the version that "collection:alias" or "collection:v0" names, by default the latest, or None."""
    collection, _, alias = name.partition(":")
    number = int(alias[1:]) if _VERSION.fullmatch(alias) else None
    for row in versions(db, project_id, collection, f"version IS ? OR {HAS_ALIASES}", number):
        if (alias or LATEST) in {f"v{row['version']}", *json.loads(row["aliases"])}:
            return row
    return newest(db, project_id, collection) if alias in {"", LATEST} else None


def of_run(db: sqlite3.Connection, run_id: int) -> list[sqlite3.Row]:
    """Return the artifacts that a run has logged, also those that another run had logged before."""
    return db.execute(
        """SELECT * FROM artifacts WHERE state = ? AND (
               run_id = ? OR id IN (SELECT artifact_id FROM artifact_outputs WHERE run_id = ?)
           ) ORDER BY id""",
        (COMMITTED, run_id, run_id),
    ).fetchall()


def used_by_run(db: sqlite3.Connection, run_id: int) -> list[sqlite3.Row]:
    """Return the artifacts that a run has used."""
    return db.execute(
        """SELECT artifacts.* FROM artifacts JOIN artifact_uses ON artifacts.id = artifact_id
           WHERE artifact_uses.run_id = ? AND state != ? ORDER BY artifacts.id""",
        (run_id, DELETED),
    ).fetchall()


def users(db: sqlite3.Connection, artifact_id: int) -> list[sqlite3.Row]:
    """Return the runs that have used an artifact, each with its `sweep_name`."""
    own = "runs.id IN (SELECT run_id FROM artifact_uses WHERE artifact_id = ?)"
    query = f"{SELECT_RUNS} WHERE {own} ORDER BY runs.id"
    return db.execute(query, (artifact_id,)).fetchall()


def versions(
    db: sqlite3.Connection, project_id: int, collection: str, condition: str = "1", *values: Any
) -> list[sqlite3.Row]:
    """Return the committed versions of a collection, the latest first.

    Args:
        db: The database.
        project_id: Row id of the project.
        collection: Name of the collection.
        condition: What else must hold, as SQL: there may be thousands of versions.
        values: Values for the condition's question marks.
    """
    query = f"SELECT * {_OF_COLLECTION} AND ({condition}) ORDER BY version DESC"
    return db.execute(query, (project_id, collection, COMMITTED, *values)).fetchall()


def newest(db: sqlite3.Connection, project_id: int, collection: str) -> sqlite3.Row | None:
    """Return the newest committed version of a collection, or None."""
    query = f"SELECT * {_OF_COLLECTION} ORDER BY version DESC LIMIT 1"
    row: sqlite3.Row | None = db.execute(query, (project_id, collection, COMMITTED)).fetchone()
    return row
