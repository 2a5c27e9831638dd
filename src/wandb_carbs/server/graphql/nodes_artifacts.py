"""Artifacts, their collections, manifests and files.

A membership, the place of a version in its collection, is shown by the row of the version.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.graphql import fields
from wandb_carbs.server.graphql.fields import Context, Fields, Node, connection
from wandb_carbs.server.graphql.nodes_runs import run_of
from wandb_carbs.server.store import artifact_versions, artifacts, collections, manifests
from wandb_carbs.server.store.database import timestamp
from wandb_carbs.server.store.ids import global_id
from wandb_carbs.server.store.json_objects import json_object

if TYPE_CHECKING:
    import sqlite3

INTERFACES = ("ArtifactCollection",)
# For how long an artifact without a limit is kept: for ever.
_NO_TTL = -1


def type_of_collection(_row: Any, _info: Any, _kind: Any) -> str:
    """Return the type of a collection: there is one only."""
    return "ArtifactSequence"


def artifact_file(row: sqlite3.Row, context: Context, name: str) -> Node:
    """Return a file of an artifact, with the address at which it is put.

    SDKs up to 0.19 find it by its display name: the name that they gave.
    """
    return {**_artifact_file(row, context, artifact_versions.file_name(row["id"], name)), "displayName": name}


def _artifact_file(row: sqlite3.Row, context: Context, name: str) -> Node:
    return {
        "id": f"{row['run_id']}/{name}",
        "name": name,
        "directUrl": context.base_url + context.files.address(row["run_id"], name),
        "uploadUrl": context.base_url + context.files.upload_address(row["run_id"], name),
        "uploadHeaders": [],
        "artifact": row,
    }


def _itself(row: sqlite3.Row, _context: Context) -> sqlite3.Row:
    return row


def _files(
    row: sqlite3.Row,
    context: Context,
    names: list[str] | None = None,
    first: int | None = None,
    after: str | None = None,
) -> Node:
    found = manifests.entries_of(context.db, row["id"])
    if names:
        wanted = set(names)
        found = [entry for entry in found if entry.path in wanted]
    return connection(
        found,
        first,
        after,
        lambda entry: manifests.node(context.db, context.files, row, entry, context.base_url),
    )


def _files_of_entries(
    row: sqlite3.Row,
    context: Context,
    entries: list[Node] | None = None,
    first: int | None = None,
    after: str | None = None,
    **_: Any,
) -> Node:
    return _files(row, context, [entry["name"] for entry in entries or ()], first, after)


def _aliases(row: sqlite3.Row, context: Context) -> list[Node]:
    collection = _collection_of(row, context)
    return [
        {"id": f"{row['id']}/{alias}", "alias": alias, "artifactCollection": collection}
        for alias in json.loads(row["aliases"])
    ]


def _tags(row: sqlite3.Row, _context: Context) -> list[Node]:
    return [{"id": f"tag/{tag}", "name": tag} for tag in json.loads(row["tags"])]


def _collection_of(row: sqlite3.Row, context: Context) -> sqlite3.Row | None:
    return collections.find(context.db, row["project_id"], row["collection"])


def _by_client_id(_root: Any, context: Context, clientID: str) -> Node | None:
    row = artifact_versions.by_client_id(context.db, clientID)
    return None if row is None else {"serverID": global_id("Artifact", row["id"])}


def _versions(
    row: sqlite3.Row,
    context: Context,
    first: int | None = None,
    after: str | None = None,
    order: str | None = None,
    filters: str | None = None,
) -> Node:
    found = [r for r in artifact_versions.versions(context.db, row["project_id"], row["name"]) if _matches(r, filters)]
    page = connection(found[::-1] if order and not order.startswith("-") else found, first, after)
    for edge in page["edges"]:
        edge["version"] = f"v{edge['node']['version']}"
    return page


def _matches(row: sqlite3.Row, filters: str | None) -> bool:
    """Tell whether a version has a state and tags.

    Raises:
        RequestError: The filter asks for something else.
    """
    tree = json_object("filters", filters) if filters else {}
    for key, value in [*tree.items(), *(item for part in _parts(tree) for item in part.items())]:
        if key == "$and":
            continue
        if key == "state":
            if row["state"] != value:
                return False
        elif key in {"tags", "tag"}:
            wanted = value.get("$in") if isinstance(value, dict) else [value]
            if not any(tag in json.loads(row["tags"]) for tag in (wanted if isinstance(wanted, list) else ())):
                return False
        else:
            raise RequestError(f"artifacts of this local server are filtered by state and tags, not by {key!r}")
    return True


def _parts(tree: Node) -> list[Node]:
    parts = tree.get("$and", [])
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise RequestError("filters: $and must be a list of objects")
    return parts


def _membership(row: sqlite3.Row, context: Context, aliasName: str) -> sqlite3.Row | None:
    return artifact_versions.find(context.db, row["project_id"], f"{row['name']}:{aliasName}")


def _aliases_of_all(row: sqlite3.Row, context: Context, first: int | None = None, after: str | None = None) -> Node:
    place = row["project_id"], row["name"]
    versions = artifact_versions.versions(context.db, *place, artifact_versions.HAS_ALIASES)
    return connection([alias for version in versions for alias in _aliases(version, context)], first, after)


def _type_collection(row: sqlite3.Row, context: Context, name: str) -> sqlite3.Row | None:
    found = collections.find(context.db, row["project_id"], name)
    return found if found is not None and found["type"] == row["type"] else None


def _creator(row: sqlite3.Row, context: Context) -> sqlite3.Row | None:
    """Return the run that has logged an artifact, or None once it is deleted."""
    run = run_of(context, row["run_id"])
    return None if run is None or run["name"] == artifacts.HIDDEN[1] else run


def _collections(
    row: sqlite3.Row, context: Context, first: int | None = None, after: str | None = None, **query: Any
) -> Node:
    if query.get("filters") and json_object("filters", query["filters"]):
        raise RequestError("collections of artifacts on this local server cannot be filtered")
    project_id, kind = (row["project_id"], row["type"]) if "type" in row.keys() else (row["id"], None)  # noqa: SIM118
    return connection(collections.of_project(context.db, project_id, kind), first, after)


def _artifact_type(row: sqlite3.Row, context: Context, name: str) -> sqlite3.Row | None:
    return next((kind for kind in collections.types(context.db, row["id"]) if kind["type"] == name), None)


FIELDS: Fields = {
    "Query": {
        "artifact": lambda _root, context, id: artifact_versions.by_id(context.db, id),  # noqa: A006 - the schema's name
        "artifactCollection": lambda _root, context, id: collections.by_id(context.db, id),  # noqa: A006
        "clientIDMapping": _by_client_id,
    },
    "Project": {
        "artifact": lambda row, context, name: artifact_versions.find(context.db, row["id"], name),
        "artifactCollection": lambda row, context, name: collections.find(context.db, row["id"], name),
        "artifactCollectionMembership": lambda row, context, name: artifact_versions.find(context.db, row["id"], name),
        "artifactCollections": _collections,
        "artifactType": _artifact_type,
        "artifactTypes": lambda row, context, first=None, after=None: connection(
            collections.types(context.db, row["id"]), first, after
        ),
    },
    "Run": {
        "outputArtifacts": lambda row, context, first=None, after=None: connection(
            artifact_versions.of_run(context.db, row["id"]), first, after
        ),
        "inputArtifacts": lambda row, context, first=None, after=None: connection(
            artifact_versions.used_by_run(context.db, row["id"]), first, after
        ),
    },
    "Artifact": {
        **fields.identifier("Artifact"),
        **fields.columns(
            "description",
            "metadata",
            "state",
            "digest",
            versionIndex="version",
            historyStep="history_step",
            digestAlgorithm="digest_algorithm",
        ),
        **fields.moments(createdAt="created_at", updatedAt="updated_at"),
        **fields.constants(ttlIsInherited=False, commitHash=""),
        "artifactSequence": _collection_of,
        "artifactMemberships": lambda row, _context: connection([row]),
        "artifactType": lambda row, _context: {"name": row["type"]},
        "ttlDurationSeconds": lambda row, _context: _NO_TTL if row["ttl"] is None else row["ttl"],
        "tags": _tags,
        "size": lambda row, context: fields.count(
            context, "SELECT coalesce(sum(size), 0) FROM entries WHERE artifact_id = ?", row["id"]
        ),
        "fileCount": lambda row, context: fields.count(
            context, "SELECT count(*) FROM entries WHERE artifact_id = ?", row["id"]
        ),
        "aliases": _aliases,
        "currentManifest": _itself,
        "files": _files,
        "filesByManifestEntries": _files_of_entries,
        "createdBy": _creator,
        "usedBy": lambda row, context, **page: connection(artifact_versions.users(context.db, row["id"]), **page),
    },
    "ArtifactSequence": {
        **fields.identifier("ArtifactCollection"),
        **fields.columns("name", "description"),
        **fields.moments(createdAt="created_at", updatedAt="updated_at"),
        **fields.constants(state="READY", digestAlgorithm="MANIFEST_MD5"),
        "project": fields.project_of,
        "defaultArtifactType": lambda row, _context: {"name": row["type"]},
        "tags": lambda row, context: connection(_tags(row, context)),
        "aliases": _aliases_of_all,
        "artifacts": _versions,
        "artifactMembership": _membership,
        "latestArtifact": lambda row, context: artifact_versions.find(context.db, row["project_id"], row["name"]),
    },
    "ArtifactCollectionMembership": {
        **fields.identifier("Membership"),
        **fields.columns(versionIndex="version"),
        **fields.moments(createdAt="created_at"),
        "aliases": _aliases,
        "artifactCollection": _collection_of,
        "artifact": _itself,
        "files": _files,
    },
    "ArtifactType": {
        **fields.constants(description=None),
        "id": lambda row, _context: f"type/{row['name'] if isinstance(row, dict) else row['type']}",
        "name": lambda row, _context: row["name"] if isinstance(row, dict) else row["type"],
        "createdAt": lambda row, _context: None if isinstance(row, dict) else timestamp(row["created_at"]),
        "artifactCollection": _type_collection,
        "artifactCollections": _collections,
    },
    "ArtifactManifest": {
        **fields.identifier("ArtifactManifest"),
        "file": lambda row, context: _artifact_file(row, context, artifact_versions.manifest_name(row["id"])),
    },
}
