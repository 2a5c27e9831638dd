from __future__ import annotations

import math

import numpy as np
import pytest

from carbs import CarbsError, LinearSpace, LogitSpace, LogSpace, ObservationInParam, Param, Pow2Space
from carbs.doubts import Edge, Rest, doubts, edges, held_share, rest

SPACE = (Param("rate", LogSpace(min=1e-4, max=0.1)), Param("width", LinearSpace(min=2, max=9, is_integer=True)))


def run(rate: float, width: int, objective: float, cost: float, *, failed: bool = False) -> ObservationInParam:
    return ObservationInParam({"rate": rate, "width": width}, objective, cost, is_failure=failed)


def test_edges_of_each_end() -> None:
    """Only configurations exactly on a bound count, each end for itself, the most frequent first."""
    found = edges(SPACE, [{"rate": 0.1, "width": 2}, {"rate": 0.1, "width": 5}, {"rate": 0.0999, "width": 9}])
    assert found == [
        Edge("rate", 0.1, True, 2, 3),
        Edge("width", 2, False, 1, 3),
        Edge("width", 9, True, 1, 3),
    ]


def test_edges_of_open_ends() -> None:
    """An open end has no edge."""
    assert edges([Param("rate", LogSpace())], [{"rate": 1e-3}]) == []


@pytest.mark.parametrize(
    ("space", "lower", "upper"),
    [
        (LogSpace(min=1, max=200, is_integer=True), False, True),
        (Pow2Space(min=1, max=64), False, True),
        (LinearSpace(min=0, max=5, is_integer=True), False, True),
        (LinearSpace(min=0.0, max=1.0), False, False),
        (LinearSpace(min=-1.0, max=1.0), True, True),
        (LinearSpace(min=2, max=8, is_integer=True), True, True),
        (LogSpace(min=1e-3, max=1.0), True, True),
        (LogSpace(min=1.0, max=10.0), True, True),
        (LogitSpace(min=0.01, max=0.99), True, True),
    ],
)
def test_end_that_nothing_lies_beyond_is_no_edge(
    space: LinearSpace | LogSpace | LogitSpace | Pow2Space, *, lower: bool, upper: bool
) -> None:
    """Nobody can widen epochs below 1, or a dropout beyond 0 and 1."""
    found = edges([Param("x", space)], [{"x": space.min}, {"x": space.max}])
    assert {edge.is_upper for edge in found} == ({False} if lower else set()) | ({True} if upper else set())


def test_rest_counts_from_the_last_run_that_lifted_the_frontier() -> None:
    """A run that is better than all that cost no more lifts it, however bad it is beside expensive ones."""
    runs = [
        run(0.01, 2, 1.0, 10.0),
        run(0.01, 3, 0.5, 2.0),
        run(0.01, 4, 0.4, 3.0),
        run(0.01, 5, 0.9, 5.0, failed=True),
    ]
    assert rest(runs) == Rest(2, 3.0, 3.0 / 15.0)


def test_rest_of_a_minimised_objective() -> None:
    runs = [run(0.01, 2, 1.0, 1.0), run(0.01, 3, 0.5, 1.0), run(0.01, 4, 0.8, 1.0)]
    assert rest(runs, -1).runs == 1
    assert rest(runs).runs == 2


def test_rest_of_nothing() -> None:
    assert rest([]) == Rest(0, 0.0, 0.0)


def test_rest_needs_a_direction() -> None:
    with pytest.raises(CarbsError, match=r"better_direction_sign=0 must be 1 or -1"):
        rest([], 0)


def test_held_share() -> None:
    """A 90 % interval reaches 1.645 deviations to both sides."""
    seen = np.array([0.0, 1.6, 1.7, -1.6])
    assert held_share(np.zeros(4), np.ones(4), seen) == 0.75
    assert math.isnan(held_share(np.empty(0), np.empty(0), np.empty(0)))


