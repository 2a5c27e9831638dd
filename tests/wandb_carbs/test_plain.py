"""Values as JSON knows them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from wandb_carbs.plain import finite, is_number, plain, to_json


def test_arrays_scalars_and_tuples_become_plain() -> None:
    found = plain({"a": np.float32(0.5), 1: (np.int64(2), [np.arange(3)]), "t": np.bool_(True), "s": "x", "n": None})
    assert found == {"a": 0.5, "1": [2, [[0, 1, 2]]], "t": True, "s": "x", "n": None}
    assert [type(value) for value in (found["a"], found["1"][0], found["t"])] == [float, int, bool]


def test_numbers_that_json_lacks_are_words() -> None:
    text = to_json({"a": math.nan, "b": [math.inf, -math.inf], "c": {"d": np.array([1.0, math.nan])}, "e": Path("x")})
    assert json.loads(text) == {"a": "NaN", "b": ["Infinity", "-Infinity"], "c": {"d": [1.0, "NaN"]}, "e": "x"}


def test_words_reach_into_every_depth() -> None:
    value = {"a": [math.nan, {"b": -math.inf}], "c": 1.5, "d": "NaN"}
    assert finite(value) == {"a": ["NaN", {"b": "-Infinity"}], "c": 1.5, "d": "NaN"}


@pytest.mark.parametrize(("value", "expected"), [(1, True), (-0.5, True), (True, False), ("1", False), (None, False)])
def test_numbers_are_numbers_and_nothing_else(value: object, expected: bool) -> None:
    assert is_number(value) is expected


@pytest.mark.parametrize("value", [math.nan, math.inf, 10**400], ids=["nan", "infinity", "no float holds it"])
def test_what_no_float_holds_is_no_number(value: float) -> None:
    assert not is_number(value)
