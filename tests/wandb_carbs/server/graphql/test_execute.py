"""The schema, its and the functions that answer its fields."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLObjectType

from stored import ask
from wandb_carbs.server.graphql import nodes_artifacts, nodes_projects, nodes_runs, nodes_sweeps
from wandb_carbs.server.graphql.execute import schema
from wandb_carbs.server.store.database import Store

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
    assert reply.status == 200  # older SDKs hide the message of a 400
    assert "mutation rewindWorld;" in reply.body["errors"][0]["message"]
    assert ask(store, '{ project(name: "made") { name } }').body == {"data": {"project": None}}
