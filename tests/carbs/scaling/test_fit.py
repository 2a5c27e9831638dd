"""Scaling laws against simulated sweeps whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
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
)
from carbs.insight import Insight
from carbs.scaling import ScalingLaws, scaling_laws
from carbs.spaces.values import ParamDict

# Four kinds of spaces; the size drives the cost. The names are the truth: transformed value at cost 1, and its slope.
PARAMS = (
    Param("size", LogSpace(min=1e0, max=1e9)),
    Param("rate", LogSpace(min=1e-5, max=1e0, base=2)),
    Param("width", Pow2Space(min=1, max=4096)),
    Param("momentum", LogitSpace(min=0.01, max=0.999)),
    Param("depth", LinearSpace(min=0.0, max=10.0)),
    Param("method", CategoricalSpace(("plain", "good"))),
)
TRUTH = {"size": (2.0, 0.8), "rate": (-2.0, -0.25), "width": (1.0, 0.3), "momentum": (0.5, 0.0), "depth": (3.0, 1.0)}


def around_the_line(
    number: int, *, decades: float = 4.0, sign: int = 1, loss: Callable[[float], float] = lambda t: 1 + 10 ** (-0.3 * t)
) -> list[ObservationInParam]:
    """Return runs that scatter around the line of `TRUTH`, with a loss that is quadratic in the distance from it."""
    rng = np.random.default_rng(5)
    observations = []
    for _ in range(number):
        t = rng.uniform(0, decades)
        off = rng.normal(0, 0.4, 5) * [0, 1, 1, 1, 2]
        size, rate, width, momentum, depth = (
            a + b * t + shift for (a, b), shift in zip(TRUTH.values(), off, strict=True)
        )
        values = {
            "size": 10**size,
            "rate": 10**rate,
            "width": 2 ** round(min(max(width, 0), 3.6) / math.log10(2)),
            "momentum": 1 / (1 + 10**-momentum),
            "depth": min(max(depth, 0.0), 10.0),
            "method": "good" if rng.random() < 0.7 else "plain",
        }
        seen = [math.log10(values["width"]) - 1 - 0.3 * t, values["depth"] - 3 - t]
        penalty = 0.1 * off[1] ** 2 + 0.1 * seen[0] ** 2 + 0.1 * off[3] ** 2 + 0.02 * seen[1] ** 2
        total = loss(t) + penalty + 0.05 * (values["method"] == "plain") + 0.003 * rng.standard_normal()
        observations.append(ObservationInParam(values, -sign * total, 10**t))
    return observations


@pytest.fixture(scope="module")
def laws() -> ScalingLaws:
    return scaling_laws(PARAMS, around_the_line(90))


@pytest.mark.parametrize("name", TRUTH)
def test_laws_are_found_in_every_kind_of_space(laws: ScalingLaws, name: str) -> None:
    """Exponents and intercepts are those in decades, whatever the base or the kind of the space."""
    law = laws[name]
    intercept, slope = TRUTH[name]
    low, high = law.interval
    assert law.exponent == pytest.approx(slope, abs=0.06)
    assert law.intercept == pytest.approx(intercept, abs=0.15)
    assert low <= law.exponent <= high
    assert low - 0.02 <= slope <= high + 0.02
    # One interval in ten misses the truth, so of what does not scale nothing is sure.
    assert law.is_scaling or name == "momentum"
    assert law.is_scaling == (not low <= 0 <= high)


def test_an_unknown_law_is_named(laws: ScalingLaws) -> None:
    with pytest.raises(CarbsError, match="no law of 'epochs', only of"):
        laws["epochs"]


def test_choices_have_no_law(laws: ScalingLaws) -> None:
    assert [law.name for law in laws.params] == list(TRUTH)


def test_predictions_hold_the_truth_at_a_larger_cost(laws: ScalingLaws) -> None:
    for law in laws.params:
        prediction = law.predict(1e5)
        assert prediction.low <= prediction.value <= prediction.high
    size = laws["size"].predict(1e5)
    assert size.value == pytest.approx(1e6, rel=0.2)
    assert isinstance(laws["width"].predict(1e5).value, int)


def test_predictions_stay_in_bounds(laws: ScalingLaws) -> None:
    assert laws["depth"].predict(laws.reach.limit).value == 10.0


def test_intervals_widen_with_the_distance(laws: ScalingLaws) -> None:
    near, far = (laws["rate"].predict(cost) for cost in (1e2, 1e7))
    assert math.log(far.high / far.low) > 2 * math.log(near.high / near.low)


@pytest.mark.parametrize("cost", [1e9, 1e-6])
def test_predictions_too_far_away_are_refused(laws: ScalingLaws, cost: float) -> None:
    """No law reaches further beyond the costs seen than they span."""
    for law in (laws["size"], laws.objective):
        with pytest.raises(CarbsError, match="too far from the costs"):
            law.predict(cost)


@pytest.mark.parametrize("cost", [0.0, -1.0, math.nan, math.inf])
def test_costs_must_be_positive(laws: ScalingLaws, cost: float) -> None:
    with pytest.raises(CarbsError, match="must be a positive, finite number"):
        laws["size"].predict(cost)


def test_formulas_name_the_transform(laws: ScalingLaws) -> None:
    assert laws["size"].formula.startswith("size = ")
    assert " * cost^" in laws["width"].formula
    assert laws["momentum"].formula.startswith("log10(momentum / (1 - momentum)) = ")
    assert laws["depth"].formula.endswith("log10(cost)")


@pytest.mark.parametrize("sign", [1, -1])
def test_the_objective_follows_a_saturating_power_law(sign: int) -> None:
    """Limit and exponent are found in either direction, and the prediction is in the objective's own."""
    config = CARBSParams(better_direction_sign=sign)
    law = scaling_laws(PARAMS, around_the_line(90, sign=sign), config).objective
    assert law.reason == ""
    assert law.exponent == pytest.approx(0.3, abs=0.05)
    assert law.limit == pytest.approx(1.0, abs=0.05)
    assert law.limit_interval[0] <= law.limit <= law.limit_interval[1]
    assert law.exponent_interval[0] <= law.exponent <= law.exponent_interval[1]
    prediction = law.predict(1e5)
    assert prediction.low <= prediction.value <= prediction.high
    assert prediction.value == pytest.approx(-sign * (1 + 10**-1.5), abs=0.02)


