"""Values as JSON knows them, and numbers as people read them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from wandb_carbs.plain import finite, is_number, number, plain, plural, put_at, readable, to_json, why_no_json


def test_arrays_scalars_and_tuples_become_plain() -> None:
    found = plain({"a": np.float32(0.5), 1: (np.int64(2), [np.arange(3)]), "t": np.bool_(True), "s": "x", "n": None})
    assert found == {"a": 0.5, "1": [2, [[0, 1, 2]]], "t": True, "s": "x", "n": None}
    assert [type(value) for value in (found["a"], found["1"][0], found["t"])] == [float, int, bool]


def test_ranges_and_paths_become_plain() -> None:
    assert plain({"r": range(3), "p": [Path("a") / "b"]}) == {"r": [0, 1, 2], "p": ["a/b"]}


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ([1, {"a": None}, "x", math.nan], ""),
        ({3, 4}, "must be a list, not of type set: write `list(…)`, or `sorted(…)`"),
        (iter([1]), "must be a list, not of type list_iterator"),
        ([{3}], "must be text, a number, a boolean, None, or a list or mapping of these: write `str(…)`"),
        (b"x", "must be text"),
        (object(), "must be text"),
    ],
)
def test_what_json_cannot_hold_says_what_to_write(value: object, rule: str) -> None:
    assert why_no_json(value).startswith(rule)
    assert bool(why_no_json(value)) == bool(rule)


def test_numbers_that_json_lacks_are_words() -> None:
    text = to_json({"a": math.nan, "b": [math.inf, -math.inf], "c": {"d": np.array([1.0, math.nan])}, "e": Path("x")})
    assert json.loads(text) == {"a": "NaN", "b": ["Infinity", "-Infinity"], "c": {"d": [1.0, "NaN"]}, "e": "x"}


def test_words_reach_into_every_depth() -> None:
    value = {"a": [math.nan, {"b": -math.inf}], "c": 1.5, "d": "NaN"}
    assert finite(value) == {"a": ["NaN", {"b": "-Infinity"}], "c": 1.5, "d": "NaN"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("data\udce9 é \U0001f600", "data\\udce9 é \U0001f600"),
        ("\x1b[1;31mErr\x1b[0m\x1b[2J: a\tb\nc", "Err: a\tb\nc"),
        ("\x1b]0;title\x07\r\x00\x9b2J", r"\x1b]0;title\x07\r\x00\x9b2J"),
    ],
)
def test_text_of_others_can_be_written_and_shown(text: str, shown: str) -> None:
    assert readable(text) == shown


@pytest.mark.parametrize(("value", "expected"), [(1, True), (-0.5, True), (True, False), ("1", False), (None, False)])
def test_numbers_are_numbers_and_nothing_else(value: object, expected: bool) -> None:
    assert is_number(value) is expected


@pytest.mark.parametrize("value", [math.nan, math.inf, 10**400], ids=["nan", "infinity", "no float holds it"])
def test_what_no_float_holds_is_no_number(value: float) -> None:
    assert not is_number(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.012345, "-0.0123"),
        (0.9996, "0.9996"),
        (-0.95, "-0.95"),
        (1 - 1e-9, "0.999999999"),
        (1.0, "1"),
        (999.7, "1000"),
        (22812.4, "22812"),
        (1234567.0, "1.23e+06"),
        (1e-5, "1e-05"),
        (math.inf, "inf"),
    ],
)
def test_numbers_are_read_at_a_glance(value: float, text: str) -> None:
    assert number(value) == text


def test_values_are_put_where_their_paths_lead() -> None:
    nested: dict[str, object] = {"a": 1}
    for path, value in ((("b", "c"), 2), (("b", "d.e"), 3), (("f",), 4)):
        put_at(nested, path, value)
    assert nested == {"a": 1, "b": {"c": 2, "d.e": 3}, "f": 4}


def test_words_agree_with_their_number() -> None:
    assert [plural("run", count) for count in (0, 1, 2)] == ["runs", "run", "runs"]
    assert [plural(word, 2) for word in ("abandoned", "running")] == ["abandoned", "running"]
