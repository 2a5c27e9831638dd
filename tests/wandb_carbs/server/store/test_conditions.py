"""Filters and orders as SQL say the same as in Python."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filtered import RUNS, Clock, names
from wandb_carbs.server.store import runs
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.filters import Filter
from wandb_carbs.server.store.orders import parse_order, sort_runs
from wandb_carbs.server.store.queries import select_runs

if TYPE_CHECKING:
    from collections.abc import Iterator


KEYS = st.sampled_from(
    ["name", "displayName", "group", "createdAt", "duration", "tags", "sweep", "username"]
    + [f"config.{key}" for key in ("lr", "lr.value", "n.d", "a.b", "a.b.c", "é", "value", "_wandb")]
    + [f"summary_metrics.{key}" for key in ("loss", "carbs.state", "nested.x.y", "list", "odd", "a.b")]
    + ["keys_info.keys.loss", "config..lr", 'config."lr']
)
NUMBERS = [0, 1, 2, -1, 0.1, 0.2, 3.0, 5, 10**30, float("inf"), float("nan")]
TEXTS = ["success", "failure", "low", "", "0.1", "1", "é", "red", "r1", "run-2", "local", "\0", "2027-01-15T08:00:20Z"]
VALUES = st.sampled_from([None, True, False, *NUMBERS, *TEXTS, [], [1], {}, {"d": 5}])
OPERATORS = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$exists"]), VALUES),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(VALUES, max_size=4)),
    st.tuples(st.just("$regex"), st.sampled_from(["^r", "1$", "."])),
)
TESTS = st.recursive(
    st.one_of(VALUES, OPERATORS.map(lambda pair: dict([pair]))),
    lambda inner: inner.map(lambda test: {"$not": test}),
    max_leaves=2,
)
TREES = st.recursive(
    st.dictionaries(KEYS, TESTS, max_size=2),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).flatmap(
            lambda parts: st.sampled_from(["$and", "$or", "$nor"]).map(lambda word: {word: parts})
        ),
        inner.map(lambda part: {"$not": part}),
    ),
    max_leaves=4,
)
ODD: list[dict[str, Any]] = [
    {"config": {"a": {"b": {"c": 1}}, "value": 2}, "summary": {"loss": float("nan"), "odd": 1}, "tags": ["red"]},
    {"config": {"lr": [0.1, "0.1"], "é": "é"}, "summary": {"loss": float("inf"), "odd": None}, "tags": []},
    {"config": {"a.b": {"c": True}}, "summary": {"loss": 10**30, "odd": {}, "a": {"b": 1}, "a.b": "low"}, "tags": []},
    {"config": {"lr": True}, "summary": {"loss": [1, True], "odd": [], "list": [[1]]}, "tags": ["é"]},
    # As `define_metric(summary=…)` has it, with values of which some cannot be compared.
    {"config": {}, "summary": {"loss": {"min": 0.2, "max": 5}, "odd": {"last": "low", "min": 1}}, "tags": []},
    {
        "config": {},
        "summary": {"loss": {"max": 3, "mean": 7}, "odd": {"min": None}, "a": {"b": {"best": 1}}},
        "tags": [],
    },
    {"config": {}, "summary": {"loss": {"last": float("nan"), "min": 1}, "odd": {"min": 0, "x": 1}}, "tags": []},
    {"config": {}, "summary": {"loss": {"min": True}, "odd": {"min": [1]}, "list": {"max": {"min": 1}}}, "tags": []},
]


@pytest.fixture(scope="module")
def odd_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    clock = Clock()
    store = Store(tmp_path_factory.mktemp("odd") / "db", clock)
    for number, run in enumerate([*RUNS, *ODD]):
        clock.time += 10
        config = json.dumps({key: {"value": value} for key, value in run["config"].items()})
        texts = {"config": config, "summaryMetrics": json.dumps(run["summary"])}
        runs.upsert(store, {"name": f"r{number}", "modelName": "p", "tags": run["tags"], **texts})
    yield store
    store.close()


def every_row(store: Store) -> list[Any]:
    with store.reading() as db:
        return list(select_runs(db, 1, None, "+created_at").rows)


@settings(max_examples=400, derandomize=True)
@given(tree=TREES)
def test_sql_and_python_agree_on_filters(odd_store: Store, tree: Any) -> None:
    text = json.dumps(tree)
    condition = Filter.parse(text)
    expected = [row["name"] for row in every_row(odd_store) if condition.matches(row)]
    assert names(odd_store, tree).split() == expected


@settings(max_examples=200, derandomize=True)
@given(
    keys=st.lists(
        st.tuples(KEYS.filter(lambda key: "," not in key and key.strip()), st.booleans()), min_size=1, max_size=2
    )
)
def test_sql_and_python_agree_on_orders(odd_store: Store, keys: list[tuple[str, bool]]) -> None:
    order = ", ".join(f"{'-' if descending else '+'}{key}" for key, descending in keys)
    expected = [row["name"] for row in sort_runs(every_row(odd_store), parse_order(order))]
    assert names(odd_store, {}, order).split() == expected