def test_an_objective_that_gets_worse_has_no_laws() -> None:
    """The frontier is then at the cheapest end, and spans nothing."""
    with pytest.raises(CarbsError, match=r"at least 0\.5 decades of cost are needed"):
        scaling_laws(PARAMS, around_the_line(60, loss=lambda t: 1 + 0.1 * t))


def test_an_objective_that_hardly_improves_is_not_extrapolated() -> None:
    """Noise alone makes a frontier, but no law."""
    law = scaling_laws(PARAMS, around_the_line(60, decades=0.9, loss=lambda t: 1 - 0.008 * t)).objective
    assert "not sure that the objective improves" in law.reason
    with pytest.raises(CarbsError, match="cannot be extrapolated"):
        law.predict(1.5 * law.reach.high)


def test_same_seed_same_laws() -> None:
    observations = around_the_line(40)
    one, two = (scaling_laws(PARAMS, observations, seed=3, num_bootstrap=5) for _ in range(2))
    assert one == two


@pytest.mark.parametrize("factor", [1e-12, 1e12])
def test_units_of_the_objective_and_the_cost_do_not_matter(factor: float) -> None:
    observations = around_the_line(40)
    scaled = [ObservationInParam(o.input, factor * o.output, factor * o.cost) for o in observations]
    one, other = (scaling_laws(PARAMS, runs, num_bootstrap=5) for runs in (observations, scaled))
    for law, same in zip(one.params, other.params, strict=True):
        assert same.exponent == pytest.approx(law.exponent, abs=0.02)


