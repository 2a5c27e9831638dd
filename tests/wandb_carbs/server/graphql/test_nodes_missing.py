"""Products of W&B that this server does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stored import ask, make_run

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store

EMPTY = {"edges": [], "pageInfo": {"endCursor": None, "hasNextPage": False}}
CONNECTION = "{ edges { node { id } } pageInfo { endCursor hasNextPage } }"


def test_lists_of_what_is_not_there_are_empty(store: Store) -> None:
    """The SDK raises an error of its own, which names nothing, if such a list is left out."""
    make_run(store, "r")
    query = f"""{{
        entity(name: "e") {{ integrations(first: 9) {{ ... on IntegrationConnection {CONNECTION} }}
            triggers(filters: "{{}}") {CONNECTION} projects {{ edges {{ node {{ name triggers {{ id }} }} }} }} }}
        viewer {{ projects(first: 9) {{ edges {{ node {{ name triggers {{ id }} }} }} }} }}
        project(name: "p") {{ allViews(viewType: "runs", viewName: "") {CONNECTION} runQueues {{ id }} }}
        organization(name: "o") {{ id }}
    }}"""
    reply = ask(store, query)
    assert "errors" not in reply.body
    assert reply.body["data"] == {
        "entity": {"integrations": EMPTY, "triggers": EMPTY, "projects": {"edges": []}},
        "viewer": {"projects": {"edges": [{"node": {"name": "p", "triggers": []}}]}},
        "project": {"allViews": EMPTY, "runQueues": []},
        "organization": None,
    }


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ('{ entity(name: "local") { id isPaid members { name } } }', "no teams and no members"),
        ('{ project(name: "p") { runQueue(name: "q") { id } } }', "no run queues"),
        ('{ entity(name: "local") { defaultResourceConfig(id: "1") { id } } }', "no run queues"),
        ("mutation { createTeam(input: {}) { entity { id } } }", "createTeam; nothing was changed"),
    ],
)
def test_refusal_is_a_sentence_with_the_status_of_an_answer(store: Store, query: str, words: str) -> None:
    """SDKs up to 0.26 show the message of a 200 only."""
    make_run(store, "r")
    reply = ask(store, query)
    assert reply.status == 200
    (error,) = reply.body["errors"]
    assert error["message"].startswith("this local server ")
    assert words in error["message"]


@pytest.mark.parametrize(("asked", "names"), [("local", ["local"]), ("OCA", ["local"]), ("x@y.z", []), ("", ["local"])])
def test_the_one_user_is_found(store: Store, asked: str, names: list[str]) -> None:
    query = "query Q($q: String) { users(query: $q) { edges { node { username admin } } } }"
    found = ask(store, query, q=asked).body["data"]["users"]["edges"]
    assert [edge["node"]["username"] for edge in found] == names
