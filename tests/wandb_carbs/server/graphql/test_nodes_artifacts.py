"""The fields of artifacts and their collections."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stored import ask, make_run
from wandb_carbs.server.store import artifacts
from wandb_carbs.server.store.artifact_versions import Entry
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.ids import global_id


@pytest.fixture(autouse=True)
def _versions(store: Store) -> None:
    """Make three versions of `model`: the first has the alias `best`, the second the tag `good`."""
    make_run(store, "r")
    for number in range(3):
        values: dict[str, Any] = {"projectName": "p", "runName": "r", "artifactCollectionName": "model"}
        values |= {"artifactTypeName": "model", "clientID": f"c{number}", "metadata": json.dumps({"n": number})}
        values |= {"aliases": [{"alias": "best"}] * (number == 0), "tags": [{"tagName": "good"}] * (number == 1)}
        artifact_id = artifacts.create(store, values)
        artifacts.commit(store, global_id("Artifact", artifact_id), [Entry("a", "x", number, "https://a", artifact_id)])


def collection(store: Store, selected: str) -> Any:
    reply = ask(store, f'{{ project(name: "p") {{ artifactCollection(name: "model") {{ {selected} }} }} }}')
    assert "errors" not in reply.body, reply.body
    return reply.body["data"]["project"]["artifactCollection"]


@pytest.mark.parametrize(
    ("filters", "versions"),
    [
        ({}, ["v2", "v1", "v0"]),
        ({"state": "COMMITTED"}, ["v2", "v1", "v0"]),
        ({"state": "PENDING"}, []),
        ({"tags": "good"}, ["v1"]),
        ({"$and": [{"state": "COMMITTED"}, {"tags": {"$in": ["good", "x"]}}]}, ["v1"]),
        ({"tags": {"$in": []}}, []),
        ({"tags": {"$in": 3}}, []),
        ({"tags": {"$in": [{"a": 1}]}}, []),
        ({"state": {"a": 1}}, []),
    ],
)
def test_versions_are_filtered_by_state_and_tags(store: Store, filters: Any, versions: list[str]) -> None:
    query = """query Q($f: JSONString) { project(name: "p") { artifactCollection(name: "model") {
        artifacts(filters: $f) { edges { version node { versionIndex } } } } } }"""
    edges = ask(store, query, f=json.dumps(filters)).body["data"]["project"]["artifactCollection"]["artifacts"]["edges"]
    assert [edge["version"] for edge in edges] == versions


@pytest.mark.parametrize("filters", ["[]", "3", "{", '{"$and": {}}', '{"$and": [1]}', '{"nosuch": 1}'])
def test_malformed_filter_of_versions_is_refused(store: Store, filters: str) -> None:
    query = """query Q($f: JSONString) { project(name: "p") { artifactCollection(name: "model") {
        artifacts(filters: $f) { edges { version } } } } }"""
    reply = ask(store, query, f=filters)
    assert reply.status == 400
    assert "internal error" not in reply.body["errors"][0]["message"]


def test_collection_knows_its_versions_and_aliases(store: Store) -> None:
    found = collection(
        store,
        """name state aliases { edges { node { alias } } } latestArtifact { versionIndex }
        artifactMembership(aliasName: "best") { versionIndex artifact { metadata } }
        artifacts(first: 2, order: "+created_at") { edges { version } pageInfo { hasNextPage } }""",
    )
    assert found["name"] == "model"
    assert [edge["node"]["alias"] for edge in found["aliases"]["edges"]] == ["best"]
    assert found["latestArtifact"] == {"versionIndex": 2}
    assert found["artifactMembership"] == {"versionIndex": 0, "artifact": {"metadata": '{"n": 0}'}}
    assert [edge["version"] for edge in found["artifacts"]["edges"]] == ["v0", "v1"]
    assert found["artifacts"]["pageInfo"]["hasNextPage"] is True


def test_artifact_is_found_by_the_id_that_its_client_gave(store: Store) -> None:
    query = '{ clientIDMapping(clientID: "c1") { serverID } none: clientIDMapping(clientID: "x") { serverID } }'
    found = ask(store, query).body["data"]
    assert found["none"] is None
    one = ask(
        store,
        "query Q($i: ID!) { artifact(id: $i) { metadata tags { name } createdBy { __typename } } }",
        i=found["clientIDMapping"]["serverID"],
    )
    assert one.body["data"]["artifact"]["metadata"] == '{"n": 1}'
    assert one.body["data"]["artifact"]["tags"] == [{"name": "good"}]


def test_run_lists_what_it_has_logged_in_pages(store: Store) -> None:
    query = """{ project(name: "p") { run(name: "r") { outputArtifacts(first: 2) {
        totalCount edges { node { versionIndex } } pageInfo { hasNextPage } } inputArtifacts { totalCount } } } }"""
    found = ask(store, query).body["data"]["project"]["run"]
    assert found["outputArtifacts"]["totalCount"] == 3
    assert len(found["outputArtifacts"]["edges"]) == 2
    assert found["inputArtifacts"]["totalCount"] == 0