def test_runs_without_noise_and_repeats_are_no_trouble() -> None:
    """Nearly singular systems are solved: few costs, many repeats, an objective that the cost tells exactly."""
    observations = []
    for k in range(30):
        size = 10.0 ** (k // 3)
        values: ParamDict = {"size": size, "rate": 10.0 ** -(k % 3)}
        observations += [ObservationInParam(values, -(size**-0.2) - 0.1 * (k % 3), size)] * 2
    law = scaling_laws(PARAMS[:2], observations, num_bootstrap=5)["size"]
    assert law.exponent == pytest.approx(1.0, abs=1e-3)


def test_failures_are_left_out() -> None:
    observations = around_the_line(40)
    failed = ObservationInParam(observations[0].input, is_failure=True)
    assert scaling_laws(PARAMS, [*observations, failed], num_bootstrap=3) == scaling_laws(
        PARAMS, observations, num_bootstrap=3
    )


@pytest.mark.parametrize("fit", [scaling_laws, Insight])
@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"input": {"size": 1.0}}, "'rate' is missing"),
        ({"input": None}, "None must be a dictionary"),
        ({"output": "good"}, "output='good'"),
        ({"cost": 0.0}, r"cost=0\.0"),
        ({"cost": math.nan}, "cost=nan"),
        ({"cost": -1.0, "input": {}}, r"cost=-1\.0"),
        (None, "None must be an ObservationInParam"),
    ],
)
def test_a_bad_observation_is_named_with_its_place(
    fit: Callable[[Any, Any], object], bad: dict[str, Any] | None, words: str
) -> None:
    observations: list[Any] = [*around_the_line(40)]
    observations[7] = bad if bad is None else replace(observations[7], **bad)
    with pytest.raises(CarbsError, match=rf"(?s)observations\[7\]: invalid observation.*{words}"):
        fit(PARAMS, observations)


@pytest.mark.parametrize("fit", [scaling_laws, Insight])
def test_what_are_no_parameters_or_observations_is_refused(fit: Callable[[Any, Any], object]) -> None:
    with pytest.raises(CarbsError, match="params=None must be a list"):
        fit(None, around_the_line(40))
    with pytest.raises(CarbsError, match="observations=5 must be a list"):
        fit(PARAMS, 5)


def test_an_objective_that_is_not_finite_is_a_failure_to_the_models_too() -> None:
    observations = around_the_line(40)
    diverged = replace(observations[0], output=math.nan)
    insight = Insight(PARAMS, [*observations, diverged])
    assert (len(insight.successes), len(insight.failures)) == (40, 1)
    laws = scaling_laws(PARAMS, [*observations, diverged], num_bootstrap=3)
    assert laws == scaling_laws(PARAMS, observations, num_bootstrap=3)


def test_too_few_runs_are_refused() -> None:
    with pytest.raises(CarbsError, match=r"9 different configurations succeeded.* at least 15"):
        scaling_laws(PARAMS, around_the_line(9))
    with pytest.raises(CarbsError, match="0 different configurations"):
        scaling_laws(PARAMS, [])


def test_too_few_decades_are_refused() -> None:
    with pytest.raises(CarbsError, match=r"at least 0\.5 decades of cost are needed"):
        scaling_laws(PARAMS, around_the_line(40, decades=0.4))


def test_a_space_of_choices_has_no_laws() -> None:
    observations = [ObservationInParam({"method": "good"}, 1.0, 1.0)] * 20
    with pytest.raises(CarbsError, match="all hyperparameters are choices"):
        scaling_laws(PARAMS[5:], observations)


