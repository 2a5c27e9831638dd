"""Observations grouped by configuration."""

from __future__ import annotations

import math

import numpy as np
import pytest

from carbs import LinearSpace, LogSpace, ObservationInParam, Param
from carbs.models.groups import group, group_points, group_successes
from carbs.spaces.search_space import as_space


def test_repeats_are_averaged_in_the_order_of_first_appearance() -> None:
    X = np.array([[2.0], [1.0], [2.0 + 1e-12], [-0.0], [0.0]])
    groups = group(X, np.array([1.0, 5.0, 3.0, 7.0, 7.0]), np.array([0.0, 1.0, 2.0, 3.0, 3.0]))
    assert groups.X.ravel().tolist() == [2.0, 1.0, 0.0]
    assert groups.y.tolist() == [2.0, 5.0, 7.0]
    assert groups.log_cost.tolist() == [1.0, 1.0, 3.0]
    assert groups.count.tolist() == [2, 1, 2]
    assert (groups.size, groups.num_repeats) == (3, 2)
    assert (groups.within_y, groups.within_log_cost) == (2.0, 2.0)


@pytest.mark.parametrize("sign", [1, -1])
def test_runs_are_grouped_with_the_better_objective_higher_and_none_beyond_floats(sign: int) -> None:
    space = as_space([Param("x", LinearSpace(0, 1)), Param("n", LogSpace(1, 10, is_integer=True))])
    runs = [
        ObservationInParam({"x": 0.25, "n": 3}, 2.0, math.e),
        ObservationInParam({"x": 0.25, "n": 3}, 4.0, math.e),
        ObservationInParam({"x": 0.5, "n": 3}, 1e300, 1.0),
        ObservationInParam({"x": 0.75, "n": 3}, -1e300, 1.0),
    ]
    groups = group_successes(space, runs, sign)
    assert groups.y.tolist() == [sign * 3.0, sign * 1e150, sign * -1e150]
    assert groups.log_cost.tolist() == pytest.approx([1.0, 0.0, 0.0])
    assert math.isfinite(groups.within_y)


SPACE = as_space([Param("x", LinearSpace(0, 1)), Param("n", LogSpace(1, 10, is_integer=True))])


def seen(x: float, n: int, output: float, **more: object) -> ObservationInParam:
    return ObservationInParam({"x": x, "n": n}, output, float(n), **more)  # type: ignore[arg-type]


def test_points_on_the_way_are_learnt_and_are_no_runs() -> None:
    way = [seen(0.5, 1, 1.0), seen(0.5, 3, 2.0)]
    successes = [seen(0.25, 2, 5.0), seen(0.5, 9, 3.0, points=way), seen(0.25, 2, 7.0), seen(0.5, 9, 4.0, points=way)]
    failures = [ObservationInParam({"x": 0.75, "n": 8}, is_failure=True, points=[seen(0.75, 2, -1.0)])]
    groups = group_points(SPACE, successes, failures, 1)
    assert groups.y.tolist() == [6.0, 1.0, 2.0, 3.0, 1.0, 2.0, 4.0, -1.0]
    assert groups.is_end.tolist() == [True, False, False, True, False, False, True, False]
    assert groups.run is not None
    shared = groups.run[:, None] == groups.run[None]
    assert [list(np.flatnonzero(row)) for row in shared] == [[0], *[[1, 2, 3]] * 3, *[[4, 5, 6]] * 3, [7]]
    assert (groups.num_runs, groups.num_ends, groups.num_repeats) == (4, 2, 2)
    assert (groups.within_y, groups.count.tolist()) == (2.0, [2, *[1] * 7])


def test_without_points_they_are_the_groups_of_the_successes() -> None:
    successes = [seen(0.25, 2, 5.0), seen(0.25, 2, 7.0)]
    groups = group_points(SPACE, successes, [ObservationInParam({"x": 0.75, "n": 8}, is_failure=True)], -1)
    assert (groups.y.tolist(), groups.run, groups.num_runs) == ([-6.0], None, 2)


def test_of_equal_points_of_a_run_the_last_counts() -> None:
    way = [seen(0.5, 1, 1.0), seen(0.5, 1, 1.5), seen(0.5, 9, 2.0)]
    groups = group_points(SPACE, [seen(0.5, 9, 3.0, points=way)], [], 1)
    assert (groups.y.tolist(), groups.is_end.tolist()) == ([1.5, 3.0], [False, True])


def test_of_many_groups_the_best_of_their_cost_and_some_of_the_whole_history_are_chosen() -> None:
    rng = np.random.default_rng(0)
    y = rng.standard_normal(500)
    groups = group(np.arange(500.0)[:, None], y, rng.permutation(500).astype(float))
    assert groups.chosen(500).tolist() == list(range(500))
    chosen = groups.chosen(100)
    assert len(set(chosen.tolist())) == 100
    assert set(np.argsort(y)[-5:]) <= set(chosen.tolist())
    by_cost = np.argsort(groups.log_cost)
    for part in np.array_split(by_cost, 5):  # of every cost
        assert part[np.argmax(y[part])] in chosen
    for part in np.array_split(np.arange(500), 5):  # of every time
        assert 12 <= np.isin(part, chosen).sum() <= 30
