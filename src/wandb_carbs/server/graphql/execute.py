"""Execution of GraphQL requests."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLSchema, build_schema, execute_sync

from wandb_carbs.server.errors import RequestError, UnsupportedError, outage, shortened
from wandb_carbs.server.graphql import nodes_artifacts, nodes_missing, nodes_projects, nodes_runs, nodes_sweeps
from wandb_carbs.server.graphql.documents import mutation_names, parse_query
from wandb_carbs.server.graphql.fields import Context
from wandb_carbs.server.graphql.mutations import MUTATIONS
from wandb_carbs.server.graphql.resolve import StopExecution, answer, change, counted, value_of_key
from wandb_carbs.server.limits import Budget, current_budget
from wandb_carbs.server.store import run_states

if TYPE_CHECKING:
    from graphql import DocumentNode, ExecutionResult

    from wandb_carbs.server.store.database import Store
    from wandb_carbs.server.store.files import RunFiles

_LOG = logging.getLogger(__name__)
# A wrong field of a list has an error for each item.
_MAX_ERRORS = 20
_MAX_ERROR_LENGTH = 1000
_INTROSPECTION = re.compile(r"__schema\b|__type\b")


@dataclass(frozen=True)
class Reply:
    """The answer to a request: the HTTP status and the JSON body."""

    status: int
    body: dict[str, Any]


@functools.cache
def schema() -> GraphQLSchema:
    """Return the schema, with the functions that answer its fields."""
    built = build_schema(resources.files(__package__).joinpath("schema.graphql").read_text(encoding="utf-8"))
    for name, kind in (("JSONString", str), ("Int64", int)):
        scalar = built.type_map[name]
        # The name of this attribute differs between the releases of graphql-core.
        for attribute in ("parse_value", "coerce_input_value"):
            setattr(scalar, attribute, functools.partial(_checked_scalar, name, kind))
    types: Mapping[str, Any] = built.type_map
    for nodes in (nodes_projects, nodes_runs, nodes_sweeps, nodes_artifacts, nodes_missing):
        for kind_name, fields in nodes.FIELDS.items():
            for name, function in fields.items():
                types[kind_name].fields[name].resolve = functools.partial(answer, function)
    for name, mutation in MUTATIONS.items():
        types["Mutation"].fields[name].resolve = functools.partial(change, mutation)
    for name in nodes_artifacts.INTERFACES:
        types[name].resolve_type = nodes_artifacts.type_of_collection
    return built


def _checked_scalar(name: str, kind: type, value: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, int) and abs(value) >= 2**63):
        raise GraphQLError(f"{name} cannot be {shortened(repr(value), _MAX_ERROR_LENGTH)}")
    return value


@dataclass(frozen=True)
class Prepared:
    """A request that is well-formed and not too large.

    Attributes:
        document: The parsed query.
        variables: Its variables.
        operation: The operation's name, or None for the only one.
        is_mutation: Whether it may write.
        is_introspection: Whether it asks for the schema's description of itself.
    """

    document: DocumentNode
    variables: dict[str, Any]
    operation: str | None
    is_mutation: bool
    is_introspection: bool


def prepare(body: Any) -> Prepared:
    """Check and parse a GraphQL request.

    Args:
        body: The request's JSON.

    Raises:
        RequestError: It is malformed or too large.
        UnsupportedError: It asks for an unknown mutation.
    """
    query, variables, operation = _checked(body)
    document = parse_query(query)
    mutations = set(mutation_names(document))
    unknown = sorted(mutations - MUTATIONS.keys())
    if unknown:
        # Left out as an unknown field is, it would look to the client as if it were done.
        raise UnsupportedError(
            f"this local server does not know the mutation {', '.join(unknown)}; nothing was changed"
        )
    return Prepared(document, variables, operation, bool(mutations), bool(_INTROSPECTION.search(query)))


def execute(store: Store, files: RunFiles, base_url: str, request: Prepared, writer: str | None = None) -> Reply:
    """Execute a GraphQL request.

    Args:
        store: The storage.
        files: The runs' files.
        base_url: The address at which the client has reached the server.
        request: The request.
        writer: The process that speaks, where several write one run.

    Raises:
        RequestError: The request is too expensive, or its client has gone.
    """
    run_states.expire(store)
    try:
        with store.reading() as db:
            # No validation: an SDK newer than this schema gets its reply without the fields that are unknown here.
            result = execute_sync(
                schema(),
                request.document,
                context_value=Context(store, files, base_url, db, store.now(), current_budget() or Budget(), writer),
                variable_values=request.variables,
                operation_name=request.operation,
                field_resolver=value_of_key,
                middleware=[counted] if request.is_introspection else None,
            )
    except StopExecution as stop:
        raise stop.reason from None
    except RecursionError:
        raise RequestError("the query is nested too deeply") from None
    return _reply(result)


def _checked(body: Any) -> tuple[str, dict[str, Any], str | None]:
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise RequestError("a GraphQL request is a JSON object with a 'query'")
    variables, operation = body.get("variables") or {}, body.get("operationName")
    if not isinstance(variables, dict) or not (operation is None or isinstance(operation, str)):
        raise RequestError("GraphQL: 'variables' must be an object and 'operationName' a string")
    # The SDK sends an empty name for none.
    return body["query"], variables, operation or None


def _reply(result: ExecutionResult) -> Reply:
    body: dict[str, Any] = {"data": result.data}
    status = 200
    for error in (result.errors or ())[:_MAX_ERRORS]:
        cause = error.original_error
        refusal = cause if isinstance(cause, RequestError) else outage(cause)
        message = shortened(error.message, _MAX_ERROR_LENGTH)
        if refusal is not None:
            status, message = refusal.status, str(refusal)
        elif cause is not None and not isinstance(cause, GraphQLError):
            _LOG.error("cannot answer %s", error.path, exc_info=cause)
            message = "internal error of the local W&B server; its log says more"
        body.setdefault("errors", []).append({"message": message, "path": error.path})
    if result.errors and result.errors[0].path is None:  # it did not come to execution
        status = 400
    return Reply(status, body)
