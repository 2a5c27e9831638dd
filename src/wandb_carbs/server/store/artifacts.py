"""Artifacts: versions of named collections, their aliases and tags, and who uses them.

The files of a version are files of the run that logs it, below `artifact/ID/`: they are got as the run's other files
are. A version's manifest names its entries. An entry may be a reference to somewhere else, or be inherited: its bytes
are then those of the older version in which it was born.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import collections, run_states, runs
from wandb_carbs.server.store.artifact_versions import COMMITTED, HAS_ALIASES, PENDING, Entry, by_id, newest, versions
from wandb_carbs.server.store.json_objects import json_object
from wandb_carbs.server.store.projects import ensure_project, find_project

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from wandb_carbs.server.store.database import Store

# Entity and project of the run that has the artifacts of deleted runs and of none; no client can give such names.
HIDDEN = ("/", "/")


def create(store: Store, values: Mapping[str, Any]) -> int:
    """Create an artifact, to be committed once its files have arrived.

    Args:
        store: The storage.
        values: Arguments of the mutation `createArtifact`. The SDK repeats a request whose reply was lost, so a known
            `clientID` stands for the artifact that is there. With `enableDigestDeduplication` so does a known digest:
            a version with the same content takes over the aliases.

    Returns:
        The artifact's row id.

    Raises:
        RequestError: The run is unknown (404), the collection has another type, the metadata are malformed, or a name
            is missing.
    """
    names = values.get("artifactCollectionNames") or [values.get("artifactCollectionName")]
    if not names[0]:
        raise RequestError("an artifact needs a name")
    if values.get("storageRegion") not in {None, "", "default"}:
        raise RequestError(
            f"invalid storageRegion {values['storageRegion']!r}: this server has one place for all files"
        )
    if values.get("metadata") is not None:
        json_object("metadata", values["metadata"])
    aliases = [alias["alias"] for alias in values.get("aliases") or []]
    kind, now = values.get("artifactTypeName") or "unspecified", store.now()
    with store.transaction() as db:
        project_id, run_id = _home(db, values, now)
        known = db.execute("SELECT id FROM artifacts WHERE client_id = ?", (values.get("clientID"),)).fetchone()
        if known is not None:
            return int(known["id"])
        collection = collections.ensure(db, project_id, names[0], kind, now)
        if values.get("enableDigestDeduplication") and values.get("digest"):
            for twin in versions(db, project_id, collection["name"], "digest = ?", values["digest"])[:1]:
                give_aliases(db, twin, aliases)
                db.execute(
                    "INSERT OR IGNORE INTO artifact_outputs (run_id, artifact_id) VALUES (?, ?)", (run_id, twin["id"])
                )
                return int(twin["id"])
        tags = [tag["tagName"] for tag in values.get("tags") or []]
        cursor = db.execute(
            """INSERT INTO artifacts (
                   project_id, run_id, client_id, type, collection, digest, digest_algorithm, state, aliases, tags,
                   description, metadata, history_step, ttl, created_at, updated_at
               ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                project_id,
                run_id,
                values.get("clientID"),
                collection["type"],
                collection["name"],
                values.get("digest") or "",
                values.get("digestAlgorithm") or "MANIFEST_MD5",
                PENDING,
                json.dumps(aliases),
                json.dumps(tags),
                values.get("description"),
                values.get("metadata"),
                values.get("historyStep"),
                values.get("ttlDurationSeconds"),
                now,
                now,
            ),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid


def _home(db: sqlite3.Connection, values: Mapping[str, Any], now: int) -> tuple[int, int]:
    """Return the project of a new artifact, and the run that has its files: the one that logs it, if one does.

    Raises:
        RequestError: The run is unknown (404).
    """
    if not values.get("runName"):  # a run uses what no run has logged
        project = ensure_project(db, values.get("entityName"), values.get("projectName"), now)
        return project["id"], keeper(db, now)
    run = runs.find(db, values.get("entityName"), values.get("projectName"), values["runName"])
    if run is None:
        raise RequestError(f"unknown run {values['runName']!r}", 404)
    return run["project_id"], run["id"]


def keeper(db: sqlite3.Connection, now: int) -> int:
    """Return the run that nobody sees, which has the artifacts without a run of their own."""
    db.execute("INSERT OR IGNORE INTO projects (entity, name, created_at) VALUES (?, ?, ?)", (*HIDDEN, now))
    project = find_project(db, *HIDDEN)
    assert project is not None
    keeper = db.execute("SELECT id FROM runs WHERE project_id = ?", (project["id"],)).fetchone()
    return keeper["id"] if keeper else runs.insert(db, project["id"], HIDDEN[1], now, state=run_states.FINISHED)


