"""Draws over the whole space, where the models' suggestions bring nothing."""

from __future__ import annotations

import itertools
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
from carbs.spaces.search_space import as_space
from carbs.spaces.values import ParamDict
from carbs.tuning import DEFAULT, Tuning
from searches import without_id

NEEDLE = [Param(f"x{i}", LinearSpace(0, 1)) for i in range(4)]
WITHOUT = replace(DEFAULT, patience=replace(DEFAULT.patience, draw_share=0.0))

grids = st.integers(0, 4).map(float)
runs_of = st.lists(st.tuples(grids, grids, st.booleans()), max_size=12)


def observed(values: list[tuple[float, float, bool]]) -> list[ObservationInParam]:
    return [ObservationInParam({}, y, math.exp(cost), is_old=is_old) for y, cost, is_old in values]


@given(runs_of, st.sampled_from([1, -1]), st.integers(0, 3))
def test_a_course_is_that_of_the_hypervolume(values: list[tuple[float, float, bool]], sign: int, first: int) -> None:
    course = course_of(as_space(NEEDLE), observed(values), sign, first, 0.1)
    if not values:
        assert course == Course(0, 0)
        return
    y, cost = (np.array([row[place] for row in values]) for place in (0, 1))
    width = float(np.ptp(cost))
    end = float(np.max(cost)) + (width / 4 or 1.0)
    reference = float(np.median(sign * y))
    volumes = [hypervolume(sign * y[:k], cost[:k], reference, end) for k in range(len(y) + 1)]
    steps = [after - before > 0.1 * after + 1e-12 for before, after in itertools.pairwise(volumes)]
    assert course.num_gains == sum(steps)
    reached = next(k for k in range(len(y)) if volumes[k + 1] >= 0.9 * volumes[-1] - 1e-12)
    own = [k for k, (_, _, is_old) in enumerate(values) if not is_old][first:]
    assert course.num_vain == sum(k > reached for k in own)


def test_a_cheap_point_on_the_way_is_a_gain_too() -> None:
    ends = [ObservationInParam({}, y, 100.0) for y in (0.0, 1.0, 0.5)]
    assert course_of(as_space(NEEDLE), ends, 1, 0, 0.02) == Course(1, 1)
    ends[2] = replace(ends[2], points=[ObservationInParam({}, 0.9, 1.0)])
    assert course_of(as_space(NEEDLE), ends, 1, 0, 0.02) == Course(2, 0)


def test_of_equally_long_runs_whole_ones_alone_are_gains_and_stopped_ones_are_vain() -> None:
    space = as_space([*NEEDLE, Param("epochs", LogSpace(1, 50, is_integer=True), fixed=50)])

    def run(epochs: int, y: float, *points: ObservationInParam) -> ObservationInParam:
        return ObservationInParam({"epochs": epochs}, y, float(epochs), points=points)

    ends = [run(50, 0.0), run(50, 1.0, run(5, 0.9)), run(20, 2.0, run(5, 3.0)), run(50, 0.5)]
    assert course_of(space, ends, 1, 0, 0.02) == Course(1, 2)
    assert course_of(space, ends[2:3], 1, 0, 0.02) == Course(0, 0)


def flat(carbs: CARBS, number: int) -> list[str]:
    """Let the objective be the same everywhere, and return the kinds of suggestions."""
    kinds = []
    for _ in range(number):
        output = carbs.suggest()
        kinds.append(output.log["kind"])
        carbs.observe(ObservationInParam(output.suggestion, -0.693, 50.0))
    return kinds


def test_on_a_plateau_half_of_the_suggestions_are_drawn_over_the_whole_space() -> None:
    carbs = CARBS(params=NEEDLE)
    kinds = flat(carbs, 60)
    assert 0.3 < kinds[4:].count("random") / 56 < 0.7
    while (output := carbs.suggest()).log["kind"] != "random":
        carbs.observe(ObservationInParam(output.suggestion, -0.693, 50.0))
    vain = len(carbs.success_observations) - 4
    assert output.log["reason"] == f"{vain} runs have brought no gain; this one is drawn over the whole space"
    assert output.log["predicted_cost"] == pytest.approx(50.0, rel=0.1)


