"""Deletion of artifacts, and of runs that have some.

A file of a deleted version stays as long as another version has inherited it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.artifact_versions import COMMITTED, DELETED, LATEST, PENDING, by_id, file_name
from wandb_carbs.server.store.artifacts import keeper

if TYPE_CHECKING:
    import sqlite3

    from wandb_carbs.server.store.database import Store
    from wandb_carbs.server.store.files import RunFiles

# A deleted version, and other deleted ones whose files it has inherited.
_TO_FREE = """
SELECT id, run_id FROM artifacts
WHERE state = :deleted AND (id = :id OR id IN (SELECT birth_id FROM artifact_births WHERE artifact_id = :id))
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
    births = db.execute(_TO_FREE, {"id": artifact_id, "deleted": DELETED}).fetchall()
    db.execute("DELETE FROM artifact_births WHERE artifact_id = ?", (artifact_id,))
    db.execute("DELETE FROM entries WHERE artifact_id = ? AND birth_id != ?", (artifact_id, artifact_id))
    gone = [(birth["run_id"], name) for birth in births for name in _freed(db, birth["run_id"], birth["id"])]
    db.executemany("DELETE FROM files WHERE run_id = ? AND name = ?", gone)
    return gone


def _freed(db: sqlite3.Connection, run_id: int, artifact_id: int) -> list[str]:
    """Return the names of a deleted version's files that no version has inherited, and forget their entries.

    The other entries stay: they say where the bytes are of a file that was renamed since.
    """
    entries = db.execute("SELECT path, digest FROM entries WHERE artifact_id = ?", (artifact_id,)).fetchall()
    # The newest heir comes first: it has mostly inherited all that any has.
    heirs = db.execute(
        "SELECT artifact_id FROM artifact_births WHERE birth_id = ? ORDER BY artifact_id DESC", (artifact_id,)
    ).fetchall()
    if heirs and not entries:
        return []  # the entries of such an old version were never stored, so nobody knows which files it needs
    unused = {entry["digest"] for entry in entries}
    for heir in heirs:
        if not unused:
            break
        query = "SELECT digest FROM entries WHERE artifact_id = ? AND birth_id = ?"
        unused.difference_update(row["digest"] for row in db.execute(query, (heir["artifact_id"], artifact_id)))
    kept = {file_name(artifact_id, entry["path"]) for entry in entries if entry["digest"] not in unused}
    forgotten = [(artifact_id, entry["path"]) for entry in entries if entry["digest"] in unused]
    db.executemany("DELETE FROM entries WHERE artifact_id = ? AND path = ?", forgotten)
    return [name for name in _files(db, run_id, artifact_id) if name not in kept]


def _files(db: sqlite3.Connection, run_id: int, artifact_id: int) -> list[str]:
    """Return the names of a run's files that are an artifact's: its manifest and its entries."""
    ends = (f"artifact/{artifact_id}/", f"artifact/{artifact_id}0")  # 0 follows the slash
    rows = db.execute("SELECT name FROM files WHERE run_id = ? AND name > ? AND name < ?", (run_id, *ends))
    return [row["name"] for row in rows]


def keep(store: Store, files: RunFiles, run_id: int) -> None:
    """Keep the artifacts of a run that is about to be deleted, with their files.

    They are given to a run that nobody sees, in a project whose name no client can give. Should the server be killed
    meanwhile, the next call goes on.
    """
    # Deleted ones as well: later versions may have inherited files of theirs.
    kept_ones = "SELECT id FROM artifacts WHERE run_id = ? AND state != ?"
    with store.transaction() as db:
        if db.execute(kept_ones, (run_id, PENDING)).fetchone() is None:
            return
        # It stays even if what follows is undone: the bytes that are with it by then are found there.
        kept = keeper(db, store.now())
    with store.transaction() as db:
        rows = db.execute(kept_ones, (run_id, PENDING)).fetchall()
        names = [(kept, run_id, name) for row in rows for name in _files(db, run_id, row["id"])]
        db.executemany("UPDATE artifacts SET run_id = ? WHERE id = ?", [(kept, row["id"]) for row in rows])
        db.executemany("UPDATE files SET run_id = ? WHERE run_id = ? AND name = ?", names)
        for _, _, name in names:
            files.move(run_id, kept, name)
