"""What an optimizer knows of a source is what the source says now."""

from __future__ import annotations

import pytest

from carbs import CARBS, CarbsError, LinearSpace, ObservationInParam, Param

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
