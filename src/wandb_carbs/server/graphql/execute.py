"""Execution of GraphQL requests."""

from __future__ import annotations

import functools
import json
import logging
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLSchema, build_schema, execute_sync, parse

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.graphql.nodes import USER, Node, Nodes
from wandb_carbs.server.graphql.sdl import SDL
from wandb_carbs.server.store import artifacts, run_states, runs
from wandb_carbs.server.store.ids import global_id
from wandb_carbs.server.store.projects import ensure_project, find_project
from wandb_carbs.server.sweeps import agents, sweeps

if TYPE_CHECKING:
    from graphql import ExecutionResult

    from wandb_carbs.server.store.database import Store
    from wandb_carbs.server.store.files import RunFiles

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reply:
    """What a request is answered with: the HTTP status and the JSON body."""

    status: int
    body: dict[str, Any]


@functools.cache
def _schema() -> GraphQLSchema:
    schema = build_schema(SDL)
    for name, kind in (("JSONString", str), ("Int64", int)):
        scalar = schema.type_map[name]
        # The name of this attribute differs between the releases of graphql-core.
        for attribute in ("parse_value", "coerce_input_value"):
            setattr(scalar, attribute, functools.partial(_checked_scalar, name, kind))
    return schema


def _checked_scalar(name: str, kind: type, value: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, int) and abs(value) >= 2**63):
        raise GraphQLError(f"{name} cannot be {value!r}")
    return value


@functools.lru_cache(maxsize=256)
def _parse(query: str) -> Any:
    return parse(query)


def execute(store: Store, files: RunFiles, base_url: str, body: Any) -> Reply:
    """Execute a GraphQL request.

    Args:
        store: The storage.
        files: The runs' files.
        base_url: The address at which the client has reached the server.
        body: The request's JSON.
    """
    try:
        query, variables, operation = _checked(body)
        document = _parse(query)
    except RequestError as error:
        return _failure(error.status, str(error))
    except (GraphQLError, RecursionError) as error:
        return _failure(400, str(error))
    run_states.expire(store)
    with store.reading() as db:
        # No validation: an SDK newer than this schema gets its reply without the fields that are unknown here.
        result = execute_sync(
            _schema(),
            document,
            root_value=_Root(store, files, base_url, db).fields(),
            variable_values=variables,
            operation_name=operation,
        )
    return _reply(result)


def _checked(body: Any) -> tuple[str, dict[str, Any], str | None]:
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise RequestError("a GraphQL request is a JSON object with a 'query'")
    variables, operation = body.get("variables") or {}, body.get("operationName")
    if not isinstance(variables, dict) or not (operation is None or isinstance(operation, str)):
        raise RequestError("GraphQL: 'variables' must be an object and 'operationName' a string")
    # The SDK sends an empty name for none.
    return body["query"], variables, operation or None


def _failure(status: int, message: str) -> Reply:
    return Reply(status, {"data": None, "errors": [{"message": message}]})


def _reply(result: ExecutionResult) -> Reply:
    body: dict[str, Any] = {"data": result.data}
    status = 200
    for error in result.errors or ():
        cause = error.original_error
        message = error.message
        if isinstance(cause, RequestError):
            status = cause.status
        elif isinstance(cause, sqlite3.OperationalError):
            status, message = 503, f"the server's database is not available: {cause}"  # clients retry
        elif cause is not None and not isinstance(cause, GraphQLError):
            _LOG.error("cannot answer %s", error.path, exc_info=cause)
            message = "internal error of the local W&B server; its log tells more"
        body.setdefault("errors", []).append({"message": message, "path": error.path})
    if result.errors and result.errors[0].path is None:  # it did not come to execution
        status = 400
    return Reply(status, body)


