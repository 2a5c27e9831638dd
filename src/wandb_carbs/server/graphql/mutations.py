"""The mutations: what clients may change."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.graphql.fields import Context, Node
from wandb_carbs.server.graphql.mutations_artifacts import ARTIFACT_MUTATIONS
from wandb_carbs.server.graphql.nodes_runs import run_of
from wandb_carbs.server.store import alerts, artifact_deletion, branches, runs
from wandb_carbs.server.store.ids import global_id, row_id
from wandb_carbs.server.store.projects import ensure_project, find_project
from wandb_carbs.server.sweeps import agents, deletion, stopping, sweeps


def _upsert_bucket(context: Context, values: Node) -> Node:
    with context.store.transaction() as db:
        run_id, inserted = runs.upsert(context.store, values, context.writer)
        if inserted:
            branches.fork(db, run_id)
    run = run_of(context, run_id)
    if run is not None and values.get("summaryMetrics") is not None:
        stopping.judge(context.store, run)
    return {"bucket": run, "inserted": inserted, "serverSettings": {"serverMessages": []}}


def _upsert_model(context: Context, values: Node) -> Node:
    known = find_project(context.db, values.get("entityName"), values.get("name"))
    with context.store.transaction() as db:
        project = ensure_project(db, values.get("entityName"), values.get("name"), context.now)
    return {"project": project, "model": project, "inserted": known is None}


def _upsert_sweep(context: Context, values: Node) -> Node:
    sweep_id, warnings = sweeps.upsert(context.store, values)
    row = context.db.execute("SELECT * FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()
    return {"sweep": row, "configValidationWarnings": warnings}


def _delete_sweep(context: Context, values: Node) -> Node:
    deletion.delete(context.store, context.files, values["id"])
    return {"success": True}


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
        {"name": name, "uploadUrl": context.base_url + context.files.upload_address(run["id"], name)}
        for name in values["files"]
    ]
    return {"runID": global_id("Run", run["id"]), "uploadHeaders": [], "files": targets}


def _stop_run(context: Context, values: Node) -> Node:
    runs.stop(context.store, values["id"])
    return {"success": True}


def _delete_run(context: Context, values: Node) -> Node:
    if runs.exists(context.db, values["id"]):  # what is gone already is as the client wants it
        run_id = row_id("Run", values["id"])
        if values.get("deleteArtifacts"):
            context.files.unlink(artifact_deletion.delete_of_run(context.store, run_id))
        artifact_deletion.keep(context.store, context.files, run_id)
        context.files.delete(runs.delete(context.store, values["id"]))
    return {"clientMutationId": values.get("clientMutationId")}


def _rewind_run(context: Context, values: Node) -> Node:
    return {"rewoundRun": run_of(context, branches.rewind(context.store, values))}


def _delete_files(context: Context, values: Node) -> Node:
    context.files.delete_some(values["files"])
    return {"success": True}


def _notify(context: Context, values: Node) -> Node:
    alerts.add(context.store, values)
    return {"success": True}


def _update_run_state(context: Context, values: Node) -> Node:
    runs.set_state(context.store, values["id"], values["state"])
    return {"success": True}


MUTATIONS: Mapping[str, Callable[[Context, Node], Node]] = {
    "upsertBucket": _upsert_bucket,
    "upsertModel": _upsert_model,
    "upsertSweep": _upsert_sweep,
    "deleteSweep": _delete_sweep,
    "enqueueSweepRun": _enqueue_sweep_run,
    "createAgent": _create_agent,
    "agentHeartbeat": _agent_heartbeat,
    "createRunFiles": _create_run_files,
    "stopRun": _stop_run,
    "deleteRun": _delete_run,
    "rewindRun": _rewind_run,
    "deleteFiles": _delete_files,
    "notifyScriptableRunAlert": _notify,
    "updateRunState": _update_run_state,
    **ARTIFACT_MUTATIONS,
}
