"""The schema, its and the functions that answer its fields."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from graphql import GraphQLObjectType

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.graphql import nodes_artifacts, nodes_projects, nodes_runs, nodes_sweeps
from wandb_carbs.server.graphql.execute import Reply, execute, prepare, schema
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.files import RunFiles

if TYPE_CHECKING:
    pass

ROW_TYPES = ("Project", "Run", "Sweep", "Agent", "Artifact", "ArtifactSequence", "ArtifactCollectionMembership")


def fields(kind: str) -> dict[str, Any]:
    found = schema().type_map[kind]
    assert isinstance(found, GraphQLObjectType)
    return dict(found.fields)


@pytest.mark.parametrize("kind", ["Query", "Mutation", *ROW_TYPES])
def test_every_field_is_answered(kind: str) -> None:
    assert [name for name, field in fields(kind).items() if field.resolve is None] == []


def test_no_field_is_answered_twice() -> None:
    answered = [
        (kind, name)
        for nodes in (nodes_artifacts, nodes_projects, nodes_runs, nodes_sweeps)
        for kind, own in nodes.FIELDS.items()
        for name in own
    ]
    assert len(answered) == len(set(answered))


def ask(store: Store, query: str, **variables: Any) -> Any:
    files = RunFiles(store, Path("unused"), lambda: "secret")
    try:
        request = prepare({"query": query, "variables": variables})
    except RequestError as error:
        return Reply(error.status, {"errors": [{"message": str(error)}]})
    return execute(store, files, "http://here", request)


@pytest.mark.parametrize(
    "query",
    [
        'mutation { rewindWorld(input: {id: "x"}) { success } }',
        'mutation { upsertModel(input: {name: "made"}) { inserted } other: rewindWorld { success } }',
        "mutation A { ...F } fragment F on Mutation { ... { rewindWorld { success } } }",
        "mutation A($input: RewindWorldInput!) { result: rewindWorld(input: $input) { success } }",
    ],
)
def test_unknown_mutation_is_an_error_that_names_it(store: Store, query: str) -> None:
    reply = ask(store, query, input={})
    assert reply.status == 400
    assert "mutation rewindWorld;" in reply.body["errors"][0]["message"]
    assert ask(store, '{ project(name: "made") { name } }').body == {"data": {"project": None}}


def test_versions_of_the_server_are_objects(store: Store) -> None:
    """SDKs up to 0.29 read keys of both before they send media, and raise on null."""
    found = ask(store, "{ serverInfo { cliVersionInfo latestLocalVersionInfo } }").body["data"]["serverInfo"]
    assert found["cliVersionInfo"]["max_cli_version"] == "999.0.0"
    assert found["latestLocalVersionInfo"]["outOfDate"] is False
