"""The run that is expected to add most to the frontier."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from carbs import (
    CARBS,
    CARBSParams,
    CategoricalSpace,
    LinearSpace,
    LogSpace,
    ObservationInParam,
    Param,
)
from carbs.tuning import DEFAULT, Tuning
from searches import PARAMS, SMALL, bowl, run, without_id


def expected_improvement(tuning: Tuning) -> float:
    """Return the one that is recorded for k = 3, which is all that is left to suggest."""
    config = CARBSParams(num_random_samples=2, resample_frequency=0)
    carbs = CARBS(config, [Param("k", LinearSpace(1, 6, is_integer=True))], tuning=tuning)
    for k in (1, 2, 5):
        carbs.observe(ObservationInParam({"k": k}, -abs(k - 3.2), 1.0 + k))
    for k in (4, 6):
        carbs.observe(ObservationInParam({"k": k}, is_failure=True))
    output = carbs.suggest()
    assert output.suggestion["k"] == 3
    assert output.log["success_probability"] < 0.99
    return float(output.log["expected_improvement"])


def test_the_recorded_improvement_is_the_gain_of_a_run_that_succeeds_over_all_costs() -> None:
    plain = expected_improvement(DEFAULT)
    assert plain > 0
    assert math.isfinite(plain)
    for changed in (
        replace(DEFAULT, gain=replace(DEFAULT.gain, failure_aversion=40)),
        replace(DEFAULT, gain=replace(DEFAULT.gain, band_share=1.0)),
    ):
        assert expected_improvement(changed) == pytest.approx(plain, rel=1e-9)


def test_outstanding_suggestions_are_never_repeated() -> None:
    carbs = CARBS(params=PARAMS)
    rng = random.Random(2)
    run(carbs, 10, lambda _: (rng.random(), 1 + rng.random()))
    batch = [json.dumps(without_id(carbs.suggest().suggestion)) for _ in range(16)]
    assert len(set(batch)) == 16
    assert len(carbs.outstanding_suggestions) == 16


def test_a_parallel_batch_spreads_nearly_as_far_as_the_initial_design() -> None:
    carbs = CARBS(params=SMALL)
    run(carbs, 10, bowl)
    points = carbs.space.encode([carbs.suggest().suggestion for _ in range(8)])
    distance = np.linalg.norm(points[:, None] - points[None], axis=2) + 10 * np.eye(8)
    assert np.mean(np.min(distance, axis=1)) > 0.1


def test_ten_identical_outstanding_suggestions_do_no_harm() -> None:
    carbs = CARBS(params=SMALL)
    run(carbs, 8, bowl)
    for i in range(10):
        carbs.remember_suggestion({"x": 0.25, "y": 7}, str(i))
    output = carbs.suggest()
    assert output.log["kind"] in ("model", "resample")
    assert without_id(output.suggestion) != {"x": 0.25, "y": 7}


def test_a_small_space_is_exhausted_before_anything_is_repeated() -> None:
    params = [Param("k", LinearSpace(1, 3, is_integer=True)), Param("c", CategoricalSpace(("a", "b")))]
    carbs = CARBS(CARBSParams(num_random_samples=2, resample_frequency=0), params)
    rows = run(carbs, 6, lambda v: (float(v["k"]), float(v["k"])))
    assert len({(row[0]["k"], row[0]["c"]) for row in rows}) == 6
    again = carbs.suggest()
    assert again.log["kind"] == "resample"
    assert "has been tried" in again.log["reason"]


@pytest.mark.parametrize("frequency", [0, 4])
def test_resampling_is_limited_and_can_be_switched_off(frequency: int) -> None:
    rng = np.random.default_rng(2)
    carbs = CARBS(CARBSParams(resample_frequency=frequency, seed=2), SMALL)
    num_repeats = 0
    for number in range(25):
        output = carbs.suggest()
        num_repeats += output.log["kind"] == "resample"
        assert num_repeats * frequency <= number
        objective, cost = bowl(output.suggestion)
        carbs.observe(ObservationInParam(output.suggestion, objective + 5 * rng.normal(), cost))
    assert (num_repeats > 0) == (frequency > 0)


def test_a_noisy_small_space_is_repeated_where_that_tells_most() -> None:
    """Once every configuration has been run, the search must not repeat the cheapest for ever."""
    rng = np.random.default_rng(0)
    carbs = CARBS(params=[Param("n", LinearSpace(1, 3, is_integer=True))])
    repeated = Counter[int]()
    for _ in range(16):
        suggestion = carbs.suggest().suggestion
        n = int(suggestion["n"])
        repeated[n] += 1
        carbs.observe(ObservationInParam(suggestion, n + 0.5 * rng.normal(), float(n)))
    assert min(repeated[n] for n in (1, 2, 3)) >= 2


@pytest.mark.parametrize("num_running", [0, 6])
def test_the_cap_holds_where_everything_below_it_has_been_run(num_running: int) -> None:
    config = CARBSParams(max_suggestion_cost=35.0, resample_frequency=0)
    carbs = CARBS(config, [Param("n", LinearSpace(1, 10, is_integer=True))])
    for n in range(1, 6):
        carbs.observe(ObservationInParam({"n": n}, float(n), 10.0 * n))
    for i in range(num_running):
        carbs.remember_suggestion({"n": 1 + i % 3}, str(i))
    outputs = [carbs.suggest() for _ in range(3)]
    assert {output.suggestion["n"] for output in outputs} <= {1, 2, 3}
    assert all("has been tried" in output.log["reason"] for output in outputs)


@pytest.mark.parametrize("seed", range(3))
def test_an_open_space_is_climbed_not_descended(seed: int) -> None:
    params = [Param("n", LogSpace(), 1000.0), Param("rate", LogSpace(), 1e-3), Param("x", LinearSpace(0, 1), 0.3)]
    carbs = CARBS(CARBSParams(seed=seed), params)
    rng = np.random.default_rng(seed)
    costs: list[float] = []
    for _ in range(40):
        suggestion = carbs.suggest().suggestion
        n, rate, x = (float(suggestion[param.name]) for param in params)
        loss = n**-0.3 + 0.05 * (math.log10(rate) + 2) ** 2 + 0.3 * (x - 0.5) ** 2 + 0.003 * rng.standard_normal()
        carbs.observe(ObservationInParam(suggestion, -loss, n))
        costs.append(n)
    assert max(costs) > 1e6
    assert min(costs) > 1  # the centre costs 1000; ever cheaper runs would "gain" at ever lower costs
