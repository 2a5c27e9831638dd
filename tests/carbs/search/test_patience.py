"""Draws over the whole space, where the models' suggestions bring nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbs import CARBS, CARBSParams, LinearSpace, LogSpace, ObservationInParam, Param
from carbs.pareto import hypervolume
from carbs.search.patience import course_of
from carbs.search.situation import Course
from carbs.tuning import DEFAULT, Tuning

NEEDLE = [Param(f"x{i}", LinearSpace(0, 1)) for i in range(4)]
WITHOUT = replace(DEFAULT, patience=replace(DEFAULT.patience, at_first=10**9))

grids = st.integers(0, 4).map(float)
runs_of = st.lists(st.tuples(grids, grids, st.booleans()), max_size=12)


def observed(values: list[tuple[float, float, bool]]) -> list[ObservationInParam]:
    return [ObservationInParam({}, y, math.exp(cost), is_old=is_old) for y, cost, is_old in values]


@given(runs_of, st.sampled_from([1, -1]))
def test_a_course_is_that_of_the_hypervolume(values: list[tuple[float, float, bool]], sign: int) -> None:
    course = course_of(observed(values), sign, 0.1)
    if not values:
        assert course == Course(0, 0)
        return
    y, cost = (np.array([row[place] for row in values]) for place in (0, 1))
    width = float(np.ptp(cost))
    end = float(np.max(cost)) + (width / 4 or 1.0)
    reference = float(np.median(sign * y))
    volumes = [0.0, *(hypervolume(sign * y[:k], cost[:k], reference, end) for k in range(1, len(y) + 1))]
    steps, total = np.diff(volumes), volumes[-1]
    assert course.num_gains == sum(step > 0.1 * total * (1 + 1e-12) for step in steps.tolist())
    reached = next(k for k in range(len(y)) if total - volumes[k + 1] <= 0.1 * total + 1e-12)
    assert course.num_vain == sum(not is_old for _, _, is_old in values[reached + 1 :])


def test_a_cheap_point_on_the_way_is_a_gain_too() -> None:
    ends = [ObservationInParam({}, y, 100.0) for y in (0.0, 1.0, 0.5)]
    assert course_of(ends, 1, 0.02) == Course(1, 1)
    ends[2] = replace(ends[2], points=[ObservationInParam({}, 0.9, 1.0)])
    assert course_of(ends, 1, 0.02) == Course(2, 0)


def flat(carbs: CARBS, number: int) -> list[str]:
    """Let the objective be the same everywhere but for rounding, and return the kinds of suggestions."""
    kinds = []
    for _ in range(number):
        output = carbs.suggest()
        kinds.append(output.log["kind"])
        carbs.observe(ObservationInParam(output.suggestion, -0.693, 50.0))
    return kinds


def test_on_a_plateau_half_of_the_suggestions_are_drawn_over_the_whole_space() -> None:
    carbs = CARBS(params=NEEDLE)
    assert flat(carbs, 25)[5:] == ["random", "model"] * 10
    output = carbs.suggest()
    assert output.log["reason"] == "24 runs have brought no gain; this one is drawn over the whole space"
    assert output.log["predicted_cost"] == pytest.approx(50.0, rel=0.1)


def found(seed: int, tuning: Tuning) -> bool:
    """Say whether a search finds the good region, a sixteenth of the space, to which nothing leads."""
    carbs, rng = CARBS(CARBSParams(seed=seed), NEEDLE, tuning=tuning), np.random.default_rng(seed)
    for _ in range(40):
        suggestion = carbs.suggest().suggestion
        x = np.array([float(suggestion[param.name]) for param in NEEDLE])
        inside = 1 - float(np.max(np.abs(x - [0.3, 0.6, 0.55, 0.35]))) / 0.25
        if inside > 0.1:
            return True
        carbs.observe(ObservationInParam(suggestion, -0.693 + 1e-3 * rng.standard_normal() + max(inside, 0.0), 50.0))
    return False


@pytest.mark.slow
def test_a_good_region_in_a_plateau_is_found_more_often() -> None:
    with_patience, without = (sum(found(seed, tuning) for seed in range(16)) for tuning in (DEFAULT, WITHOUT))
    assert with_patience >= without + 4


def test_a_search_that_gains_is_left_to_its_models() -> None:
    carbs, kinds = CARBS(params=NEEDLE), []
    for number in range(25):
        output = carbs.suggest()
        kinds.append(output.log["kind"])
        carbs.observe(ObservationInParam(output.suggestion, float(number), 50.0))
    assert kinds[4:] == ["model"] * 21


def test_draws_keep_to_the_cap_and_to_the_rule() -> None:
    params = [Param("n", LogSpace(1, 1e4)), Param("x", LinearSpace(0, 1))]
    config = CARBSParams(max_suggestion_cost=100.0)
    carbs = CARBS(config, params, is_valid=lambda values: float(values["x"]) > 0.5)
    drawn = 0
    for place in range(40):
        output = carbs.suggest()
        n, x = float(output.suggestion["n"]), float(output.suggestion["x"])
        assert x > 0.5
        if place >= 4 and output.log["kind"] == "random":
            drawn += 1
            assert n < 150
        carbs.observe(ObservationInParam(output.suggestion, 0.5, n))
    assert drawn > 5


def test_workers_that_wait_for_one_another_draw_by_turns() -> None:
    carbs = CARBS(params=NEEDLE)
    flat(carbs, 12)
    kinds = [carbs.suggest().log["kind"] for _ in range(8)]
    assert kinds.count("random") == 4