def set_base(store: Store, identifier: str, base: str | None) -> None:
    """Note that an artifact's manifest will only say what it adds to another version.

    Args:
        store: The storage.
        identifier: The artifact's opaque id.
        base: The other version's opaque id; by default the newest version of the collection, if there is one.

    Raises:
        RequestError: An artifact is unknown (404).
    """
    with store.transaction() as db:
        row = by_id(db, identifier)
        found = by_id(db, base) if base else newest(db, row["project_id"], row["collection"])
        if found is not None and found["id"] != row["id"]:
            db.execute("UPDATE artifacts SET base_id = ? WHERE id = ?", (found["id"], row["id"]))


def commit(store: Store, identifier: str, entries: Sequence[Entry]) -> None:
    """Make an artifact the newest version of its collection; a second time changes nothing.

    Args:
        store: The storage.
        identifier: The artifact's opaque id.
        entries: The entries of its manifest.

    Raises:
        RequestError: The artifact is unknown (404).
    """
    with store.transaction() as db:
        row = by_id(db, identifier)
        artifact_id: int = row["id"]
        if row["state"] == COMMITTED:
            return
        last = db.execute(
            "SELECT max(version) FROM artifacts WHERE project_id = ? AND collection = ?",
            (row["project_id"], row["collection"]),
        ).fetchone()[0]
        give_aliases(db, row, json.loads(row["aliases"]))
        db.execute(
            "UPDATE artifacts SET state = ?, version = ?, updated_at = ? WHERE id = ?",
            (COMMITTED, 0 if last is None else last + 1, store.now(), artifact_id),
        )
        db.executemany(
            "INSERT OR REPLACE INTO entries (artifact_id, path, digest, size, reference, birth_id) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [(artifact_id, e.path, e.digest, e.size, e.reference, e.birth_id) for e in entries],
        )
        db.executemany(
            "INSERT OR IGNORE INTO artifact_births (birth_id, artifact_id) VALUES (?, ?)",
            [(birth_id, artifact_id) for birth_id in {entry.birth_id for entry in entries} - {artifact_id}],
        )


def give_aliases(db: sqlite3.Connection, row: sqlite3.Row, aliases: Sequence[str]) -> None:
    """Give aliases to a version; the versions that had them lose them."""
    taken = set(aliases)
    for other in versions(db, row["project_id"], row["collection"], HAS_ALIASES):
        held = json.loads(other["aliases"])
        if other["id"] != row["id"] and taken.intersection(held):
            left = [alias for alias in held if alias not in taken]
            db.execute("UPDATE artifacts SET aliases = ? WHERE id = ?", (json.dumps(left), other["id"]))
    own = list(dict.fromkeys([*json.loads(row["aliases"]), *aliases]))
    db.execute("UPDATE artifacts SET aliases = ? WHERE id = ?", (json.dumps(own), row["id"]))


def take_aliases(db: sqlite3.Connection, row: sqlite3.Row, aliases: Sequence[str]) -> None:
    """Take aliases from a version."""
    left = [alias for alias in json.loads(row["aliases"]) if alias not in aliases]
    db.execute("UPDATE artifacts SET aliases = ? WHERE id = ?", (json.dumps(left), row["id"]))


def update(store: Store, values: Mapping[str, Any]) -> None:
    """Change a version's description, metadata, aliases or tags.

    Args:
        store: The storage.
        values: Arguments of the mutation `updateArtifact`; null leaves a thing as it is.

    Raises:
        RequestError: The artifact is unknown (404), or the metadata are malformed.
    """
    if values.get("metadata") is not None:
        json_object("metadata", values["metadata"])
    columns = {"description": "description", "metadata": "metadata", "ttlDurationSeconds": "ttl"}
    with store.transaction() as db:
        row = by_id(db, values["artifactID"])
        for key, column in columns.items():
            if values.get(key) is not None:
                db.execute(f"UPDATE artifacts SET {column} = ? WHERE id = ?", (values[key], row["id"]))  # noqa: S608
        if values.get("aliases") is not None:
            wanted = [alias["alias"] for alias in values["aliases"]]
            take_aliases(db, row, [alias for alias in json.loads(row["aliases"]) if alias not in wanted])
            give_aliases(db, by_id(db, values["artifactID"]), wanted)
        gone = {tag["tagName"] for tag in values.get("tagsToDelete") or []}
        added = [tag["tagName"] for tag in values.get("tagsToAdd") or []]
        tags = [tag for tag in dict.fromkeys([*json.loads(row["tags"]), *added]) if tag not in gone]
        db.execute(
            "UPDATE artifacts SET tags = ?, updated_at = ? WHERE id = ?", (json.dumps(tags), store.now(), row["id"])
        )


def use(store: Store, values: Mapping[str, Any]) -> None:
    """Note that a run uses an artifact.

    Raises:
        RequestError: The artifact or the run is unknown (404).
    """
    with store.transaction() as db:
        row = by_id(db, values["artifactID"])
        run = runs.find(db, values.get("entityName"), values.get("projectName"), values.get("runName") or "")
        if run is None:
            raise RequestError(f"unknown run {values.get('runName')!r}", 404)
        db.execute("INSERT OR IGNORE INTO artifact_uses (run_id, artifact_id) VALUES (?, ?)", (run["id"], row["id"]))
