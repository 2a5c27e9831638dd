"""The mutations: what clients may change."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.graphql.fields import Context, Node
from wandb_carbs.server.graphql.nodes_artifacts import artifact_file
from wandb_carbs.server.graphql.nodes_runs import run_of
from wandb_carbs.server.store import artifacts, runs
from wandb_carbs.server.store.ids import global_id
from wandb_carbs.server.store.projects import ensure_project, find_project
from wandb_carbs.server.sweeps import agents, stopping, sweeps


def _upsert_bucket(context: Context, values: Node) -> Node:
    run_id, inserted = runs.upsert(context.store, values)
    if values.get("summaryMetrics") is not None:
        with context.store.transaction() as db:
            stopping.judge(db, db.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone())
    return {"bucket": run_of(context, run_id), "inserted": inserted, "serverSettings": {"serverMessages": []}}


def _upsert_model(context: Context, values: Node) -> Node:
    known = find_project(context.db, values.get("entityName"), values.get("name"))
    with context.store.transaction() as db:
        project = ensure_project(db, values.get("entityName"), values.get("name"), context.now)
    return {"project": project, "model": project, "inserted": known is None}


def _upsert_sweep(context: Context, values: Node) -> Node:
    sweep_id, warnings = sweeps.upsert(context.store, values)
    row = context.db.execute("SELECT * FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()
    return {"sweep": row, "configValidationWarnings": warnings}


def _enqueue_sweep_run(context: Context, values: Node) -> Node:
    name = sweeps.enqueue(context.store, values)
    # The scheduler asks for the run by this id, which is its name.
    return {"id": name, "runQueueItemId": name}


def _create_agent(context: Context, values: Node) -> Node:
    identifier = agents.create_agent(context.store, values["sweep"], values.get("host"))
    return {"agent": agents.by_id(context.db, identifier)}


def _agent_heartbeat(context: Context, values: Node) -> Node:
    commands = agents.heartbeat(context.store, values["id"], values.get("runState"))
    return {"agent": agents.by_id(context.db, values["id"]), "commands": json.dumps(commands)}


def _create_run_files(context: Context, values: Node) -> Node:
    run = runs.find(context.db, values.get("entityName"), values.get("projectName"), values["runName"])
    if run is None:
        raise RequestError(f"unknown run {values['runName']!r}", 404)
    targets = [
        {"name": name, "uploadUrl": context.base_url + context.files.address(run["id"], name)}
        for name in values["files"]
    ]
    return {"runID": global_id("Run", run["id"]), "uploadHeaders": [], "files": targets}


def _stop_run(context: Context, values: Node) -> Node:
    runs.stop(context.store, values["id"])
    return {"success": True}


def _delete_run(context: Context, values: Node) -> Node:
    if runs.exists(context.db, values["id"]):  # what is gone already is as the client wants it
        context.files.delete(runs.delete(context.store, values["id"]))
    return {"clientMutationId": values.get("clientMutationId")}


def _create_artifact(context: Context, values: Node) -> Node:
    return _artifact(context, global_id("Artifact", artifacts.create(context.store, values)))


def _artifact(context: Context, identifier: str) -> Node:
    return {"artifact": artifacts.by_id(context.db, identifier)}


def _create_artifact_manifest(context: Context, values: Node) -> Node:
    if values.get("type") == "PATCH":
        # Each writer's part would replace the others'.
        raise RequestError("this local server takes no artifact from several writers (distributed_id)")
    return {"artifactManifest": artifacts.by_id(context.db, values["artifactID"])}


def _update_artifact_manifest(context: Context, values: Node) -> Node:
    return {"artifactManifest": artifacts.by_id(context.db, values["artifactManifestID"], "ArtifactManifest")}


def _create_artifact_files(context: Context, values: Node) -> Node:
    specs = values["artifactFiles"]
    rows = {spec["artifactID"]: artifacts.by_id(context.db, spec["artifactID"]) for spec in specs}
    edges = [{"node": artifact_file(rows[spec["artifactID"]], context, spec["name"])} for spec in specs]
    return {"files": {"edges": edges}}


def _commit_artifact(context: Context, values: Node) -> Node:
    return _artifact(context, global_id("Artifact", artifacts.commit(context.store, values["artifactID"])))


MUTATIONS: Mapping[str, Callable[[Context, Node], Node]] = {
    "upsertBucket": _upsert_bucket,
    "upsertModel": _upsert_model,
    "upsertSweep": _upsert_sweep,
    "enqueueSweepRun": _enqueue_sweep_run,
    "createAgent": _create_agent,
    "agentHeartbeat": _agent_heartbeat,
    "createRunFiles": _create_run_files,
    "stopRun": _stop_run,
    "deleteRun": _delete_run,
    "createArtifact": _create_artifact,
    "createArtifactManifest": _create_artifact_manifest,
    "updateArtifactManifest": _update_artifact_manifest,
    "createArtifactFiles": _create_artifact_files,
    "commitArtifact": _commit_artifact,
    "useArtifact": lambda context, values: _artifact(context, values["artifactID"]),
}
