"""The fields of runs that filters and orders name."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from stored import make_run
from wandb_carbs.metrics import MISSING
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.queries import SELECT_RUNS
from wandb_carbs.server.store.run_fields import RunDocument, check_field, kind_of, parse_moment


def document(store: Store, **values: Any) -> RunDocument:
    make_run(store, "r", {"lr": 0.1, "n": {"d": 5}, "a.b": 1}, {"x": {"y.z": 2}, "x.y": 3}, **values)
    with store.reading() as db:
        return RunDocument(db.execute(SELECT_RUNS).fetchone())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "r"),
        ("displayName", "run-1"),
        ("sweep", None),
        ("tags", ["t"]),
        ("config.lr", 0.1),
        ("config.lr.value", 0.1),
        ("config.n.d", 5),
        ("config.n.value.d", 5),
        ("config.a.b", 1),
        ("summary_metrics.x.y", 3),  # the longest literal key first
        ("summary_metrics.x.y.z", 2),
        ("summary.nosuch", MISSING),
        ("config.lr.deeper", MISSING),
    ],
)
def test_value_is_found_by_its_path(store: Store, path: str, value: Any) -> None:
    found = document(store, tags=["t"]).get(path)
    assert found is MISSING if value is MISSING else found == value


def test_times_are_moments(store: Store) -> None:
    found = document(store).get("createdAt")
    assert abs(found - datetime.now(timezone.utc)) < timedelta(hours=1)


@pytest.mark.parametrize("key", ["name", "config.lr", "summary_metrics.a.b", "keys_info.keys.loss", "tags", "duration"])
def test_known_field_is_taken(key: str) -> None:
    check_field(key)


@pytest.mark.parametrize("key", ["lr", "config", "summary", "nosuch.a", "x" * 10_000])
def test_field_that_no_run_has_is_an_error_that_says_what_to_write(key: str) -> None:
    with pytest.raises(RequestError, match=r"no field .* are written config"):
        check_field(key)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-15T08:00:20Z", datetime(2027, 1, 15, 8, 0, 20, tzinfo=timezone.utc)),
        ("2027-01-15T09:00:20+01:00", datetime(2027, 1, 15, 8, 0, 20, tzinfo=timezone.utc)),
        ("2027-01-15T08:00:20", datetime(2027, 1, 15, 8, 0, 20, tzinfo=timezone.utc)),
        ("soon", None),
        (3, None),
    ],
)
def test_moment_of_a_text(text: Any, moment: datetime | None) -> None:
    assert parse_moment(text) == moment


def test_kinds_tell_truth_from_numbers() -> None:
    values = [True, 1, 1.5, "a", datetime.now(timezone.utc), None, []]
    assert [kind_of(v) for v in values] == ["truth", "number", "number", "text", "time", "NoneType", "list"]
