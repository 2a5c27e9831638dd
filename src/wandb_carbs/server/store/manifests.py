"""Manifests: which entries an artifact has, and where the bytes of each are."""

from __future__ import annotations

import base64
import binascii
import itertools
import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.limits import MAX_MANIFEST, MEBIBYTE
from wandb_carbs.server.store import artifact_versions
from wandb_carbs.server.store.artifact_versions import Entry
from wandb_carbs.server.store.database import timestamp
from wandb_carbs.server.store.ids import global_id, row_id

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from wandb_carbs.server.store.files import RunFiles


def complete(db: sqlite3.Connection, files: RunFiles, artifact: sqlite3.Row) -> list[Entry]:
    """Return the entries of an artifact whose manifest and files have arrived.

    A manifest that only adds to another version's is completed by the entries of that version.

    Raises:
        RequestError: The manifest or a file is missing, or the manifest is malformed.
    """
    manifest = _read(files, artifact)
    entries = {name: _entry(name, value, artifact) for name, value in manifest["contents"].items()}
    missing = [
        name
        for name, entry in entries.items()
        if entry.reference is None and _stored(db, entry, artifact["id"]) is None
    ]
    if missing:
        raise RequestError(f"files of artifact {artifact['collection']!r} have not arrived: {', '.join(missing[:5])}")
    if artifact["base_id"] is None:
        return list(entries.values())
    base = db.execute("SELECT state FROM artifacts WHERE id = ?", (artifact["base_id"],)).fetchone()
    if base["state"] == artifact_versions.DELETED:
        raise RequestError(
            f"the version that this one of artifact {artifact['collection']!r} adds to was deleted; log it whole"
        )
    inherited = {entry.path: entry for entry in entries_of(db, artifact["base_id"]) if entry.path not in entries}
    described = {
        path: {
            "digest": entry.digest,
            "size": entry.size,
            "birthArtifactID": global_id("Artifact", entry.birth_id),
            **({} if entry.reference is None else {"ref": entry.reference}),
        }
        for path, entry in inherited.items()
    }
    manifest["contents"] = {**described, **manifest["contents"]}
    with files.begin() as upload:
        upload.write(json.dumps(manifest).encode())
        files.keep(upload, artifact["run_id"], artifact_versions.manifest_name(artifact["id"]))
    return [*inherited.values(), *entries.values()]


def _read(files: RunFiles, artifact: sqlite3.Row) -> dict[str, Any]:
    name = artifact["collection"]
    path = files.path(artifact["run_id"], artifact_versions.manifest_name(artifact["id"]))
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise RequestError(f"the manifest of artifact {name!r} has not arrived") from None
    if size > MAX_MANIFEST:
        raise RequestError(f"the manifest of artifact {name!r} has more than {MAX_MANIFEST // MEBIBYTE} MB", 413)
    try:
        manifest = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RequestError(f"the manifest of artifact {name!r} is malformed: {error}") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.setdefault("contents", {}), dict):
        raise RequestError(f"the manifest of artifact {name!r} has no contents")
    return manifest


def _entry(name: str, value: Any, artifact: sqlite3.Row) -> Entry:
    digest, size = (value.get("digest"), value.get("size")) if isinstance(value, dict) else (None, None)
    if not isinstance(digest, str):
        raise RequestError(f"the manifest of artifact {artifact['collection']!r} is malformed at {name!r}")
    birth = value.get("birthArtifactID")
    return Entry(
        name,
        digest,
        size if isinstance(size, int) and 0 <= size < 2**63 else 0,
        value.get("ref") if isinstance(value.get("ref"), str) else None,
        row_id("Artifact", birth) if isinstance(birth, str) and birth else artifact["id"],
    )


def _stored(db: sqlite3.Connection, entry: Entry, artifact_id: int) -> sqlite3.Row | None:
    """Return run and name of the file with an entry's bytes, or None.

    An entry may have been renamed since its birth: the version in which it was born knows its digest.
    """
    paths = [entry.path]
    if entry.birth_id != artifact_id:
        own = (entry.birth_id, entry.digest)
        same = "SELECT 1 FROM entries WHERE artifact_id = ? AND digest = ? AND path = ?"
        if db.execute(same, (*own, entry.path)).fetchone() is None:
            born = db.execute("SELECT path FROM entries WHERE artifact_id = ? AND digest = ?", own)
            paths = [*(row["path"] for row in born), entry.path]
    for path in paths:
        found: sqlite3.Row | None = db.execute(
            """SELECT files.* FROM files JOIN artifacts ON artifacts.run_id = files.run_id
               WHERE artifacts.id = ? AND files.name = ?""",
            (entry.birth_id, artifact_versions.file_name(entry.birth_id, path)),
        ).fetchone()
        if found is not None:
            return found
    return None


def entries_of(db: sqlite3.Connection, artifact_id: int) -> list[Entry]:
    """Return the entries of a committed artifact, by path."""
    rows = db.execute("SELECT * FROM entries WHERE artifact_id = ? ORDER BY path", (artifact_id,))
    return [Entry(r["path"], r["digest"], r["size"], r["reference"], r["birth_id"]) for r in rows]


def node(db: sqlite3.Connection, files: RunFiles, artifact: sqlite3.Row, entry: Entry, base_url: str) -> dict[str, Any]:
    """Return an entry of an artifact as a node of GraphQL's type File."""
    file = None if entry.reference is not None else _stored(db, entry, artifact["id"])
    address = entry.reference if file is None else base_url + files.address(file["run_id"], file["name"])
    return {
        "id": f"{artifact['id']}/{entry.path}",
        "name": entry.path,
        "displayName": entry.path,
        "url": address,
        "directUrl": address,
        "sizeBytes": entry.size if file is None else file["size"],
        "storagePath": entry.reference or f"wandb_artifacts/{entry.birth_id}/{entry.path}",
        "mimetype": "",
        "updatedAt": timestamp(artifact["updated_at"]),
        "digest": entry.digest,
        "md5": entry.digest,
    }


def file_at(db: sqlite3.Connection, files: RunFiles, place: str) -> Path | None:
    """Return the file that an address below `/artifactsV2/` means, or None.

    The SDKs put together `REGION/ENTITY[/PROJECT/COLLECTION[/ARTIFACT]]/BIRTH/HASH[/NAME]`, in which BIRTH is the
    opaque id of the artifact in which the file was born, and HASH its digest in hexadecimal.
    """
    parts = place.split("/")
    for birth, digest in itertools.pairwise(parts):
        try:
            entry = Entry("", base64.b64encode(bytes.fromhex(digest)).decode(), 0, None, row_id("Artifact", birth))
        except (ValueError, binascii.Error, RequestError):
            continue
        found = _stored(db, entry, -1)
        if found is not None:
            return files.path(found["run_id"], found["name"])
    return None
