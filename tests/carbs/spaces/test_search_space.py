"""Parameters, and the search space that they span together."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbs import (
    CategoricalSpace,
    LinearSpace,
    LogSpace,
    Param,
    Pow2Space,
    SearchSpace,
    Space,
)
from every_space import SPACES, spaces


@spaces
def test_description_survives_json(space: Space) -> None:
    param = Param("x", space, space.default_center)
    assert Param.from_dict(json.loads(json.dumps(param.to_dict(), allow_nan=False))) == param


def test_all_problems_come_in_one_error() -> None:
    with pytest.raises(ValueError, match="3 problems") as caught:
        SearchSpace((Param("a", LinearSpace(3, 1)), Param("b", LogSpace(-1, 1)), Param("a", LinearSpace(0, 1))))
    assert "used 2 times" in str(caught.value)


def test_values_outside_are_named() -> None:
    space = SearchSpace(
        (Param("a", LinearSpace(0, 1)), Param("b", Pow2Space(1, 8)), Param("c", CategoricalSpace(("x", "y"))))
    )
    problems = [str(problem) for problem in space.problems_with({"a": 2, "b": 3, "d": 1})]
    assert len(problems) == 3
    assert "value 2 must be between" in problems[0]
    assert "power of two" in problems[1]
    assert "'c' is missing" in problems[2]


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_a_search_space_maps_rows_and_columns_together(n: int, seed: int) -> None:
    space = SearchSpace(tuple(Param(f"p{i}", s) for i, s in enumerate(SPACES)))
    # Further out, the floats just below 1 are too sparse to hold a logit coordinate to nine digits.
    points = np.clip(np.random.default_rng(seed).normal(0, 2, (n, space.width)), -6, 6)
    configurations = space.decode(points)
    assert not [problem for c in configurations for problem in space.problems_with(c)]
    assert space.encode(configurations) == pytest.approx(space.round(points), abs=1e-9)


def test_the_scale_of_an_open_space_is_settled_before_its_center_is_judged() -> None:
    assert SearchSpace((Param("x", LinearSpace(min=0), 1e15),)).center == [1.0]


@pytest.mark.parametrize(("center", "whole"), [(2.5, 2), (3.7, 4), (np.float32(2.75), 3)])
def test_computed_center_of_an_integer_is_rounded_with_a_warning(center: float, whole: int) -> None:
    with pytest.warns(UserWarning, match=r"parameter 'n': search_center=.* is rounded to") as caught:
        param = Param("n", LinearSpace(1, 9, is_integer=True), center)
    assert (param.search_center, type(param.search_center)) == (whole, int)
    assert caught[0].filename == __file__


LENGTH = Param("epochs", LogSpace(1, 50, is_integer=True), fixed=50)
RATE = Param("rate", LogSpace(1e-4, 1.0))


def test_a_fixed_value_survives_json_and_is_the_centre_but_gives_the_search_none() -> None:
    assert Param.from_dict(json.loads(json.dumps(LENGTH.to_dict()))) == LENGTH
    space = SearchSpace((RATE, LENGTH))
    assert space.fixed == {"epochs": 50}
    assert not space.has_given_center
    [center] = space.decode(space.center[None])
    assert center["epochs"] == 50


def test_a_fixed_value_is_decoded_exactly() -> None:
    value = 10 ** (1 / 3)
    space = SearchSpace((RATE, Param("share", LogSpace(1e-3, 5.0), fixed=value)))
    [decoded] = space.decode(space.encode([{"rate": 0.1, "share": value}]))
    assert decoded["share"] == value


def test_a_version_that_does_not_know_fixed_values_refuses_them() -> None:
    """It gives all that is said of a space to the space."""
    described = dict(LENGTH.to_dict()["space"])
    del described["kind"]
    with pytest.raises(TypeError, match="fixed"):
        LogSpace(**described)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ([RATE, Param("epochs", LENGTH.space, fixed=51)], "parameter 'epochs': fixed=51 must be"),
        ([RATE, Param("epochs", LENGTH.space, fixed="all")], "parameter 'epochs': fixed='all' must be"),
        ([RATE, Param("epochs", LENGTH.space, 50, 50)], "search_center=50 must be left out with fixed=50"),
        ([LENGTH], "at least one parameter must not be fixed"),
    ],
)
def test_a_bad_fixed_value_is_refused(params: list[Param], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SearchSpace(tuple(params))
