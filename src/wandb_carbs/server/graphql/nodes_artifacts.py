"""Artifacts, their collections, manifests and files.

A collection and a membership have no rows of their own: each is shown by the row of one of its artifacts.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.graphql.fields import (
    Context,
    Field,
    Fields,
    Node,
    column,
    connection,
    constant,
    identifier,
    moment,
    project_of,
)
from wandb_carbs.server.store import artifacts
from wandb_carbs.server.store.ids import global_id

if TYPE_CHECKING:
    import sqlite3


def _itself(row: sqlite3.Row, _context: Context) -> sqlite3.Row:
    return row


def _all_files(row: sqlite3.Row, context: Context) -> list[Node]:
    prefix = artifacts.file_name(row["id"], "")
    found = context.files.nodes(context.db, row["run_id"], context.base_url)
    return [{**file, "name": file["name"].removeprefix(prefix)} for file in found if file["name"].startswith(prefix)]


def _files(
    row: sqlite3.Row,
    context: Context,
    names: list[str] | None = None,
    first: int | None = None,
    after: str | None = None,
) -> Node:
    return connection([f for f in _all_files(row, context) if not names or f["name"] in names], first, after)


def _files_of_entries(
    row: sqlite3.Row,
    context: Context,
    entries: list[Node] | None = None,
    first: int | None = None,
    after: str | None = None,
    **_: Any,
) -> Node:
    return _files(row, context, [entry["name"] for entry in entries or ()], first, after)


def _aliases(row: sqlite3.Row, _context: Context) -> list[Node]:
    return [
        {"id": f"{row['id']}/{alias}", "alias": alias, "artifactCollection": row}
        for alias in json.loads(row["aliases"])
    ]


def _membership(row: sqlite3.Row, context: Context, aliasName: str) -> sqlite3.Row | None:
    return artifacts.find(context.db, row["project_id"], f"{row['collection']}:{aliasName}")


def artifact_file(row: sqlite3.Row, context: Context, name: str) -> Node:
    """Return a file of an artifact, with the address at which it is put."""
    return _artifact_file(row, context, artifacts.file_name(row["id"], name))


def _artifact_file(row: sqlite3.Row, context: Context, name: str) -> Node:
    address = context.base_url + context.files.address(row["run_id"], name)
    return {
        "id": f"{row['run_id']}/{name}",
        "name": name,
        "directUrl": address,
        "uploadUrl": address,
        "uploadHeaders": [],
        "artifact": row,
    }


def _by_client_id(_root: Any, context: Context, clientID: str) -> Node | None:
    row = artifacts.by_client_id(context.db, clientID)
    return None if row is None else {"serverID": global_id("Artifact", row["id"])}


def type_of_collection(_row: Any, _info: Any, _kind: Any) -> str:
    """Return the type of a collection: there is one only."""
    return "ArtifactSequence"


INTERFACES = ("ArtifactCollection",)

_COLLECTION: dict[str, Field] = {
    "id": lambda row, _context: f"{row['project_id']}/{row['collection']}",
    "name": column("collection"),
    "project": project_of,
    "artifactMembership": _membership,
    "latestArtifact": lambda row, context: artifacts.find(context.db, row["project_id"], row["collection"]),
}

FIELDS: Fields = {
    "Query": {
        "artifact": lambda _root, context, id: artifacts.by_id(context.db, id),  # noqa: A006 - the schema's name
        "clientIDMapping": _by_client_id,
    },
    "Artifact": {
        "id": identifier("Artifact"),
        "artifactSequence": _itself,
        "versionIndex": column("version"),
        "artifactType": lambda row, _context: {"name": row["type"]},
        "description": column("description"),
        "metadata": column("metadata"),
        "ttlDurationSeconds": constant(-1),  # for ever
        "ttlIsInherited": constant(False),
        "tags": constant([]),
        "historyStep": column("history_step"),
        "state": column("state"),
        "size": lambda row, context: sum(file["sizeBytes"] for file in _all_files(row, context)),
        "digest": column("digest"),
        "digestAlgorithm": constant("MANIFEST_MD5"),
        "commitHash": constant(""),
        "fileCount": lambda row, context: len(_all_files(row, context)),
        "createdAt": moment("created_at"),
        "updatedAt": moment("updated_at"),
        "aliases": _aliases,
        "currentManifest": _itself,
        "files": _files,
        "filesByManifestEntries": _files_of_entries,
    },
    "ArtifactSequence": {**_COLLECTION, "digestAlgorithm": constant("MANIFEST_MD5")},
    "ArtifactCollectionMembership": {
        "id": identifier("Membership"),
        "versionIndex": column("version"),
        "createdAt": moment("created_at"),
        "aliases": _aliases,
        "artifactCollection": _itself,
        "artifact": _itself,
        "files": _files,
    },
    "ArtifactManifest": {
        "id": identifier("ArtifactManifest"),
        "file": lambda row, context: _artifact_file(row, context, artifacts.manifest_name(row["id"])),
    },
}
