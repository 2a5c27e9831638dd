"""How expensive a suggestion may be."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from carbs import (
    CARBS,
    CARBSParams,
    LinearSpace,
    LogSpace,
    ObservationInParam,
    Param,
    ParamDict,
)
from carbs.models.groups import group, group_points
from carbs.models.surrogate import Surrogate
from carbs.search.cost_limit import CostLimit
from carbs.search.situation import Situation
from carbs.spaces.search_space import as_space
from searches import SMALL, bowl, run


def test_nothing_is_suggested_above_the_cost_cap() -> None:
    carbs = CARBS(CARBSParams(max_suggestion_cost=20.0), SMALL)
    rows = run(carbs, 25, bowl)
    assert all(cost <= 22 for _, _, cost in rows[10:])


def test_the_cost_cap_holds_for_the_first_runs_too_once_costs_are_known() -> None:
    carbs = CARBS(CARBSParams(max_suggestion_cost=20.0, num_random_samples=20), SMALL)
    rows = run(carbs, 20, bowl)
    assert all(cost <= 22 for _, _, cost in rows[5:])


def test_a_cap_below_everything_seen_is_told_and_leads_to_cheap_runs() -> None:
    carbs = CARBS(CARBSParams(max_suggestion_cost=1e-6), SMALL)
    run(carbs, 8, bowl)
    output = carbs.suggest()
    assert "reason" in output.log
    assert float(output.suggestion["y"]) <= 3


@pytest.mark.parametrize("seed", range(3))
def test_no_guess_costs_many_times_what_was_seen_although_all_runs_so_far_were_cheap(seed: int) -> None:
    others = [Param(f"x{i}", LinearSpace(0, 1), 0.5) for i in range(4)]
    carbs = CARBS(CARBSParams(seed=seed), [Param("n", LogSpace(1, 1e4), 10.0), *others])
    costs: list[float] = []
    for _ in range(20):
        output = carbs.suggest()
        cost = float(output.suggestion["n"])
        if output.log["kind"] != "random":
            assert cost <= 4 * max(2 * max(costs), 0.3 * sum(costs))
        misses = sum((float(output.suggestion[param.name]) - 0.4) ** 2 for param in others)
        carbs.observe(ObservationInParam(output.suggestion, math.log(cost) - 3 * misses, cost))
        costs.append(cost)
    assert max(costs) > 300


def test_a_failure_does_not_lift_the_limit_of_early_draws() -> None:
    """Of the product of four hyperparameters a single search may learn the hard way; most must not."""
    params = [Param(f"p{i}", LogSpace(1e-3, 1e3), 1.0) for i in range(4)]
    highest = []
    for seed in range(7):
        carbs = CARBS(CARBSParams(seed=seed), params)
        costs = []
        for place in range(5):
            suggestion = carbs.suggest().suggestion
            costs.append(math.prod(float(suggestion[param.name]) for param in params))
            carbs.observe(ObservationInParam(suggestion, math.log(costs[-1]), costs[-1], is_failure=place == 1))
        highest.append(max(costs))
    assert np.median(highest) < 10


def test_workers_do_not_climb_on_one_anothers_shoulders() -> None:
    workers = 16
    rng = np.random.default_rng(workers)
    x = [Param(name, LinearSpace(0, 1), 0.5) for name in ("x", "y")]
    carbs = CARBS(params=[Param("n", LogSpace(1, 1e9), 1), *x])
    running: list[ParamDict] = []
    observed: list[float] = []
    for i in range(64):
        output = carbs.suggest(seed=str(i))
        cost = float(output.suggestion["n"])
        # Eight times what was observed, two steps being for what runs already; and twice that if the prediction errs.
        if observed and output.log["kind"] != "random":
            assert cost <= max(20 * max(observed), 0.75 * sum(observed))
        running.append(output.suggestion)
        if len(running) == workers:
            done = running.pop(0)
            shortfall = sum((float(done[name]) - 0.4) ** 2 for name in ("x", "y"))
            cost = float(done["n"]) * rng.lognormal(0.0, 0.02)
            observed.append(cost)
            carbs.observe(ObservationInParam(done, math.log(cost) - 3 * shortfall, cost))
    assert max(observed) > 16


@pytest.mark.parametrize("seed", [0, 2, 7])
def test_workers_that_start_in_a_cheap_corner_do_not_take_the_whole_space_for_cheap(seed: int) -> None:
    rates = [Param(f"rate{i}", LogSpace(1e-5, 1e-1), 1e-3) for i in range(3)]
    carbs = CARBS(CARBSParams(seed=seed), [Param("n", LogSpace(1, 1e6), 2.0), *rates])
    rng = np.random.default_rng(seed)
    running: list[tuple[float, ParamDict]] = []
    everything = 0.0
    for i in range(32):
        suggestion = carbs.suggest(seed=str(i)).suggestion
        cost = float(suggestion["n"]) * rng.lognormal(0.0, 0.1)
        assert i < 8 or cost < 2 * everything
        everything += cost
        running.append((cost, suggestion))
        if len(running) == 8:
            cost, done = running.pop(int(np.argmin([cost for cost, _ in running])))
            shortfall = sum((math.log10(float(done[param.name])) + 2) ** 2 for param in rates)
            carbs.observe(ObservationInParam(done, -(cost**-0.2) - 0.02 * shortfall, cost))


# Two searches whose costs are the product of the first four hyperparameters. Each row is of a run: its six search
# coordinates, objective and log cost. The last run of each cost 12 and 31 times the highest cost before it.
SURE_OF_TOO_LITTLE = (
    [
        [0.2, 0.2, 0.2, 0.2, -1.5, 1.0, 0.34, 2.8],
        [0.2, 0.0, 0.3, 0.2, -1.5, 1.0, 0.38, 3.4],
        [0.4, 0.1, 0.2, 0.3, -1.6, 0.8, 0.47, 4.0],
        [0.4, 0.1, 0.2, 0.2, -1.6, 0.6, 0.49, 4.1],
        [0.5, 0.4, 0.2, 0.0, -1.8, 0.4, 0.56, 5.2],
        [0.8, 0.4, 0.2, 0.0, -1.6, 0.1, 0.72, 6.6],
        [0.6, 0.2, 0.0, 0.2, -0.5, 0.0, 0.18, 4.3],
        [0.4, 0.0, 0.0, 0.0, -2.5, 2.0, -0.22, 2.3],
        [0.0, 0.0, 0.0, 1.9, -1.6, 0.4, 0.79, 9.1],
    ],
    [
        [0.2, 0.2, 0.2, 0.2, -1.5, 1.0, 0.34, 2.8],
        [0.0, 0.1, 0.4, 0.3, -1.3, 1.1, 0.38, 3.3],
        [0.2, 0.3, 0.1, 0.0, -1.7, 0.5, 0.41, 3.3],
        [0.1, 0.2, 0.3, 0.3, -1.1, 0.8, 0.39, 4.0],
        [0.1, 0.4, 0.3, 0.0, -2.3, 0.3, 0.32, 4.2],
        [0.2, 0.0, 0.0, 0.0, -1.5, 1.9, 0.02, 1.1],
        [0.3, 0.3, 0.4, 0.0, -1.5, 0.2, 0.57, 4.7],
        [0.3, 0.2, 0.6, 0.0, -1.4, 0.1, 0.67, 5.5],
        [1.5, 0.1, 0.2, 0.0, -1.5, 1.1, 0.73, 8.9],
    ],
)


@pytest.mark.parametrize("rows", SURE_OF_TOO_LITTLE)
def test_a_hyperparameter_that_hardly_moved_is_not_taken_to_cost_nothing(rows: list[list[float]]) -> None:
    """The most probable model is sure of it, and other models of the cost are not."""
    sizes = [Param(f"n{i}", LogSpace(1, 1e4), 2.0) for i in range(4)]
    space = as_space([*sizes, Param("rate", LogSpace(1e-5, 1e-1), 1e-3), Param("share", LinearSpace(0, 1), 0.5)])
    X, y, log_cost = np.array(rows)[:, :6], np.array(rows)[:, 6], np.array(rows)[:, 7]
    nothing = np.empty((0, 6))
    models = Surrogate.fit(space, group(X[:-1], y[:-1], log_cost[:-1]), nothing)
    here = Situation(space, CARBSParams(), X[:-1], nothing, nothing, models, np.random.default_rng(0))
    limit = CostLimit.of(here, models.predict(X[:-1]).known_log_cost)
    assert limit.is_exceeded(X, models.predict(X)).tolist() == [False] * 8 + [True]


@pytest.mark.parametrize("number", [1, 10, 1000])
def test_the_best_points_within_the_limits_are_kept(number: int) -> None:
    """As if the worst cost of every point had been computed."""
    rng = np.random.default_rng(0)
    seen = [ObservationInParam({"x": i / 9, "y": 1 + i}, i / 9, 1.0 + i) for i in range(10)]
    space, nothing = as_space(SMALL), np.empty((0, 2))
    groups = group_points(space, seen, [], 1)
    models = Surrogate.fit(space, groups, nothing)
    here = Situation(space, CARBSParams(), groups.X, nothing, nothing, models, rng)
    limit = CostLimit.of(here, models.predict(groups.X).known_log_cost)
    # Half of the points are too expensive, all but a few of them only at worst.
    points, scores = rng.uniform(-1, 1, (300, 2)), rng.standard_normal(300)
    beliefs, worst = models.predict(points), limit.worst(points)
    limit = replace(
        limit, predicted=float(np.quantile(beliefs.known_log_cost, 0.95)), surprising=float(np.median(worst))
    )
    scores[7] = -np.inf
    whole = np.where(limit.is_exceeded(points, beliefs), -np.inf, scores)
    kept = limit.keep_best(points, beliefs, scores, number)
    best = np.argsort(-whole, kind="stable")[:number]
    assert np.array_equal(np.argsort(-kept, kind="stable")[:number], best)
    assert np.array_equal(kept[best], whole[best])
    assert np.all((kept == whole) | (kept == -np.inf))


def test_points_on_the_way_are_part_of_their_runs_cost() -> None:
    """A suggestion may cost 30 % of all that was spent. A run of three points was paid for once."""
    runs = [ObservationInParam({"x": i / 9, "y": 10}, i / 9, 10.0) for i in range(10)]
    way = [ObservationInParam({"x": 0.5, "y": y}, 0.0, float(y)) for y in (7, 8, 9)]
    space = as_space(SMALL)

    def limit(seen: list[ObservationInParam]) -> float:
        groups, nothing = group_points(space, seen, [], 1), np.empty((0, 2))
        models = Surrogate.fit(space, groups, nothing)
        here = Situation(space, CARBSParams(), groups.X, nothing, nothing, models, np.random.default_rng(0))
        return CostLimit.of(here, models.predict(groups.X).known_log_cost).predicted

    expected = math.log(0.3 * 10 * 10.0)
    assert limit(runs) == pytest.approx(expected)
    assert limit([replace(run, points=way) for run in runs]) == pytest.approx(expected)
