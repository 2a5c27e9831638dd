"""Suggestions of which some values are given: the sizes that a user will train."""

from __future__ import annotations

import math

import pytest

from carbs import (
    CARBS,
    CarbsError,
    CARBSParams,
    CategoricalSpace,
    LinearSpace,
    LogSpace,
    ObservationInParam,
    Param,
    ParamDict,
    Pow2Space,
)
from carbs.spaces.identity import keys
from searches import PARAMS, run, without_id

# The best rate goes down with the size, and the cost up.
SIZED = [Param("size", LogSpace(min=1, max=1000)), Param("rate", LogSpace(min=1e-4, max=1.0))]


def decades_off(values: ParamDict) -> float:
    return math.log10(float(values["rate"]) * float(values["size"]) ** 0.5 / 0.3)


def trained(values: ParamDict) -> tuple[float, float]:
    size = float(values["size"])
    return -(size**-0.3) - decades_off(values) ** 2, size


@pytest.fixture(scope="module")
def searched() -> CARBS:
    """A search of 15 runs, whose size stays below 100."""
    carbs = CARBS(CARBSParams(max_suggestion_cost=1e6), SIZED)
    for place in range(15):
        values: ParamDict = {"size": 10 ** (place % 5 / 2.5), "rate": 10 ** -(0.4 + place * 7 % 15 / 5)}
        objective, cost = trained(values)
        carbs.observe(ObservationInParam(values, objective, cost))
    return carbs


@pytest.mark.parametrize("number", [0, 3, 12])
@pytest.mark.parametrize("for_cost", [None, 20.0])
def test_given_values_are_kept_at_every_stage_and_all_others_searched(number: int, for_cost: float | None) -> None:
    carbs = CARBS(params=PARAMS)
    run(carbs, number, lambda values: (-abs(math.log10(float(values["lr"])) + 3), 10.0 * float(values["layers"])))
    given: ParamDict = {"layers": 4, "optimizer": "sgd", "gamma": 0.93}
    outputs = [carbs.suggest(given=given, for_cost=for_cost) for _ in range(4)]
    for output in outputs:
        assert {name: output.suggestion[name] for name in given} == given
        assert carbs.space.problems_with(output.suggestion) == []
    points = carbs.space.encode([without_id(output.suggestion) for output in outputs])
    assert len(set(keys(points))) == 4


def test_the_rest_is_that_of_the_given_size(searched: CARBS) -> None:
    """Nine times as large as any run, yet within its limits of cost: the user wants it so."""
    output = searched.suggest(given={"size": 350.0}, is_suggestion_remembered=False)
    assert output.suggestion["size"] == 350.0
    assert abs(decades_off(output.suggestion)) < 0.4
    assert "reason" not in output.log
    assert output.log["predicted_cost"] == pytest.approx(350.0, rel=0.5)


def test_runs_of_other_sizes_are_no_rivals(searched: CARBS) -> None:
    """No small run is on the frontier any more, and still the best of the small ones is found."""
    output = searched.suggest(given={"size": 1.5}, is_suggestion_remembered=False)
    assert abs(decades_off(output.suggestion)) < 0.4
    assert output.log["expected_improvement"] > 0


def test_what_is_given_is_not_rounded() -> None:
    space = LinearSpace(0, 1000, is_integer=True, rounding_factor=100)
    carbs = CARBS(params=[Param("n", space), Param("x", LinearSpace(0, 1))])
    assert carbs.suggest(given={"n": 123}).suggestion["n"] == 123


def test_the_users_cap_is_kept_or_the_reason_said(searched: CARBS) -> None:
    params = [*SIZED, Param("epochs", LogSpace(min=1, max=64, is_integer=True))]
    carbs = CARBS(CARBSParams(max_suggestion_cost=1000.0), params)
    for observation in searched.success_observations:
        for epochs in (2, 16):
            values = {**observation.input, "epochs": epochs}
            carbs.observe(ObservationInParam(values, observation.output - 1 / epochs, observation.cost * epochs))
    output = carbs.suggest(given={"size": 200.0})
    assert int(output.suggestion["epochs"]) <= 6
    assert "reason" not in output.log
    output = carbs.suggest(given={"size": 200.0, "epochs": 64})
    assert "more than the limit" in output.log["reason"]
    assert (output.suggestion["size"], output.suggestion["epochs"]) == (200.0, 64)


def test_the_users_rule_holds_beside_given_values() -> None:
    params = [Param("batch", Pow2Space(8, 256)), Param("part", Pow2Space(1, 256)), Param("x", LinearSpace(0, 1))]
    carbs = CARBS(params=params, is_valid=lambda values: int(values["batch"]) % int(values["part"]) == 0)
    for _ in range(6):
        suggestion = carbs.suggest(given={"batch": 16}).suggestion
        assert suggestion["batch"] == 16
        assert 16 % int(suggestion["part"]) == 0
        carbs.observe(ObservationInParam(suggestion, float(suggestion["x"]), 1.0))
    carbs = CARBS(params=params, is_valid=lambda values: int(values["batch"]) < 16)
    with pytest.raises(CarbsError, match="that have the given values"):
        carbs.suggest(given={"batch": 16})


def test_wanted_configurations_of_other_values_wait() -> None:
    wanted = [{"size": 10.0, "rate": 0.1}, {"size": 100.0, "rate": 0.01}]
    carbs = CARBS(params=SIZED, initial=wanted)
    output = carbs.suggest(given={"size": 100.0})
    assert (output.log["kind"], output.suggestion["rate"]) == ("initial", 0.01)
    assert carbs.suggest(given={"size": 100.0}).log["kind"] == "random"
    assert carbs.suggest().suggestion["size"] == 10.0


def test_the_first_run_around_a_centre_has_the_given_values() -> None:
    params = [SIZED[0], Param("rate", LogSpace(min=1e-4, max=1.0), search_center=0.01)]
    suggestion = CARBS(params=params).suggest(given={"size": 2.0}).suggestion
    assert (suggestion["size"], suggestion["rate"]) == (2.0, 0.01)


def test_where_everything_is_given_it_is_suggested() -> None:
    carbs = CARBS(params=[Param("x", LinearSpace(0, 1)), Param("choice", CategoricalSpace(("a", "b")))])
    for place in range(6):
        suggestion = carbs.suggest(given={"x": 0.25, "choice": "b"}).suggestion
        assert without_id(suggestion) == {"x": 0.25, "choice": "b"}
        carbs.observe(ObservationInParam(suggestion, place / 10, 1.0))
