"""The mutations of artifacts and their collections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.graphql.fields import Context, Node
from wandb_carbs.server.graphql.nodes_artifacts import artifact_file
from wandb_carbs.server.store import artifact_deletion, artifact_versions, artifacts, collections, manifests
from wandb_carbs.server.store.ids import global_id
from wandb_carbs.server.store.projects import find_project

if TYPE_CHECKING:
    import sqlite3


def _create_artifact(context: Context, values: Node) -> Node:
    return _artifact(context, global_id("Artifact", artifacts.create(context.store, values)))


def _artifact(context: Context, identifier: str) -> Node:
    return {"artifact": artifact_versions.by_id(context.db, identifier)}


def _create_artifact_manifest(context: Context, values: Node) -> Node:
    if values.get("type") == "PATCH":
        # Each writer's part would replace the others'.
        raise RequestError("this local server takes no artifact from several writers (distributed_id)")
    if values.get("type") == "INCREMENTAL":
        artifacts.set_base(context.store, values["artifactID"], values.get("baseArtifactID"))
    return {"artifactManifest": artifact_versions.by_id(context.db, values["artifactID"])}


def _update_artifact_manifest(context: Context, values: Node) -> Node:
    return {"artifactManifest": artifact_versions.by_id(context.db, values["artifactManifestID"], "ArtifactManifest")}


def _create_artifact_files(context: Context, values: Node) -> Node:
    specs = values["artifactFiles"]
    rows = {spec["artifactID"]: artifact_versions.by_id(context.db, spec["artifactID"]) for spec in specs}
    edges = [{"node": artifact_file(rows[spec["artifactID"]], context, spec["name"])} for spec in specs]
    return {"files": {"edges": edges}}


def _commit_artifact(context: Context, values: Node) -> Node:
    row = artifact_versions.by_id(context.db, values["artifactID"])
    if row["state"] != artifact_versions.COMMITTED:
        artifacts.commit(context.store, values["artifactID"], manifests.complete(context.db, context.files, row))
    return _artifact(context, values["artifactID"])


def _use_artifact(context: Context, values: Node) -> Node:
    artifacts.use(context.store, values)
    return _artifact(context, values["artifactID"])


def _update_artifact(context: Context, values: Node) -> Node:
    artifacts.update(context.store, values)
    return _artifact(context, values["artifactID"])


def _delete_artifact(context: Context, values: Node) -> Node:
    gone = artifact_deletion.delete(context.store, values["artifactID"], with_aliases=bool(values.get("deleteAliases")))
    context.files.unlink(gone)
    return _artifact(context, values["artifactID"])


def _add_aliases(context: Context, values: Node) -> Node:
    with context.store.transaction() as db:
        row = artifact_versions.by_id(db, values["artifactID"])
        artifacts.give_aliases(db, row, _own_aliases(row, values))
    return {"success": True}


def _delete_aliases(context: Context, values: Node) -> Node:
    with context.store.transaction() as db:
        row = artifact_versions.by_id(db, values["artifactID"])
        artifacts.take_aliases(db, row, _own_aliases(row, values))
    return {"success": True}


def _own_aliases(row: sqlite3.Row, values: Node) -> list[str]:
    """Return the aliases that a mutation names.

    Raises:
        RequestError: One is in another collection than the artifact's own.
    """
    foreign = {alias["artifactCollectionName"] for alias in values["aliases"]} - {row["collection"]}
    if foreign:
        raise RequestError(f"this local server does not link artifacts to other collections: {', '.join(foreign)}")
    return [alias["alias"] for alias in values["aliases"]]


def _update_collection(context: Context, values: Node) -> Node:
    collections.update(context.store, values)
    return {"artifactCollection": collections.by_id(context.db, values["artifactSequenceID"])}


def _move_collection(context: Context, values: Node) -> Node:
    collections.change_type(context.store, values["artifactSequenceID"], values["destinationArtifactTypeName"])
    return {"artifactCollection": collections.by_id(context.db, values["artifactSequenceID"])}


def _delete_collection(context: Context, values: Node) -> Node:
    with context.store.transaction() as db:
        row = collections.by_id(db, values["artifactSequenceID"])
        gone = []
        for version in artifact_versions.versions(db, row["project_id"], row["name"]):
            gone += artifact_deletion.delete(context.store, global_id("Artifact", version["id"]), with_aliases=True)
        collections.delete(db, row["id"])
    context.files.unlink(gone)
    return {"artifactCollection": row}


def _tag_collection(context: Context, values: Node) -> Node:
    tags = collections.tag(context.store, _project_id(context, values), **_collection_tags(values, "add"))
    return {"tags": [{"id": f"tag/{tag}", "name": tag} for tag in tags]}


def _untag_collection(context: Context, values: Node) -> Node:
    collections.tag(context.store, _project_id(context, values), **_collection_tags(values, "remove"))
    return {"success": True}


def _collection_tags(values: Node, how: str) -> dict[str, Any]:
    return {"name": values["artifactCollectionName"], how: [tag["tagName"] for tag in values["tags"]]}


def _project_id(context: Context, values: Node) -> int:
    project = find_project(context.db, values.get("entityName"), values.get("projectName"))
    if project is None:
        raise RequestError(f"unknown project {values.get('projectName')!r}", 404)
    return int(project["id"])


ARTIFACT_MUTATIONS: Mapping[str, Callable[[Context, Node], Node]] = {
    "createArtifact": _create_artifact,
    "createArtifactManifest": _create_artifact_manifest,
    "updateArtifactManifest": _update_artifact_manifest,
    "createArtifactFiles": _create_artifact_files,
    "commitArtifact": _commit_artifact,
    "useArtifact": _use_artifact,
    "updateArtifact": _update_artifact,
    "deleteArtifact": _delete_artifact,
    "addAliases": _add_aliases,
    "deleteAliases": _delete_aliases,
    "updateArtifactSequence": _update_collection,
    "moveArtifactSequence": _move_collection,
    "deleteArtifactSequence": _delete_collection,
    "createArtifactCollectionTagAssignments": _tag_collection,
    "deleteArtifactCollectionTagAssignments": _untag_collection,
}