class _Root:
    """The root fields of one request."""

    def __init__(self, store: Store, files: RunFiles, base_url: str, db: sqlite3.Connection) -> None:
        self._store = store
        self._files = files
        self._base_url = base_url
        self._db = db
        self._nodes = Nodes(db, files, base_url, store.now())

    def fields(self) -> Node:
        """Return all root fields of queries and mutations."""
        return {
            "viewer": USER,
            "serverInfo": {"features": [], "cliVersionInfo": None, "latestLocalVersionInfo": None},
            "entity": lambda _info, name=None: self._nodes.entity(name),
            "project": self._project,
            "model": self._project,
            "models": self._models,
            "upsertBucket": self._upsert_bucket,
            "upsertModel": self._upsert_model,
            "upsertSweep": self._upsert_sweep,
            "createAgent": self._create_agent,
            "agentHeartbeat": self._agent_heartbeat,
            "createRunFiles": self._create_run_files,
            "stopRun": self._stop_run,
            "deleteRun": self._delete_run,
            "artifact": lambda _info, id: self._nodes.artifact(artifacts.by_id(self._db, id)),  # noqa: A006
            "clientIDMapping": self._client_id_mapping,
            "createArtifact": self._create_artifact,
            "createArtifactManifest": self._create_artifact_manifest,
            "updateArtifactManifest": self._update_artifact_manifest,
            "createArtifactFiles": self._create_artifact_files,
            "commitArtifact": self._commit_artifact,
            "useArtifact": lambda _info, input: self._artifact_payload(input["artifactID"]),  # noqa: A006
        }

    def _project(self, _info: Any, name: str | None = None, entityName: str | None = None) -> Node | None:
        return self._nodes.project(find_project(self._db, entityName, name))

    def _models(
        self, _info: Any, entityName: str | None = None, first: int | None = None, after: str | None = None, **_: Any
    ) -> Node:
        rows = self._db.execute(
            "SELECT * FROM projects WHERE entity = coalesce(?, entity) ORDER BY id", (entityName,)
        ).fetchall()
        return self._nodes.connection(rows, self._nodes.project, first, after)

    def _run(self, run_id: int) -> Node | None:
        return self._nodes.run(
            self._db.execute(
                """SELECT runs.*, sweeps.name AS sweep_name FROM runs LEFT JOIN sweeps ON sweeps.id = runs.sweep_id
                   WHERE runs.id = ?""",
                (run_id,),
            ).fetchone()
        )

    def _upsert_bucket(self, _info: Any, input: Node) -> Node:  # noqa: A002 - the schema's name
        run_id, inserted = runs.upsert(self._store, input)
        return {"bucket": self._run(run_id), "inserted": inserted, "serverSettings": {"serverMessages": []}}

    def _upsert_model(self, _info: Any, input: Node) -> Node:  # noqa: A002
        known = find_project(self._db, input.get("entityName"), input.get("name"))
        with self._store.transaction() as db:
            row = ensure_project(db, input.get("entityName"), input.get("name"), self._store.now())
        project = self._nodes.project(row)
        return {"project": project, "model": project, "inserted": known is None}

    def _upsert_sweep(self, _info: Any, input: Node) -> Node:  # noqa: A002
        sweep_id, warnings = sweeps.upsert(self._store, input)
        row = self._db.execute("SELECT * FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()
        return {"sweep": self._nodes.sweep(row), "configValidationWarnings": warnings}

    def _create_agent(self, _info: Any, input: Node) -> Node:  # noqa: A002
        return {"agent": {"id": agents.create_agent(self._store, input["sweep"], input.get("host"))}}

    def _agent_heartbeat(self, _info: Any, input: Node) -> Node:  # noqa: A002
        commands = agents.heartbeat(self._store, input["id"], input.get("runState"))
        return {"agent": {"id": input["id"]}, "commands": json.dumps(commands)}

    def _create_run_files(self, _info: Any, input: Node) -> Node:  # noqa: A002
        run = runs.find(self._db, input.get("entityName"), input.get("projectName"), input["runName"])
        if run is None:
            raise RequestError(f"unknown run {input['runName']!r}", 404)
        targets = [
            {"name": name, "uploadUrl": self._base_url + self._files.address(run["id"], name)}
            for name in input["files"]
        ]
        return {"runID": global_id("Run", run["id"]), "uploadHeaders": [], "files": targets}

    def _stop_run(self, _info: Any, input: Node) -> Node:  # noqa: A002
        runs.stop(self._store, input["id"])
        return {"success": True}

    def _delete_run(self, _info: Any, input: Node) -> Node:  # noqa: A002
        self._files.delete(runs.delete(self._store, input["id"]))
        return {"clientMutationId": input.get("clientMutationId")}

    def _client_id_mapping(self, _info: Any, clientID: str) -> Node | None:
        row = artifacts.by_client_id(self._db, clientID)
        return None if row is None else {"serverID": global_id("Artifact", row["id"])}

    def _artifact_payload(self, identifier: str) -> Node:
        return {"artifact": self._nodes.artifact(artifacts.by_id(self._db, identifier))}

    def _create_artifact(self, _info: Any, input: Node) -> Node:  # noqa: A002
        return self._artifact_payload(global_id("Artifact", artifacts.create(self._store, input)))

    def _create_artifact_manifest(self, _info: Any, input: Node) -> Node:  # noqa: A002
        if input.get("type") == "PATCH":
            # Each writer's part would replace the others'.
            raise RequestError("this local server takes no artifact from several writers (distributed_id)")
        return {"artifactManifest": self._nodes.manifest(artifacts.by_id(self._db, input["artifactID"]))}

    def _update_artifact_manifest(self, _info: Any, input: Node) -> Node:  # noqa: A002
        row = artifacts.by_id(self._db, input["artifactManifestID"], "ArtifactManifest")
        return {"artifactManifest": self._nodes.manifest(row)}

    def _create_artifact_files(self, _info: Any, input: Node) -> Node:  # noqa: A002
        specs = input["artifactFiles"]
        rows = {spec["artifactID"]: artifacts.by_id(self._db, spec["artifactID"]) for spec in specs}
        edges = [{"node": self._nodes.artifact_file(rows[spec["artifactID"]], spec["name"])} for spec in specs]
        return {"files": {"edges": edges}}

    def _commit_artifact(self, _info: Any, input: Node) -> Node:  # noqa: A002
        return self._artifact_payload(global_id("Artifact", artifacts.commit(self._store, input["artifactID"])))