@pytest.mark.parametrize("number", [1, 2.5, "two", None])
def test_a_bad_number_of_bootstrap_draws_is_refused(number: Any) -> None:
    with pytest.raises(CarbsError, match="num_bootstrap="):
        scaling_laws(PARAMS, around_the_line(40), num_bootstrap=number)


def test_a_single_hyperparameter_follows_the_cost() -> None:
    """Nothing is left to the curvatures where the cost alone determines the value."""
    values = np.geomspace(1, 1e4, 30)
    observations = [ObservationInParam({"size": float(v)}, -float(v**-0.5), float(v**2)) for v in values]
    law = scaling_laws(PARAMS[:1], observations, num_bootstrap=5)["size"]
    assert law.exponent == pytest.approx(0.5, abs=1e-3)


def test_exponents_of_a_search(problems: Any) -> None:
    """The paper's claim: the exponents of a search of 70 runs that is not told which parameters drive the cost."""
    problem = problems.ScalingLaw()
    carbs = CARBS(CARBSParams(seed=1), problem.params)
    problems.run_sweep(problem, carbs, 70, seed=1)
    laws = scaling_laws(problem.params, carbs.success_observations, num_bootstrap=10)
    truth = problem.exponents
    assert truth["n_params"] == pytest.approx(0.5)
    assert laws["n_params"].exponent == pytest.approx(0.5, abs=0.05)
    assert laws["learning_rate"].exponent == pytest.approx(truth["learning_rate"], abs=0.05)
    assert laws["n_params"].is_scaling


def test_all_laws_at_a_cost(laws: ScalingLaws) -> None:
    advice = laws.at(1e5)
    assert advice.params == {law.name: law.predict(1e5) for law in laws.params}
    assert advice.objective == laws.objective.predict(1e5)
    assert list(advice.values) == list(TRUTH)


@pytest.mark.parametrize("size", [1e150, 1e300])
def test_objectives_that_no_square_holds(size: float) -> None:
    """Runs that diverge to where floats end change nothing, and neither does a whole sweep of such."""
    runs = around_the_line(60)
    diverged = [replace(run, output=-size) if place % 4 == 3 else run for place, run in enumerate(runs)]
    laws = scaling_laws(PARAMS, diverged, num_bootstrap=5)
    assert set(range(3, 60, 4)) <= set(laws.diverged)
    assert len(laws.diverged) < 20
    assert laws["size"].exponent == pytest.approx(0.8, abs=0.08)
    assert math.isfinite(laws.objective.predict(1e4).value)
    huge = [replace(run, output=run.output * 1e149) for run in runs]
    assert scaling_laws(PARAMS, huge, num_bootstrap=5)["size"].exponent == pytest.approx(0.8, abs=0.08)


def test_the_order_of_the_runs_does_not_matter() -> None:
    runs = around_the_line(60)
    one, other = (scaling_laws(PARAMS, some, num_bootstrap=3) for some in (runs, runs[::-1]))
    assert (one.params, one.objective) == (other.params, other.objective)


def test_a_table_of_thousands_of_runs_is_used_near_its_frontier(tables: Any) -> None:
    """Beyond 3000 runs those far from the frontier are left out, not those that come last."""
    table = tables.Table()
    runs = table.observations() + table.observations(1)
    laws = scaling_laws(table.params, runs, CARBSParams(better_direction_sign=-1), num_bootstrap=2)
    assert laws["n"].exponent == pytest.approx(0.28 / 0.62, abs=0.02)


@pytest.mark.parametrize("seed", [-1, "x", 1.5])
def test_the_seed_must_be_a_whole_number(seed: Any) -> None:
    with pytest.raises(CarbsError, match="seed="):
        scaling_laws(PARAMS, around_the_line(40), seed=seed)


def test_runs_that_all_have_the_same_objective_are_told() -> None:
    runs = [replace(run, output=0.5) for run in around_the_line(40)]
    with pytest.raises(CarbsError, match=r"all 40 runs have the same objective, 0\.5"):
        scaling_laws(PARAMS, runs)
