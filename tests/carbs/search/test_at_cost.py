"""`suggest(for_cost=…)`: runs that tighten the prediction at a cost."""

from __future__ import annotations

import math
import statistics

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


def test_guesses_do_not_cost_many_times_what_was_seen() -> None:
    params = [Param("n", LogSpace(1, 1e4), 1), *(Param(f"x{i}", LinearSpace(0, 1), 0.5) for i in range(4))]

    def worst(seed: int) -> float:
        carbs = CARBS(CARBSParams(seed=seed), params)
        costs: list[float] = []
        ratios = [0.0]
        for _ in range(12):
            output = carbs.suggest(for_cost=1e4)
            cost = float(output.suggestion["n"])
            if costs:
                ratios.append(cost / max(2 * max(costs), 0.3 * sum(costs)))
            costs.append(cost)
            carbs.observe(ObservationInParam(output.suggestion, math.log(cost), cost))
        return max(ratios)

    ratios = [worst(seed) for seed in range(7)]
    assert statistics.median(ratios) < 4
    assert max(ratios) < 30


def test_where_every_run_is_too_dear_a_cheap_new_one_is_suggested() -> None:
    carbs = searched(max_suggestion_cost=1e-3)
    for x in (0.1, 0.4, 0.9):
        carbs.observe(ObservationInParam({"n": 1.0, "x": x}, is_failure=True))
    tried = [run.input for run in (*carbs.success_observations, *carbs.failure_observations)]
    for _ in range(3):
        output = carbs.suggest(for_cost=500.0)
        assert "limit" in output.log["reason"]
        assert float(output.suggestion["n"]) < 5
        values = {name: output.suggestion[name] for name in ("n", "x")}
        assert values not in tried
        tried.append(values)


@pytest.mark.parametrize("cost", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("number", [0, 8])
def test_a_bad_cost_is_refused_at_once(cost: float, number: int) -> None:
    with pytest.raises(CarbsError, match="for_cost"):
        searched(number).suggest(for_cost=cost)
