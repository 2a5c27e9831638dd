"""Fields under the request's budget, with arguments of the right types."""

from __future__ import annotations

from typing import Any

import pytest

from stored import ask, make_run
from wandb_carbs.server.limits import Budget, spending
from wandb_carbs.server.store.database import Store

RUNS = '{ project(name: "p") { runs { edges { node { name config } } } } }'


@pytest.mark.parametrize("what", ["values", "characters"])
def test_reply_ends_with_the_budget(store: Store, what: str) -> None:
    for number in range(5):
        make_run(store, f"r{number}", {"x": "y" * 100})
    budget = Budget()
    with spending(budget):
        assert ask(store, RUNS).status == 200
    spent = getattr(Budget(), what) - getattr(budget, what)
    budget = Budget()
    setattr(budget, what, spent - 1)
    with spending(budget):
        reply = ask(store, RUNS)
    assert reply.status == 413
    assert "ask for fewer" in reply.body["errors"][0]["message"]


def test_schema_describes_itself_within_the_budget(store: Store) -> None:
    budget = Budget()
    budget.values = 500
    with spending(budget):
        assert ask(store, "{ __schema { types { fields { name } } } }").status == 413
    assert ask(store, '{ __type(name: "Run") { fields { name } } }').status == 200


@pytest.mark.parametrize(
    ("declared", "value"),
    [("JSON", 3), ("[Int]", [1]), ("JSON", {"a": 1}), ("Boolean", True)],
)
def test_variable_of_a_wrong_type_is_refused_by_the_arguments_name(store: Store, declared: str, value: Any) -> None:
    query = f"query Q($x: {declared}) {{ project(name: $x) {{ name }} }}"
    reply = ask(store, query, x=value)
    assert reply.status == 400
    assert "argument 'name' must be of type String" in reply.body["errors"][0]["message"]


def test_integer_beyond_32_bits_is_refused_where_they_are_declared(store: Store) -> None:
    make_run(store, "r")
    query = 'query Q($x: Int64) { project(name: "p") { runs(first: $x) { edges { node { name } } } } }'
    assert ask(store, query, x=2**31 - 1).status == 200
    reply = ask(store, query, x=2**63 - 1)
    assert reply.status == 400
    assert "argument 'first' must be of type Int" in reply.body["errors"][0]["message"]


def test_fields_that_are_unknown_are_left_out(store: Store) -> None:
    make_run(store, "r")
    reply = ask(store, '{ project(name: "p") { name nosuch run(name: "r") { name newer { deep } } } nosuch }')
    assert reply.body == {"data": {"project": {"name": "p", "run": {"name": "r"}}}}


def test_error_of_a_list_is_said_a_few_times_only(store: Store) -> None:
    for number in range(30):
        make_run(store, f"r{number}")
    query = (
        'query Q($s: [JSONString!]!) { project(name: "p") { runs { edges { node { sampledHistory(specs: $s) } } } } }'
    )
    reply = ask(store, query, s=["x" * 5000])
    assert reply.status == 400
    assert 1 <= len(reply.body["errors"]) <= 20
    assert all(len(error["message"]) <= 1000 for error in reply.body["errors"])
