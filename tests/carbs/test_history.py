"""The history: observations, running suggestions, and sources whose present state is taken over."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from carbs import (
    CARBS,
    CarbsError,
    LinearSpace,
    ObservationInParam,
    Param,
    ParamDict,
)
from searches import SMALL, without_id

PARAMS = [Param("x", LinearSpace(min=0, max=1))]
FIRST = {"a": ObservationInParam({"x": 0.1}, 1.0, 2.0), "b": ObservationInParam({"x": 0.2}, 2.0, 2.0)}


@pytest.fixture
def carbs() -> CARBS:
    carbs = CARBS(params=PARAMS)
    carbs.observe(ObservationInParam({"x": 0.9}, 9.0, 1.0))
    carbs.remember_suggestion({"x": 0.8}, "mine")
    carbs.synchronize("sweep", FIRST, {"c": {"x": 0.3}, "d": None})
    return carbs


def seen(carbs: CARBS) -> list[float]:
    return [observation.output for observation in carbs.success_observations]


def test_nothing_is_added_twice(carbs: CARBS) -> None:
    carbs.synchronize("sweep", FIRST, {"c": {"x": 0.3}})
    assert seen(carbs) == [9, 1, 2]
    assert set(carbs.outstanding_suggestions) == {"mine", "c"}


def test_corrected_and_deleted_observations_are_noticed(carbs: CARBS) -> None:
    before = carbs.suggest(is_suggestion_remembered=False, seed=0)
    carbs.synchronize("sweep", {"b": ObservationInParam({"x": 0.2}, 5.0, 2.0)}, {})
    assert seen(carbs) == [9, 5]
    assert set(carbs.outstanding_suggestions) == {"mine"}
    assert before is not None


def test_same_number_of_other_observations_is_another_model() -> None:
    """The model must not be kept because the counts are the same."""
    carbs = CARBS(params=PARAMS)
    runs = {str(i): ObservationInParam({"x": i / 8}, float(i), 1.0 + i) for i in range(8)}
    turned = {str(i): ObservationInParam({"x": i / 8}, float(-i), 1.0 + i) for i in range(8)}
    carbs.synchronize("sweep", runs)
    old = carbs.suggest(is_suggestion_remembered=False, seed=0).log["predicted_objective"]
    carbs.synchronize("sweep", turned)
    fresh = CARBS(params=PARAMS)
    fresh.synchronize("sweep", turned)
    new, expected = (c.suggest(is_suggestion_remembered=False, seed=0) for c in (carbs, fresh))
    assert new == expected
    assert new.log["predicted_objective"] != old


def test_suggestion_drawn_for_a_run_of_the_source_is_its_own_to_withdraw(carbs: CARBS) -> None:
    carbs.suggest("d")
    assert "d" in carbs.outstanding_suggestions
    carbs.synchronize("sweep", FIRST, {"d": None})
    assert set(carbs.outstanding_suggestions) == {"mine"}


def test_failure_becomes_an_observation(carbs: CARBS) -> None:
    carbs.synchronize("sweep", {"a": ObservationInParam({"x": 0.1}, is_failure=True)})
    assert (seen(carbs), len(carbs.failure_observations)) == ([9], 1)
    carbs.synchronize("sweep", FIRST)
    assert (seen(carbs), len(carbs.failure_observations)) == ([9, 1, 2], 0)


def test_invalid_input_changes_nothing(carbs: CARBS) -> None:
    with pytest.raises(CarbsError, match="invalid observation"):
        carbs.synchronize("sweep", {"a": ObservationInParam({"x": 7.0}, 1.0, 1.0)}, {})
    with pytest.raises(CarbsError, match="invalid outstanding suggestion 'z'"):
        carbs.synchronize("sweep", {}, {"z": {"x": 7.0}})
    assert seen(carbs) == [9, 1, 2]
    assert set(carbs.outstanding_suggestions) == {"mine", "c"}


def test_sources_do_not_touch_each_other(carbs: CARBS) -> None:
    carbs.synchronize("another sweep", {"a": ObservationInParam({"x": 0.4}, 4.0, 1.0)})
    carbs.synchronize("sweep", {})
    assert seen(carbs) == [9, 4]


def test_observing_or_forgetting_ends_a_suggestion() -> None:
    carbs = CARBS(params=SMALL)
    first, second = carbs.suggest("a").suggestion, carbs.suggest("b").suggestion
    assert set(carbs.outstanding_suggestions) == {"a", "b"}
    carbs.observe(ObservationInParam(first, 1.0, 1.0))
    carbs.forget_suggestion(second)
    carbs.forget_suggestion({"suggestion_uuid": "unknown"})
    assert carbs.outstanding_suggestions == {}
    carbs.remember_suggestion({"x": 0.5, "y": 3}, "c")
    assert carbs.outstanding_suggestions == {"c": {"x": 0.5, "y": 3}}


def test_a_suggestion_of_the_same_identifier_is_replaced() -> None:
    carbs = CARBS(params=SMALL)
    carbs.suggest("a")
    second = carbs.suggest("a").suggestion
    assert carbs.outstanding_suggestions == {"a": without_id(second)}
    carbs.remember_suggestion({"x": 0.5, "y": 3}, "a")
    assert carbs.outstanding_suggestions == {"a": {"x": 0.5, "y": 3}}


def test_an_observation_without_an_identifier_ends_no_suggestion() -> None:
    carbs = CARBS(params=SMALL)
    carbs.suggest("None")
    carbs.observe(ObservationInParam({"x": 0.5, "y": 3}, 1.0, 1.0))
    assert set(carbs.outstanding_suggestions) == {"None"}


def test_what_is_handed_out_or_in_may_be_changed_without_changing_the_history() -> None:
    carbs = CARBS(params=SMALL)
    given: ParamDict = {"x": 0.5, "y": 3}
    carbs.observe(ObservationInParam(given, 1.0, 1.0))
    carbs.observe(ObservationInParam(given, is_failure=True))
    carbs.remember_suggestion(given, "a")
    drawn = carbs.suggest("b").suggestion
    expected = {"a": dict(given), "b": without_id(drawn)}
    for handed in (
        given,
        drawn,
        carbs.success_observations[0].input,
        carbs.failure_observations[0].input,
        *carbs.outstanding_suggestions.values(),
    ):
        handed["x"] = 99.0
    carbs.outstanding_suggestions.clear()
    carbs.success_observations.clear()
    assert carbs.success_observations[0].input == carbs.failure_observations[0].input == {"x": 0.5, "y": 3}
    assert carbs.outstanding_suggestions == expected


@pytest.mark.parametrize(
    ("observation", "words"),
    [
        (ObservationInParam({"x": 0.5}, 1.0, 1.0), ["'y' is missing"]),
        (ObservationInParam({"x": 2, "y": 5}, 1.0, 1.0), ["'x'", "value 2", "between"]),
        (ObservationInParam({"x": 0.5, "y": 5}, 1.0, 0.0), ["cost=0.0", "positive"]),
        (ObservationInParam({"x": 0.5, "y": 5}, 1.0, math.nan), ["cost=nan"]),
        (ObservationInParam({"x": 0.5, "y": "five"}, "good", -1.0), ["'y'", "output='good'"]),  # type: ignore[arg-type]
    ],
)
def test_a_bad_observation_is_refused_and_changes_nothing(observation: ObservationInParam, words: list[str]) -> None:
    carbs = CARBS(params=SMALL)
    carbs.suggest("a")
    with pytest.raises(CarbsError) as caught:
        carbs.observe(
            ObservationInParam({**observation.input, "suggestion_uuid": "a"}, observation.output, observation.cost)
        )
    assert all(word in str(caught.value) for word in words)
    assert not carbs.success_observations
    assert not carbs.failure_observations
    assert set(carbs.outstanding_suggestions) == {"a"}


@pytest.mark.parametrize("output", [math.nan, math.inf, -math.inf])
def test_an_objective_that_is_not_finite_is_a_failure(output: float) -> None:
    carbs = CARBS(params=SMALL)
    carbs.observe(ObservationInParam({"x": 0.5, "y": 5}, output, 3.0))
    assert len(carbs.failure_observations) == 1
    assert not carbs.success_observations


def test_points_on_the_way_of_a_run_come_and_go_with_it(carbs: CARBS) -> None:
    way = [ObservationInParam({"x": np.float64(0.1), "other": 3}, 4, 1), ObservationInParam({"x": 0.2}, 5.0, 2.0)]
    carbs.synchronize("sweep", {"a": ObservationInParam({"x": 0.3}, 6.0, 3.0, points=way)})
    plain = (ObservationInParam({"x": 0.1}, 4.0, 1.0), ObservationInParam({"x": 0.2}, 5.0, 2.0))
    assert [run.points for run in carbs.success_observations] == [(), plain]
    carbs.success_observations[1].points[0].input["x"] = 0.9  # a copy
    assert carbs.success_observations[1].points == plain
    carbs.synchronize("sweep", {"a": ObservationInParam({"x": 0.3}, math.nan, points=way)})
    assert [run.points for run in carbs.failure_observations] == [plain]
    carbs.synchronize("sweep", {})
    assert (seen(carbs), carbs.failure_observations) == ([9], [])


POINT = ObservationInParam({"x": 0.1}, 1.0, 1.0)


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (5, "points=5 must be a list of ObservationInParam"),
        ("text", "points='text' must be a list"),
        ([POINT, 5], r"points\[1\]: 5 must be an ObservationInParam"),
        ([ObservationInParam({"x": 7.0}, 1.0, 1.0)], r"points\[0\]: parameter 'x': value 7.0 must be"),
        ([ObservationInParam({"x": 0.1}, math.nan, 1.0)], r"points\[0\]: output=nan must be a finite number"),
        ([ObservationInParam({"x": 0.1}, 1.0, 1.0, is_failure=True)], r"points\[0\]: .* no failure"),
        ([ObservationInParam({"x": 0.1}, 1.0, -1.0)], r"points\[0\]: cost=-1.0 must be a positive"),
        ([ObservationInParam({"x": 0.1}, 1.0, 1.0, points=[POINT])], r"points\[0\]: points=.* must be empty"),
    ],
)
def test_what_is_no_point_on_a_way_is_refused_by_its_place(carbs: CARBS, points: Any, words: str) -> None:
    with pytest.raises(CarbsError, match=words):
        carbs.observe(ObservationInParam({"x": 0.5}, 1.0, 1.0, points=points))
    assert seen(carbs) == [9, 1, 2]