def test_failures_do_not_keep_the_draws_or_the_models_from_their_turn() -> None:
    for failing in ("random", "model"):
        carbs = CARBS(params=NEEDLE)
        flat(carbs, 12)
        kinds = []
        for _ in range(40):
            output = carbs.suggest()
            kinds.append(output.log["kind"])
            carbs.observe(ObservationInParam(output.suggestion, -0.693, 50.0, is_failure=kinds[-1] == failing))
        assert 8 < kinds.count("random") < 32


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


@pytest.mark.parametrize("number", [25, 150])
def test_a_search_that_gains_is_left_to_its_models(number: int) -> None:
    carbs = CARBS(params=NEEDLE)
    rng = np.random.default_rng(0)
    for place in range(number):
        values: ParamDict = {param.name: float(rng.random()) for param in NEEDLE}
        carbs.observe(ObservationInParam(values, float(place), 50.0))
    kinds = []
    for place in range(8):
        output = carbs.suggest()
        kinds.append(output.log["kind"])
        carbs.observe(ObservationInParam(output.suggestion, float(number + place), 50.0))
    assert set(kinds) == {"model"}


def test_draws_keep_to_the_cap_and_to_the_rule_and_are_new() -> None:
    params = [Param("n", LogSpace(1, 1e4)), Param("k", LinearSpace(1, 12, is_integer=True))]
    config = CARBSParams(max_suggestion_cost=100.0)
    carbs = CARBS(config, params, is_valid=lambda values: float(values["k"]) > 6)
    drawn = []
    for place in range(50):
        output = carbs.suggest()
        n, k = float(output.suggestion["n"]), int(output.suggestion["k"])
        assert k > 6
        if place >= 4 and output.log["kind"] == "random":
            drawn.append((n, k))
            assert n < 150
        carbs.observe(ObservationInParam(output.suggestion, 0.5, n))
    assert len(set(drawn)) == len(drawn) > 5


def test_draws_leave_out_what_would_probably_fail() -> None:
    carbs = CARBS(params=[Param("x", LinearSpace(0, 1)), Param("y", LinearSpace(0, 1))])
    late = []
    for place in range(60):
        output = carbs.suggest()
        fails = float(output.suggestion["x"]) > 0.5
        if place >= 20 and output.log["kind"] == "random":
            late.append(fails)
        carbs.observe(ObservationInParam(output.suggestion, 0.5, 50.0, is_failure=fails))
    assert len(late) > 8
    assert np.mean(late) < 0.2


def test_a_rule_that_leaves_next_to_nothing_is_no_error() -> None:
    inside = [{param.name: 0.02 + 0.01 * place for param in NEEDLE} for place in range(4)]
    carbs = CARBS(
        params=NEEDLE, initial=inside, is_valid=lambda values: max(map(float, without_id(values).values())) < 0.06
    )
    assert "random" not in flat(carbs, 24)


def test_values_that_are_given_and_spaces_without_bounds_are_left_to_the_models() -> None:
    carbs = CARBS(params=NEEDLE)
    flat(carbs, 30)
    kinds = {carbs.suggest(given={"x0": 0.5}, is_suggestion_remembered=False, seed=k).log["kind"] for k in range(8)}
    assert kinds == {"model"}
    open_space = CARBS(params=[Param("n", LogSpace(), 100.0), Param("x", LinearSpace(0, 1))])
    assert "random" not in flat(open_space, 30)[4:]


def test_workers_that_start_together_both_draw_and_ask_the_models() -> None:
    carbs = CARBS(params=NEEDLE)
    flat(carbs, 12)
    kinds = [carbs.suggest().log["kind"] for _ in range(32)]
    assert 8 < kinds.count("random") < 24
