"""Execution of GraphQL requests."""

from __future__ import annotations

import functools
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    build_schema,
    execute_sync,
    parse,
)

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.graphql import nodes_artifacts, nodes_projects, nodes_runs, nodes_sweeps
from wandb_carbs.server.graphql.fields import Context
from wandb_carbs.server.graphql.mutations import MUTATIONS
from wandb_carbs.server.store import run_states

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
def schema() -> GraphQLSchema:
    """Return the schema, with the functions that answer its fields."""
    built = build_schema(resources.files(__package__).joinpath("schema.graphql").read_text(encoding="utf-8"))
    for name, kind in (("JSONString", str), ("Int64", int)):
        scalar = built.type_map[name]
        # The name of this attribute differs between the releases of graphql-core.
        for attribute in ("parse_value", "coerce_input_value"):
            setattr(scalar, attribute, functools.partial(_checked_scalar, name, kind))
    types: Mapping[str, Any] = built.type_map
    for nodes in (nodes_projects, nodes_runs, nodes_sweeps, nodes_artifacts):
        for kind_name, fields in nodes.FIELDS.items():
            for name, answer in fields.items():
                types[kind_name].fields[name].resolve = functools.partial(_answer, answer)
    for name, change in MUTATIONS.items():
        types["Mutation"].fields[name].resolve = functools.partial(_change, change)
    for name in nodes_artifacts.INTERFACES:
        types[name].resolve_type = nodes_artifacts.type_of_collection
    return built


def _answer(field: Any, source: Any, info: Any, **arguments: Any) -> Any:
    return field(source, info.context, **arguments)


def _change(mutation: Any, _root: Any, info: Any, input: Any) -> Any:  # noqa: A002 - the schema's name
    return mutation(info.context, input)


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
    unknown = sorted(set(_mutations(document)) - MUTATIONS.keys())
    if unknown:
        # Left out as an unknown field is, it would look to the client as if it were done.
        return _failure(400, f"this local server does not know the mutation {', '.join(unknown)}; nothing was changed")
    run_states.expire(store)
    with store.reading() as db:
        # No validation: an SDK newer than this schema gets its reply without the fields that are unknown here.
        result = execute_sync(
            schema(),
            document,
            context_value=Context(store, files, base_url, db, store.now()),
            variable_values=variables,
            operation_name=operation,
        )
    return _reply(result)


def _mutations(document: DocumentNode) -> Iterator[str]:
    """Yield the names of all mutations that a document asks for."""
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
    seen: set[str] = set()

    def names(selected: SelectionSetNode) -> Iterator[str]:
        for part in selected.selections:
            if isinstance(part, FieldNode):
                yield part.name.value
            elif isinstance(part, InlineFragmentNode):
                yield from names(part.selection_set)
            elif isinstance(part, FragmentSpreadNode) and part.name.value not in seen:
                seen.add(part.name.value)
                if part.name.value in fragments:
                    yield from names(fragments[part.name.value].selection_set)

    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode) and operation.operation is OperationType.MUTATION:
            yield from (name for name in names(operation.selection_set) if name != "__typename")


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
            message = "internal error of the local W&B server; its log says more"
        body.setdefault("errors", []).append({"message": message, "path": error.path})
    if result.errors and result.errors[0].path is None:  # it did not come to execution
        status = 400
    return Reply(status, body)
