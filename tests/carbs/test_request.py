"""What `CARBS.suggest` may be asked for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from carbs import CarbsError, LogSpace, Param
from carbs.request import Request
from carbs.spaces.search_space import as_space
from searches import EXTREME, PARAMS

SPACE = as_space(PARAMS)


@pytest.mark.parametrize(
    ("seed", "for_cost", "words"),
    [
        ([], None, r"seed=\[\] must be a string, a number or None"),
        (True, None, r"seed=True must be"),
        (None, 0, r"for_cost=0 must be a positive, finite number"),
        (None, math.inf, r"for_cost=inf"),
    ],
)
def test_a_bad_seed_or_cost_is_refused(seed: Any, for_cost: Any, words: str) -> None:
    with pytest.raises(CarbsError, match=words):
        Request.checked(SPACE, seed, for_cost)


def test_given_values_are_plain_and_know_their_coordinates() -> None:
    request = Request.checked(SPACE, given={"optimizer": np.str_("sgd"), "layers": np.int64(3), "lr": 1e-3})
    assert request.given == {"optimizer": "sgd", "layers": 3, "lr": 1e-3}
    assert {type(value) for value in request.given.values()} == {str, int, float}
    coordinates = request.coordinates(SPACE)
    assert coordinates is not None
    values: dict[str, Any] = {"lr": 1e-3, "batch": 8, "layers": 3, "gamma": 0.9, "optimizer": "sgd"}
    whole = SPACE.encode([values])[0]
    is_free = np.isnan(coordinates)
    assert np.array_equal(coordinates[~is_free], whole[~is_free])
    assert [bool(np.any(is_free[columns])) for columns in SPACE.columns] == [False, True, False, True, False]


@pytest.mark.parametrize("given", [None, {}])
def test_without_given_values_all_coordinates_are_free(given: Any) -> None:
    assert Request.checked(SPACE, given=given).coordinates(SPACE) is None


@pytest.mark.parametrize("given", [5, "lr=1", [("lr", 1e-3)]])
def test_given_values_must_be_a_dictionary(given: Any) -> None:
    with pytest.raises(CarbsError, match=r"given=.* must be a dictionary"):
        Request.checked(SPACE, given=given)


def test_every_bad_value_is_named_with_its_bounds_and_a_way_out() -> None:
    with pytest.raises(CarbsError) as caught:
        Request.checked(SPACE, given={"lr": 1.0, "batch": 10, "optimiser": "adam", "optimizer": "lion"})
    text = str(caught.value)
    assert "given: lr=1.0 must be between min=1e-05 and max=0.1; beyond its bounds `carbs.scaling.recommend" in text
    assert "batch=10" in text
    assert "'optimiser' is unknown; did you mean 'optimizer'?" in text
    assert "optimizer='lion' must be one of" in text
    assert [problem.key for problem in caught.value.problems] == ["lr", "batch", "optimiser", "optimizer"]


VALUES: dict[str, Any] = {"nan": math.nan, "None": None, "text": "1e-3", "flag": True, "negative": -1.0, **EXTREME}


@pytest.mark.parametrize("name", VALUES)
def test_what_no_law_extrapolates_to_is_refused_without_advice(name: str) -> None:
    with pytest.raises(CarbsError) as caught:
        Request.checked(SPACE, given={"lr": VALUES[name]})
    assert "recommend" not in str(caught.value)


def test_fixed_values_are_given_too_and_the_caller_cannot_change_them() -> None:
    space = as_space([*PARAMS, Param("epochs", LogSpace(1, 50, is_integer=True), fixed=50)])
    for given in (None, {"epochs": 50}):
        request = Request.checked(space, given=given)
        assert (request.given, request.narrows) == ({"epochs": 50}, False)
    request = Request.checked(space, given={"lr": 1e-3, "epochs": 50})
    assert (request.given, request.narrows) == ({"lr": 1e-3, "epochs": 50}, True)
    with pytest.raises(CarbsError, match="value 10 of 'epochs' must be 50, as in every run"):
        Request.checked(space, given={"epochs": 10})
