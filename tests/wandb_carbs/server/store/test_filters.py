from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import runs
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.filters import Filter
from wandb_carbs.server.store.orders import parse_order, sort_runs
from wandb_carbs.server.store.queries import count_runs, select_runs
from wandb_carbs.server.sweeps import sweeps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Clock:
    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


RUNS: list[dict[str, Any]] = [
    {
        "config": {"lr": 0.1, "n": {"d": 5}, "a.b": 1, "_wandb": {}},
        "summary": {"carbs.state": "success", "loss": 3.0, "nested": {"x": {"y": 1}}},
        "tags": ["red"],
    },
    {"config": {"lr": 0.2}, "summary": {"carbs": {"state": "failure"}, "loss": 1}, "tags": ["red", "blue"]},
    {"config": {"lr": "0.1"}, "summary": {"loss": "low"}, "tags": []},
    {"config": {}, "summary": {"loss": None, "list": [1, 2]}, "tags": []},
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Hold four runs, r0 to r3, ten seconds apart; the last two belong to a sweep."""
    clock = Clock()
    store = Store(tmp_path / "db", clock)
    sweep_id, _ = sweeps.upsert(store, {"projectName": "p", "config": "{method: random, parameters: {x: {value: 1}}}"})
    with store.reading() as db:
        sweep = db.execute("SELECT name FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()["name"]
    for number, run in enumerate(RUNS):
        clock.time += 10
        runs.upsert(
            store,
            {
                "name": f"r{number}",
                "modelName": "p",
                "sweep": sweep if number >= 2 else None,
                "config": json.dumps({key: {"value": value} for key, value in run["config"].items()}),
                "summaryMetrics": json.dumps(run["summary"]),
                "tags": run["tags"],
            },
        )
    yield store
    store.close()


def names(store: Store, filters: object, order: str = "+created_at") -> str:
    with store.reading() as db:
        page = select_runs(db, 1, json.dumps(filters), order)
        assert count_runs(db, 1, json.dumps(filters)) == len(page.rows)
    return " ".join(row["name"] for row in page.rows)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "r0 r1 r2 r3"),
        (None, "r0 r1 r2 r3"),
        ({"name": "r1"}, "r1"),
        ({"name": {"$in": ["r1", "r3", 4]}}, "r1 r3"),
        ({"name": {"$nin": ["r1", "r3"]}}, "r0 r2"),
        ({"display_name": "run-2"}, "r1"),
        ({"state": "running"}, "r0 r1 r2 r3"),
        ({"sweep": None}, "r0 r1"),
        ({"sweep": "nosuch"}, ""),
        ({"config.lr": 0.1}, "r0"),
        ({"config.lr.value": 0.1}, "r0"),
        ({"config.lr": {"$gt": 0.1}}, "r1"),
        ({"config.lr": {"$gte": 0.1, "$lt": 0.2}}, "r0"),
        ({"config.lr": {"$lte": "0.1"}}, "r2"),
        ({"config.n.d": 5}, "r0"),
        ({"config.n.value.d": 5}, "r0"),
        ({"config.a.b": 1}, "r0"),
        ({"config.lr": {"$exists": False}}, "r3"),
        ({"config.lr": {"$ne": 0.1}}, "r1 r2 r3"),
        ({"config.lr": {"$not": {"$gt": 0}}}, "r2 r3"),
        ({"summary_metrics.carbs.state": "success"}, "r0"),
        ({"summary_metrics.carbs.state": {"$exists": True}}, "r0 r1"),
        ({"summary_metrics.nested.x.y": 1}, "r0"),
        ({"summary_metrics.loss": None}, "r3"),
        ({"summary_metrics.loss": {"$exists": True}}, "r0 r1 r2 r3"),
        ({"summary_metrics.list": 2}, "r3"),
        ({"tags": "red"}, "r0 r1"),
        ({"tags": {"$in": ["blue"]}}, "r1"),
        ({"tags": {"$regex": "^re"}}, "r0 r1"),
        ({"$or": [{"name": "r0"}, {"name": "r2"}]}, "r0 r2"),
        ({"$nor": [{"name": "r0"}, {"name": "r2"}]}, "r1 r3"),
        ({"$and": [{"tags": "red"}, {"config.lr": 0.2}]}, "r1"),
        ({"name": {"$regex": "[02]$"}}, "r0 r2"),
        ({"created_at": {"$gt": "2027-01-15T08:00:20Z"}}, "r2 r3"),
        ({"createdAt": {"$lte": "2027-01-15T08:00:20.000000"}}, "r0 r1"),
        ({"created_at": "2027-01-15T09:00:10+01:00"}, "r0"),
        ({"created_at": {"$gt": 3}}, ""),
        ({"duration": 0}, "r0 r1 r2 r3"),
        ({"username": "local"}, "r0 r1 r2 r3"),
        ({"keys_info.keys.loss": {"$exists": True}}, ""),
        ({"tags": {"$all": ["red", "blue"]}}, "r1"),
        ({"tags": {"$all": []}}, ""),
        ({"tags": {"$size": 0}}, "r2 r3"),
        ({"config.lr": {"$size": 1}}, ""),
        ({"summary_metrics.list": {"$elemMatch": {"$gt": 1, "$lt": 3}}}, "r3"),
        ({"tags": {"$elemMatch": {"$regex": "^b"}}}, "r1"),
        ({"tags": {"$regex": "^RE", "$options": "i"}}, "r0 r1"),
        ({"tags": {"$regex": "^RE", "$options": ""}}, ""),
    ],
)
def test_filter(store: Store, filters: object, expected: str) -> None:
    assert names(store, filters) == expected


def test_sweep_is_found_inside_and(store: Store) -> None:
    with store.reading() as db:
        sweep = db.execute("SELECT name FROM sweeps").fetchone()["name"]
    assert names(store, {"sweep": sweep}) == "r2 r3"
    assert names(store, {"$and": [{"sweep": sweep}]}, "-created_at") == "r3 r2"
    assert names(store, {"$and": [{"sweep": sweep}, {"name": "r3"}]}) == "r3"
    assert names(store, {"$or": [{"sweep": sweep}, {"name": "r0"}]}) == "r0 r2 r3"
    assert names(store, {"$and": [{"sweep": sweep}, {"sweep": "other"}]}) == ""


@pytest.mark.parametrize(
    "filters",
    [
        [],
        "x",
        3,
        {"$what": 1},
        {"name": {"$what": 1}},
        {"$or": {}},
        {"name": {"$in": 3}},
        {"name": {"$regex": "("}},
        {"name": {"$options": "i"}},
        {"name": {"$regex": "a", "$options": "x"}},
        {"tags": {"$all": "red"}},
        {"tags": {"$size": "1"}},
        {"tags": {"$elemMatch": {"name": "red"}}},
        {"nosuch.field": 1},
        {"$or": [{"name": "r0"}, {"lr": 0.1}]},
    ],
)
def test_malformed_filter_is_refused(store: Store, filters: object) -> None:
    with pytest.raises(RequestError):
        names(store, filters)


def test_unknown_field_is_named_with_what_to_write(store: Store) -> None:
    with pytest.raises(RequestError, match=r"no field 'lr'.*config\.lr and summary_metrics\.lr"):
        names(store, {"lr": 0.1})


def test_deep_filter_is_refused(store: Store) -> None:
    text = '{"$or": [' * 400 + "{}" + "]}" * 400
    with store.reading() as db, pytest.raises(RequestError, match="deep"):
        select_runs(db, 1, text)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("-created_at", "r3 r2 r1 r0"),
        ("created_at", "r0 r1 r2 r3"),
        ("heartbeat_at", "r0 r1 r2 r3"),
        ("+summary_metrics.loss", "r1 r0 r2 r3"),
        ("-summary_metrics.loss", "r2 r0 r1 r3"),
        ("+config.lr.value", "r0 r1 r2 r3"),
        ("-config.lr.value", "r2 r1 r0 r3"),
        ("-state, +name", "r0 r1 r2 r3"),
        ("+state, -name", "r3 r2 r1 r0"),
        ("-nosuch", "r3 r2 r1 r0"),
    ],
)
def test_order_puts_runs_without_the_key_last(store: Store, order: str, expected: str) -> None:
    assert names(store, {}, order) == expected


@pytest.mark.parametrize("order", ["+created_at", "-created_at", "+name", "-config.lr"])
@pytest.mark.parametrize("first", [1, 2, 3, 4])
def test_pages_cover_every_run_once(store: Store, order: str, first: int) -> None:
    found: list[str] = []
    after = None
    with store.reading() as db:
        whole = [row["name"] for row in select_runs(db, 1, None, order).rows]
        while True:
            page = select_runs(db, 1, None, order, first=first, after=after)
            found += [row["name"] for row in page.rows]
            if not page.has_next:
                break
            after = page.cursor(len(page.rows) - 1)
    assert found == whole


@pytest.mark.parametrize("after", ["?", "AAAA", "MToy", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OToxOjE="])
def test_malformed_cursor_is_refused(store: Store, after: str) -> None:
    with store.reading() as db, pytest.raises(RequestError, match="cursor"):
        select_runs(db, 1, None, None, first=1, after=after)


def test_runs_of_the_same_moment_keep_their_order(tmp_path: Path) -> None:
    store = Store(tmp_path / "db", Clock())
    for number in range(5):
        runs.upsert(store, {"name": f"r{number}", "modelName": "p"})
    assert names(store, {}, "+created_at") == "r0 r1 r2 r3 r4"
    assert names(store, {}, "-created_at") == "r4 r3 r2 r1 r0"
    assert names(store, {"name": {"$exists": True}}, "-created_at") == "r4 r3 r2 r1 r0"
    store.close()


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


@settings(max_examples=400, deadline=None, derandomize=True)
@given(tree=TREES)
def test_sql_and_python_agree_on_filters(odd_store: Store, tree: Any) -> None:
    text = json.dumps(tree)
    condition = Filter.parse(text)
    expected = [row["name"] for row in every_row(odd_store) if condition.matches(row)]
    assert names(odd_store, tree).split() == expected


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    keys=st.lists(
        st.tuples(KEYS.filter(lambda key: "," not in key and key.strip()), st.booleans()), min_size=1, max_size=2
    )
)
def test_sql_and_python_agree_on_orders(odd_store: Store, keys: list[tuple[str, bool]]) -> None:
    order = ", ".join(f"{'-' if descending else '+'}{key}" for key, descending in keys)
    expected = [row["name"] for row in sort_runs(every_row(odd_store), parse_order(order))]
    assert names(odd_store, {}, order).split() == expected
