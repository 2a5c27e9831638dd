"""The first guess of a response surface."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from carbs.scaling.first_guess import cost_direction, first_guess
from surface_runs import POSITION, SLOPE, best_objective, surface_runs


def test_the_direction_of_the_cost_is_a_unit_vector() -> None:
    X = np.random.default_rng(0).standard_normal((60, 3))
    q = cost_direction(X, 2 * X[:, 0] + X[:, 1], np.ones(60))
    assert q == pytest.approx(np.array([2.0, 1.0, 0.0]) / 5**0.5, abs=1e-3)
    assert cost_direction(X, np.zeros(60), np.ones(60)).tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("num_diverged", [0, 30])
def test_the_best_runs_show_roughly_where_the_line_is(num_diverged: int) -> None:
    guess = first_guess(surface_runs(num_diverged=num_diverged))
    assert guess.middle == pytest.approx([1.5], abs=0.1)
    assert guess.position == pytest.approx(POSITION + 1.5 * SLOPE, abs=0.15)
    assert guess.slopes[0] == pytest.approx(SLOPE, abs=0.15)


def test_shortfalls_are_those_below_the_frontier() -> None:
    runs = surface_runs(num_diverged=30)
    guess = first_guess(runs)
    assert np.min(guess.shortfall) == 0
    expected = best_objective(runs.axes[:, 0]) - runs.y
    assert guess.shortfall == pytest.approx(np.maximum(expected, 0), abs=0.25)


def test_pinned_runs_count_less() -> None:
    runs = surface_runs()
    is_free = np.arange(len(runs.y)) % 2 == 0
    guess = first_guess(replace(runs, is_free=is_free))
    assert set(guess.multiplicity[is_free]) == {1.0}
    assert max(guess.multiplicity[~is_free]) < 0.5


def test_runs_can_be_selected() -> None:
    runs = surface_runs()
    some = runs.select(np.array([5, 2]))
    assert some.y.tolist() == [runs.y[5], runs.y[2]]
    assert some.X.shape == (2, 2)
    assert some.drives_cost is runs.drives_cost
