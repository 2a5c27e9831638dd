"""Entities and projects."""

from __future__ import annotations

from stored import ask, make_run, make_sweep
from wandb_carbs.server.store import artifacts
from wandb_carbs.server.store.database import Store


def test_project_counts_and_finds_its_own(store: Store) -> None:
    make_run(store, "r", state="finished")
    make_run(store, "other", modelName="q")
    sweep = make_sweep(store)["name"]
    query = """query Q($s: String!) { project(name: "p") { name entityName runCount totalSweeps
        matching: runCount(filters: "{\\"state\\": \\"running\\"}") run(name: "r") { name }
        none: run(name: "other") { name } bucket(name: "r", missingOk: true) { name }
        sweep(sweepName: $s) { name } sweeps { edges { node { name } } } } }"""
    assert ask(store, query, s=sweep).body["data"]["project"] == {
        "name": "p",
        "entityName": "local",
        "runCount": 1,
        "totalSweeps": 1,
        "matching": 0,
        "run": {"name": "r"},
        "none": None,
        "bucket": {"name": "r"},
        "sweep": {"name": sweep},
        "sweeps": {"edges": [{"node": {"name": sweep}}]},
    }


def test_every_name_is_an_entity(store: Store) -> None:
    reply = ask(store, '{ entity(name: "team") { name organization } mine: entity { name } }')
    assert reply.body["data"] == {"entity": {"name": "team", "organization": None}, "mine": {"name": "local"}}


def test_projects_are_listed_without_the_hidden_one(store: Store) -> None:
    """Artifacts that no run has logged are kept in a project that nobody sees."""
    for name, owner in (("p", "local"), ("q", "local"), ("z", "team")):
        make_run(store, "r", modelName=name, entityName=owner)
    artifacts.create(store, {"projectName": "p", "artifactCollectionName": "used"})
    query = "query Q($e: String) { models(entityName: $e) { edges { node { name } } } }"
    listed: dict[str | None, list[str]] = {None: ["p", "q", "z"], "local": ["p", "q"], "/": []}
    for entity, names in listed.items():
        edges = ask(store, query, e=entity).body["data"]["models"]["edges"]
        assert [edge["node"]["name"] for edge in edges] == names


def test_missing_project_is_null(store: Store) -> None:
    assert ask(store, '{ project(name: "nosuch") { runs { edges { cursor } } } }').body == {"data": {"project": None}}
