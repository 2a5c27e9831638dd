"""Errors: every problem in parts, and the text made from the parts."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable

import pytest

from carbs import (
    CARBS,
    CarbsError,
    CARBSParams,
    CategoricalSpace,
    LinearSpace,
    LogitSpace,
    LogSpace,
    ObservationInParam,
    Param,
    Pow2Space,
    Problem,
)
from carbs.errors import raise_problems
from carbs.history import gather
from carbs.spaces.search_space import as_space

PARAMS = [Param("x", LinearSpace(0, 1)), Param("y", LogSpace(1, 100))]


def error_of(call: Callable[[], object]) -> CarbsError:
    with pytest.raises(CarbsError) as caught:
        call()
    return caught.value


def test_a_sentence_is_made_from_the_parts() -> None:
    assert str(Problem("parameter 'lr'", "min", -1, "must be a positive number")) == (
        "parameter 'lr': min=-1 must be a positive number"
    )
    assert str(Problem("", "seed", "a", "must be whole")) == "seed='a' must be whole"
    assert str(Problem("", "y", None, "is missing", "parameter 'y'")) == "parameter 'y' is missing"
    assert str(Problem("line 3", "a", 1, "a whole sentence", "")) == "line 3: a whole sentence"


def test_one_problem_stands_in_the_first_line_and_several_in_a_list() -> None:
    raise_problems("wrong", [])
    one = error_of(lambda: raise_problems("wrong", ["a sentence"]))
    assert str(one) == "wrong: a sentence"
    assert [str(problem) for problem in one.problems] == ["a sentence"]
    two = error_of(lambda: raise_problems("wrong", ["a sentence", Problem("here", "k", 1, "must be 2")]))
    assert str(two) == "wrong: 2 problems\n  - a sentence\n  - here: k=1 must be 2"
    assert len(two.problems) == 2


@pytest.mark.parametrize(
    ("param", "key"),
    [
        (Param("p", LogSpace(min=-1.0)), "min"),
        (Param("p", LinearSpace(2, 1)), "min"),
        (Param("p", LinearSpace(0.2, 0.8, is_integer=True)), "min"),
        (Param("p", LinearSpace(scale=-1)), "scale"),
        (Param("p", LinearSpace(0, 1, scale=1e9)), "scale"),
        (Param("p", LinearSpace(1, 1 + 1e-15)), "min"),
        (Param("p", LogSpace(1, 1e305)), "max"),
        (Param("p", LogSpace(base=1)), "base"),
        (Param("p", LogitSpace(0.5, 1.5)), "max"),
        (Param("p", LogitSpace(is_integer=True)), "is_integer"),
        (Param("p", Pow2Space(1, 6)), "max"),
        (Param("p", Pow2Space(1, 8, rounding_factor=2)), "rounding_factor"),
        (Param("p", CategoricalSpace(("a",))), "choices"),
        (Param("p", CategoricalSpace(("a", math.nan))), "choices"),
        (Param("p", LinearSpace(0, 1), 3), "search_center"),
        (Param("p", 5), "space"),  # type: ignore[arg-type]
    ],
)
def test_a_problem_of_a_parameter_names_its_place_and_key(param: Param, key: str) -> None:
    error = error_of(lambda: as_space([param]))
    (problem,) = error.problems
    assert (problem.place, problem.key) == ("parameter 'p'", key)
    assert str(error) == f"invalid search space: {problem}"


def test_all_problems_of_options_are_listed_with_their_keys() -> None:
    error = error_of(lambda: CARBSParams(better_direction_sign=0, seed=-1, typo=3))
    assert [problem.key for problem in error.problems] == ["typo", "better_direction_sign", "seed"]
    assert [problem.value for problem in error.problems] == [3, 0, -1]
    assert all(str(problem) in str(error) for problem in error.problems)


def test_problems_of_an_observation_name_the_parameter_and_its_place_in_a_list() -> None:
    bad = ObservationInParam({"x": 2, "y": 5}, 1.0, 0.0)
    error = error_of(lambda: CARBS(params=PARAMS).observe(bad))
    assert [(problem.key, problem.value) for problem in error.problems] == [("x", 2), ("cost", 0.0)]
    listed = error_of(lambda: gather(as_space(PARAMS), [ObservationInParam({"x": 0, "y": 5}, 1.0), bad]))
    assert {problem.place for problem in listed.problems} == {"observations[1]"}
    missing = error_of(lambda: CARBS(params=PARAMS).observe(ObservationInParam({"x": 0}, 1.0)))
    assert [(problem.key, problem.value) for problem in missing.problems] == [("y", None)]


def test_an_error_survives_pickling_with_its_problems() -> None:
    error = error_of(lambda: CARBSParams(seed=-1))
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.problems == error.problems
