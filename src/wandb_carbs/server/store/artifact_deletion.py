"""Deletion of artifacts, and of runs that have some.

The files of a deleted version stay as long as another version has inherited one of them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.artifact_versions import COMMITTED, DELETED, LATEST, PENDING, by_id
from wandb_carbs.server.store.artifacts import keeper

if TYPE_CHECKING:
    import sqlite3

    from wandb_carbs.server.store.database import Store
    from wandb_carbs.server.store.files import RunFiles

# Deleted versions among one and those that it has inherited files from, of which no other version needs a file.
_FREED = """
SELECT id, run_id FROM artifacts
WHERE state = :deleted AND (id = :id OR id IN (SELECT birth_id FROM entries WHERE artifact_id = :id))
AND id NOT IN (
    SELECT birth_id FROM entries JOIN artifacts AS heirs ON heirs.id = artifact_id WHERE heirs.state != :deleted
)
"""


def delete(store: Store, identifier: str, *, with_aliases: bool) -> list[tuple[int, str]]:
    """Delete a version; its number is not given again.

    Args:
        store: The storage.
        identifier: The artifact's opaque id.
        with_aliases: Delete it even if aliases point to it.

    Returns:
        Run and name of each file that no version needs any more.

    Raises:
        RequestError: The artifact is unknown (404), or has aliases.
    """
    with store.transaction() as db:
        row = by_id(db, identifier)
        aliases = [alias for alias in json.loads(row["aliases"]) if alias != LATEST]
        if aliases and not with_aliases:
            raise RequestError(f"the artifact has the aliases {', '.join(aliases)}: pass delete_aliases=True", 409)
        return _delete(db, row["id"])


def delete_of_run(store: Store, run_id: int) -> list[tuple[int, str]]:
    """Delete all versions that a run has logged, and return run and name of each file that no version needs any more.

    `keep` is to follow before the run itself is deleted: other runs' versions may need the rest.
    """
    with store.transaction() as db:
        rows = db.execute("SELECT id FROM artifacts WHERE run_id = ? AND state = ?", (run_id, COMMITTED)).fetchall()
        return [file for row in rows for file in _delete(db, row["id"])]


def _delete(db: sqlite3.Connection, artifact_id: int) -> list[tuple[int, str]]:
    db.execute("UPDATE artifacts SET state = ?, aliases = '[]' WHERE id = ?", (DELETED, artifact_id))
    gone: list[tuple[int, str]] = []
    for freed in db.execute(_FREED, {"id": artifact_id, "deleted": DELETED}).fetchall():
        # Until then its entries say where the bytes are that others have inherited.
        db.execute("DELETE FROM entries WHERE artifact_id = ?", (freed["id"],))
        gone += [(freed["run_id"], name) for name in _files(db, freed["run_id"], freed["id"])]
    db.executemany("DELETE FROM files WHERE run_id = ? AND name = ?", gone)
    return gone


def _files(db: sqlite3.Connection, run_id: int, artifact_id: int) -> list[str]:
    """Return the names of a run's files that are an artifact's: its manifest and its entries."""
    ends = (f"artifact/{artifact_id}/", f"artifact/{artifact_id}0")  # 0 follows the slash
    rows = db.execute("SELECT name FROM files WHERE run_id = ? AND name > ? AND name < ?", (run_id, *ends))
    return [row["name"] for row in rows]


def keep(store: Store, files: RunFiles, run_id: int) -> None:
    """Keep the artifacts of a run that is about to be deleted, with their files.

    They are given to a run that nobody sees, in a project whose name no client can give.
    """
    with store.transaction() as db:
        # Deleted ones as well: later versions may have inherited files of theirs.
        rows = db.execute("SELECT id FROM artifacts WHERE run_id = ? AND state != ?", (run_id, PENDING)).fetchall()
        if not rows:
            return
        kept = keeper(db, store.now())
        names = [(kept, run_id, name) for row in rows for name in _files(db, run_id, row["id"])]
        db.executemany("UPDATE artifacts SET run_id = ? WHERE id = ?", [(kept, row["id"]) for row in rows])
        db.executemany("UPDATE files SET run_id = ? WHERE run_id = ? AND name = ?", names)
        for _, _, name in names:
            files.move(run_id, kept, name)
