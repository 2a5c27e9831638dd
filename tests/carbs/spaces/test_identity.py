"""The same configuration: one rule for suggestions, repeats and abandoned runs."""

from __future__ import annotations

import json

import numpy as np

from carbs import CategoricalSpace, LinearSpace, LogSpace, Param
from carbs.spaces.identity import are_among, keys
from carbs.spaces.search_space import as_space

SPACE = as_space(
    [Param("lr", LogSpace(1e-5, 1e-1)), Param("x", LinearSpace(0, 1)), Param("c", CategoricalSpace((1, "1")))]
)


def test_a_configuration_stays_the_same_through_json() -> None:
    low, high = SPACE.bounds
    points = SPACE.round(low + np.random.default_rng(0).random((200, SPACE.width)) * (high - low))
    again = SPACE.encode(json.loads(json.dumps(SPACE.decode(points))))
    assert keys(again) == keys(points)
    assert len(set(keys(points))) == 200


def test_rounding_and_the_sign_of_zero_make_no_difference() -> None:
    assert keys(np.array([[0.0, 1.0]])) == keys(np.array([[-0.0, 1.0 + 1e-12]]))
    assert keys(np.array([[0.0]])) != keys(np.array([[1e-6]]))


def test_known_points_are_found_among_others() -> None:
    points = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    assert are_among(points, set(keys(points[1:2]))).tolist() == [False, True, False]
    assert are_among(points[:0], set()).tolist() == []
