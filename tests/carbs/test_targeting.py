"""`suggest(for_cost=…)`: runs that tighten the prediction at a cost."""

from __future__ import annotations

import math

import pytest

from carbs import CARBS, CarbsError, CARBSParams, LinearSpace, LogSpace, ObservationInParam, Param, ParamDict

PARAMS = [Param("n", LogSpace(1, 1000), 3), Param("x", LinearSpace(0, 1), 0.5)]


def evaluate(values: ParamDict) -> tuple[float, float]:
    n, x = float(values["n"]), float(values["x"])
    return math.log(n) - 4 * (x - 0.2 - 0.1 * math.log10(n)) ** 2, n


def searched(number: int = 14, **options: float) -> CARBS:
    carbs = CARBS(CARBSParams(**options), PARAMS)  # type: ignore[arg-type]
    for _ in range(number):
        suggestion = carbs.suggest().suggestion
        carbs.observe(ObservationInParam(suggestion, *evaluate(suggestion)))
    return carbs


def test_runs_for_a_cost_narrow_its_prediction() -> None:
    carbs = searched()
    deviations = []
    for _ in range(5):
        output = carbs.suggest(for_cost=60.0)
        deviations.append(output.log["target_objective_std"])
        assert output.log["predicted_cost"] <= 60.0 * 1.2
        carbs.observe(ObservationInParam(output.suggestion, *evaluate(output.suggestion)))
    assert deviations[-1] < 0.5 * deviations[0]
    truth = math.log(60.0)
    assert carbs.suggest(for_cost=60.0).log["target_objective"] == pytest.approx(truth, abs=0.2)


def test_the_cap_holds() -> None:
    carbs = searched(max_suggestion_cost=20.0)
    assert carbs.suggest(for_cost=500.0).log["predicted_cost"] <= 20.0


@pytest.mark.parametrize("cost", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("number", [0, 8])
def test_a_bad_cost_is_refused_at_once(cost: float, number: int) -> None:
    with pytest.raises(CarbsError, match="for_cost"):
        searched(number).suggest(for_cost=cost)
