"""Values of hyperparameters: which of them are the same, and how JSON has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from carbs.spaces.values import as_json, identity_of
from searches import nested


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (np.int64(3), 3),
        (np.float32(0.1), 0.1),
        (np.float64(0.1), 0.1),
        (np.str_("a"), "a"),
        (np.bool_(True), True),
        ((1, 2), [1.0, 2]),
        (np.array([1, 2]), [1, 2]),
        ([("a", None)], (["a", None],)),
    ],
)
def test_the_same_value(one: Any, other: Any) -> None:
    assert identity_of(one) == identity_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (0, False), (1, "1"), (None, "None"), (None, 0), ([1], 1), ([], None), ([True], [1]), (0.1, 0.2)],
)
def test_different_values(one: Any, other: Any) -> None:
    assert identity_of(one) != identity_of(other)


def test_json_has_plain_values_and_lists() -> None:
    value = as_json((np.int64(1), np.array([0.5, 1.5]), [np.bool_(False), (None,)], "a"))
    assert value == [1, [0.5, 1.5], [False, [None]], "a"]
    assert [type(item) for item in value] == [int, list, list, str]
    assert type(value[1][0]) is float
    assert type(value[2][0]) is bool


def test_other_values_stay() -> None:
    thing = object()
    assert as_json(thing) is thing
    deep = nested(100_000)
    assert as_json(deep) is deep
