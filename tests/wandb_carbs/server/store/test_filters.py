from __future__ import annotations

import pytest

from filtered import names
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.queries import select_runs


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
def test_filter(four_runs: Store, filters: object, expected: str) -> None:
    assert names(four_runs, filters) == expected


def test_sweep_is_found_inside_and(four_runs: Store) -> None:
    with four_runs.reading() as db:
        sweep = db.execute("SELECT name FROM sweeps").fetchone()["name"]
    assert names(four_runs, {"sweep": sweep}) == "r2 r3"
    assert names(four_runs, {"$and": [{"sweep": sweep}]}, "-created_at") == "r3 r2"
    assert names(four_runs, {"$and": [{"sweep": sweep}, {"name": "r3"}]}) == "r3"
    assert names(four_runs, {"$or": [{"sweep": sweep}, {"name": "r0"}]}) == "r0 r2 r3"
    assert names(four_runs, {"$and": [{"sweep": sweep}, {"sweep": "other"}]}) == ""


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
def test_malformed_filter_is_refused(four_runs: Store, filters: object) -> None:
    with pytest.raises(RequestError):
        names(four_runs, filters)


def test_unknown_field_is_named_with_what_to_write(four_runs: Store) -> None:
    with pytest.raises(RequestError, match=r"no field 'lr'.*config\.lr and summary_metrics\.lr"):
        names(four_runs, {"lr": 0.1})


def test_deep_filter_is_refused(four_runs: Store) -> None:
    text = '{"$or": [' * 400 + "{}" + "]}" * 400
    with four_runs.reading() as db, pytest.raises(RequestError, match="deep"):
        select_runs(db, 1, text)
