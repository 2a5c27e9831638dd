"""The user's rule among the points that a search chooses from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from carbs import CarbsError, CARBSParams, LinearSpace, Param
from carbs.search import validity
from carbs.search.situation import Situation
from carbs.search.validity import valid_among
from carbs.spaces.search_space import as_space
from carbs.spaces.values import ParamDict

SPACE = as_space([Param("x", LinearSpace(0, 1)), Param("y", LinearSpace(0, 1))])
NOTHING = np.empty((0, 2))


@pytest.fixture(autouse=True)
def a_few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty rounds of a thousand draws would take a second."""
    monkeypatch.setattr(validity, "_ROUNDS", 3)
    monkeypatch.setattr(validity, "_PER_ROUND", 100)


def situation(is_valid: Callable[[ParamDict], bool] | None, given: float | None = None) -> Situation:
    fixed = None if given is None else np.array([given, np.nan])
    rng = np.random.default_rng(0)
    return Situation(SPACE, CARBSParams(), NOTHING, NOTHING, NOTHING, None, rng, is_valid=is_valid, given=fixed)


def is_low(values: ParamDict) -> bool:
    return float(values["x"]) < 0.25


POINTS = np.array([[0.2, 1.0], [1.0, 1.0], [0.4, 0.5]])


def test_without_a_rule_all_points_stay() -> None:
    assert valid_among(situation(None), POINTS) is POINTS


def test_valid_points_stay_in_their_order_and_no_more_are_drawn() -> None:
    here = situation(is_low)
    assert valid_among(here, POINTS, 2).tolist() == [[0.2, 1.0], [0.4, 0.5]]
    assert here.generator.random() == np.random.default_rng(0).random()


def test_where_too_few_are_valid_more_are_drawn() -> None:
    found = valid_among(situation(is_low), POINTS, 30)
    assert len(found) >= 30
    assert np.max(found[:, 0]) < 0.5  # coordinates are twice the values
    assert len(np.unique(found, axis=0)) == len(found)


def test_points_that_are_drawn_have_the_given_values() -> None:
    found = valid_among(situation(lambda values: float(values["y"]) > 0.9, given=0.75), POINTS[:0], 5)
    assert len(found) >= 5
    assert set(found[:, 0]) == {0.75}


def test_one_valid_point_is_better_than_none() -> None:
    assert len(valid_among(situation(lambda values: values == {"x": 0.5, "y": 0.5}), POINTS, 2)) == 1


@pytest.mark.parametrize(("given", "words"), [(None, "draws: is_valid"), (0.5, "draws that have the given values")])
def test_a_rule_that_allows_nothing_is_an_error(given: float | None, words: str) -> None:
    with pytest.raises(CarbsError, match=f"no valid configuration was found among 303 {words}"):
        valid_among(situation(lambda _: False, given), POINTS)
