"""How a metric is read: one home of the rules for agents, the server, and readers of old runs."""

from __future__ import annotations

import math
from typing import Any

import pytest

from wandb_carbs.metrics import (
    MAX_NAME,
    MISSING,
    chosen,
    find,
    flat,
    number_of,
    says_best,
    says_end,
    says_number,
    to_float,
    value_of,
    without,
)


@pytest.mark.parametrize(
    ("value", "smallest", "greatest"),
    [
        ({"min": 1}, 1, 1),
        ({"max": 3}, 3, 3),
        ({"min": 1, "max": 3}, 1, 3),
        ({"min": 1, "max": 3, "last": 2}, 2, 2),
        ({"best": 3, "mean": 2}, 3, 3),
        ({"max": 3, "mean": 2}, 3, 3),
        ({"first": 9, "mean": 2}, 2, 2),
        ({"last": "NaN", "min": 1}, "NaN", "NaN"),
        # Something that was logged.
        ({"min": 1, "other": 2}, {"min": 1, "other": 2}, {"min": 1, "other": 2}),
        ({}, {}, {}),
        (2.5, 2.5, 2.5),
        (MISSING, MISSING, MISSING),
    ],
)
def test_one_of_the_values_that_the_sdk_keeps_counts(value: Any, smallest: Any, greatest: Any) -> None:
    assert chosen(value, maximize=False) == smallest
    assert chosen(value, maximize=True) == greatest


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("loss", 1.0),
        ("a.b", 3.0),  # the longest literal key first
        ("a.b.c", MISSING),
        ("a.d", 5.0),
        ("x.y.z", 6.0),
        ("a", {"b": 4.0, "d": 5.0}),
        ("", MISSING),
        (".", MISSING),
        ("loss.", MISSING),
    ],
)
def test_value_is_found_by_its_name(name: str, value: Any) -> None:
    assert find({"loss": 1.0, "a.b": 3.0, "a": {"b": 4.0, "d": 5.0}, "x": {}, "x.y": {"z": 6.0}}, name) == value


@pytest.mark.parametrize(
    ("value", "smallest", "greatest"),
    [
        ({"min": 1}, True, False),
        ({"max": 3, "mean": 2}, False, True),
        ({"last": 2, "first": 9}, True, True),
        ({"best": 3}, True, True),
        ({"first": 9, "mean": 2}, False, False),
        (2.5, True, True),
        (MISSING, True, True),
    ],
)
def test_mean_first_and_worst_value_are_no_end(value: Any, smallest: bool, greatest: bool) -> None:
    summary = {} if value is MISSING else {"loss": value}
    assert says_end(summary, "loss", maximize=False) is smallest
    assert says_end(summary, "loss", maximize=True) is greatest


@pytest.mark.parametrize(
    ("value", "smallest", "greatest"),
    [
        ({"min": 1}, True, False),
        ({"min": 1, "max": 3}, True, True),
        ({"last": 2, "min": 1}, False, False),
        ({"best": 3}, True, True),
        ({"mean": 2}, False, False),
        (2.5, False, False),
        (MISSING, False, False),
    ],
)
def test_best_value_is_said_where_it_stands_for_the_last(value: Any, smallest: bool, greatest: bool) -> None:
    summary = {} if value is MISSING else {"loss": value}
    assert says_best(summary, "loss", maximize=False) is smallest
    assert says_best(summary, "loss", maximize=True) is greatest


@pytest.mark.parametrize(
    ("value", "is_said"),
    [
        (2.5, True),
        ("NaN", True),
        ({"min": 1}, True),
        ({"min": "NaN"}, False),
        ({"max": "Infinity", "best": "NaN"}, False),
        ({"min": "NaN", "last": "NaN"}, True),
        ({"mean": 2}, False),
        ("text", False),
        (MISSING, False),
    ],
)
def test_a_best_value_that_was_lost_to_a_nan_does_not_say_by_what_a_run_counts(value: Any, *, is_said: bool) -> None:
    summary = {} if value is MISSING else {"loss": value}
    assert says_number(summary, "loss", maximize=False) is is_said


def test_value_is_a_finite_number_or_none() -> None:
    assert value_of({"a": {"b": {"min": 2, "max": 7}}}, "a.b") == 2.0
    assert value_of({"a": {"b": {"min": 2, "max": 7}}}, "a.b", maximize=True) == 7.0
    assert value_of({"a": {"b": {"min": 2, "max": 7}}}, "a.b.max") == 7.0
    odd: Any
    for odd in ({"a": 1}, {"a": {"b": True}}, {"a": {"b": "NaN"}}, {"a": {"b": 10**400}}, {}, [], None):
        assert value_of(odd, "a.b") is None


def test_value_may_be_one_that_ended_a_run() -> None:
    assert number_of({"a": {"b": {"min": 2, "max": "Infinity"}}}, "a.b", maximize=True) == math.inf
    assert value_of({"a": {"b": {"min": 2, "max": "Infinity"}}}, "a.b", maximize=True) is None
    assert number_of({"a": 1}, "b") is None


def test_number_may_be_one_that_json_lacks() -> None:
    assert [to_float(value) for value in (1, 0.5, "Infinity", "-Infinity", 10**400, -(10**400))] == [
        1.0,
        0.5,
        math.inf,
        -math.inf,
        math.inf,
        -math.inf,
    ]
    assert math.isnan(to_float("NaN") or 0.0)
    assert [to_float(value) for value in (True, "1", "nan", None, [1], MISSING)] == [None] * 6


def test_metric_is_taken_out_of_a_summary() -> None:
    summary = {"loss": 1.0, "train": {"loss": {"min": 2.0}, "lr": 0.1}, "a.b": 3.0, "a.c": {"d": 1}}
    assert without(summary, "loss") == {key: value for key, value in summary.items() if key != "loss"}
    assert without(summary, "train.loss") == {**summary, "train": {"lr": 0.1}}
    assert without(summary, "a.c.d") == {**summary, "a.c": {}}
    assert "a.b" not in without(summary, "a.b")
    assert without(summary, "other.name") == summary


def test_what_the_sdk_keeps_of_a_metric_is_one_value_of_a_summary() -> None:
    kept = {"max": 0.8, "last": 0.5}
    assert dict(flat({"acc": kept, "val": {"loss": kept}}, is_summary=True)) == {"acc": kept, "val.loss": kept}
    assert dict(flat({"acc": kept})) == {"acc.max": 0.8, "acc.last": 0.5}, "a row of a history has what was logged"
    logged = {"val": {"mean": 0.5, "loss": 0.2}}
    assert dict(flat(logged, is_summary=True)) == {"val.mean": 0.5, "val.loss": 0.2}


def test_nested_values_have_dotted_names_but_for_media_and_long_names() -> None:
    medium = {"_type": "table-file", "path": "t"}
    assert dict(flat({"a": {"b": {"c": 1}, "m": medium}, "e": {}})) == {"a.b.c": 1, "a.m": medium, "e": {}}
    long = "x" * (MAX_NAME + 1)
    assert dict(flat({"a": {long: {"b": 1}}})) == {f"a.{long}": {"b": 1}}