def test_doubts_say_what_is_wrong() -> None:
    """A frontier on an edge, intervals that do not hold, and runs without progress are each said, with numbers."""
    climbing = [run(0.1, 2 + place, float(place), 1.0 + place) for place in range(5)]
    useless = [run(0.01, 3, -1.0, 8.0) for _ in range(25)]
    seen = np.array([0.0] * 11 + [9.0] * 8)
    said = doubts(SPACE, [*climbing, *useless], 1, (np.zeros(19), np.ones(19), seen))
    assert said == [
        "5 of 5 frontier runs are on the upper edge of rate (0.1): widen it if you can",
        "the 90 % intervals held 58 % of 19 runs: do not trust the predictions",
        "no run has improved the frontier for 25 runs and 93 % of the cost: stop here, or widen the search",
    ]


def test_doubts_of_a_good_search() -> None:
    """A search that improves, inside its bounds and its intervals, gives no reason for doubt."""
    climbing = [run(0.01, 2 + place, float(place), 1.0 + place) for place in range(5)]
    assert doubts(SPACE, climbing, 1, (np.zeros(19), np.ones(19), np.zeros(19))) == []


def test_doubts_need_enough_to_go_by() -> None:
    """Two runs on an edge and eleven intervals are too few to say anything."""
    few = [run(0.1, 2, 0.0, 1.0), run(0.1, 3, 1.0, 2.0)]
    assert doubts(SPACE, few, 1, (np.zeros(11), np.ones(11), np.full(11, 9.0))) == []


def spread(objectives: np.ndarray) -> list[ObservationInParam]:
    """Return runs of different configurations, in no order of theirs; the last are the best of their cost."""
    rates = 10.0 ** -(1 + 3 * ((np.arange(len(objectives)) * 0.618) % 1))
    return [
        run(float(rate), 2 + i % 8, float(y), 1.0 + i)
        for i, (rate, y) in enumerate(zip(rates, objectives, strict=True))
    ]


def look_like_noise(observations: list[ObservationInParam]) -> bool:
    return any("look like noise" in doubt for doubt in doubts(SPACE, observations))


@pytest.mark.parametrize("sign", [1, -1])
def test_doubts_say_that_objectives_are_noise(sign: int) -> None:
    """They are where nothing is learnt, and not where one hyperparameter has an effect."""
    noise = np.random.default_rng(1).standard_normal(24)
    said = doubts(SPACE, spread(noise), sign)
    assert said[-1] == (
        "the objectives of 24 runs look like noise, whatever the hyperparameters are: check the metric, "
        "average it over more seeds or episodes, or start where something is learnt"
    )
    slopes = np.array([math.log10(float(seen.input["rate"])) for seen in spread(noise)])
    assert not any("look like noise" in doubt for doubt in doubts(SPACE, spread(noise + 3 * slopes), sign))


def test_a_search_that_has_settled_showed_effects() -> None:
    """Hundreds of runs at the best configuration differ by noise alone, but those before them count, too."""
    rng = np.random.default_rng(2)
    before = spread(3 * np.arange(60.0))
    settled = [run(0.01 + 1e-4 * rng.random(), 5, 180 + rng.standard_normal(), 9.0) for _ in range(240)]
    assert not look_like_noise([*before, *settled])
    assert look_like_noise(settled)


def test_effects_need_enough_runs() -> None:
    """Of 19 configurations nothing is said, and repeats of a few are no more."""
    noise = np.random.default_rng(1).standard_normal(19)
    assert not look_like_noise(spread(noise))
    assert not look_like_noise(3 * spread(noise))


def test_a_constant_objective_shows_no_effects() -> None:
    assert look_like_noise(spread(np.zeros(24)))


def test_objectives_that_no_model_can_be_fitted_to_raise_no_doubt() -> None:
    """Differences of the largest numbers overflow; that is said elsewhere."""
    huge = np.where(np.arange(24) % 2, 1.0, -1.0) * np.linspace(1.0, 1.7, 24) * 1e308
    assert not look_like_noise(spread(huge))
