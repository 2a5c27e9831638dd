"""The line of best configurations, and how sure it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from carbs.scaling.line import fit_line, free_costs
from surface_runs import POSITION, SLOPE, surface_runs


def test_the_estimate_comes_first_and_draws_scatter_around_it() -> None:
    line = fit_line(surface_runs(), 12, np.random.default_rng(0))
    assert line.position.shape == (13, 2)
    assert line.slope.shape == (13, 1, 2)
    assert line.slope[0, 0] == pytest.approx(SLOPE, abs=0.03)
    assert line.position[0] == pytest.approx(POSITION + line.middle[0] * SLOPE, abs=0.03)
    spread = np.std(line.slope[1:, 0], axis=0)
    assert np.all(spread > 0)
    assert np.all(np.abs(line.slope[0, 0] - SLOPE) < 5 * spread)


def test_corrected_objectives_are_those_on_the_line() -> None:
    runs = surface_runs()
    line = fit_line(runs, 2, np.random.default_rng(0))
    assert np.std(line.corrected[0] - runs.y) > 0.05
    best = -1.0 - 10 ** (-0.3 * runs.axes[:, 0])
    assert np.median(np.abs(line.corrected[0] - best)) < 0.02


def test_diverged_runs_are_named_and_do_not_move_the_line() -> None:
    line = fit_line(surface_runs(num_diverged=30), 2, np.random.default_rng(0))
    assert np.flatnonzero(line.diverged).tolist()[:30] == list(range(30))
    assert np.sum(line.diverged) < 36
    assert line.slope[0, 0] == pytest.approx(SLOPE, abs=0.03)


def test_of_very_many_runs_those_that_are_not_fitted_are_not_taken_for_diverged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("carbs.scaling.line._MAX_RUNS", 60)
    line = fit_line(surface_runs(), 2, np.random.default_rng(0))
    assert line.corrected.shape[1] == 60
    assert len(line.diverged) == 120
    assert np.sum(line.diverged) < 6


def test_few_sizes_make_intervals_wider() -> None:
    runs = surface_runs()
    coarse = replace(runs, axes=np.round(runs.axes * 2) / 2)
    many, few = (fit_line(some, 2, np.random.default_rng(0)).widening for some in (runs, coarse))
    assert 1.0 <= many < 1.1
    assert few > 1.5


def test_costs_at_which_the_frontier_is_free_of_bounds() -> None:
    """The first coordinate drives the cost, and is at its bounds below a cost of 10 and above one of 10,000."""
    t = np.linspace(0, 5, 26)
    X = np.column_stack([np.clip(t - 2.5, -1.5, 1.5), np.zeros(26)])
    ends = free_costs(X, t, t, (np.array([-1.5, -1.0]), np.array([1.5, 1.0])))
    assert ends == pytest.approx((1.2, 3.8))
