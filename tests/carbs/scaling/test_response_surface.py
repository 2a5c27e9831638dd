"""The response surface around the frontier."""

from __future__ import annotations

import numpy as np
import pytest

from carbs.scaling.response_surface import Surface
from surface_runs import POSITION, SLOPE, best_objective, surface_runs


def test_a_known_surface_is_found() -> None:
    runs = surface_runs(num_diverged=20)
    surface = Surface(runs)
    theta, judged = surface.fit()
    position, slopes = surface.line(theta)
    assert position == pytest.approx(POSITION + surface.middle[0] * SLOPE, abs=0.03)
    assert slopes[0] == pytest.approx(SLOPE, abs=0.03)
    assert np.max(judged.soundness[:20]) < 0.1
    assert np.mean(judged.soundness[20:]) > 0.95
    assert surface.frontier(theta) == pytest.approx(best_objective(runs.axes[:, 0]), abs=0.03)


def test_nothing_is_short_on_the_line_and_a_bowl_rises_around_it() -> None:
    surface = Surface(surface_runs())
    theta, _ = surface.fit()
    t = np.array([[0.5], [2.0]])
    position, slopes = surface.line(theta)
    best = position + (t - surface.middle) @ slopes
    assert surface.shortfall(theta, best, t) == pytest.approx(np.zeros(2), abs=1e-12)
    off = surface.shortfall(theta, best + np.array([0.4, 0.0]), t)
    assert off == pytest.approx(np.full(2, 0.5 * 0.4**2), rel=0.3)


def test_the_derivatives_are_those_of_the_residuals() -> None:
    surface = Surface(surface_runs(40))
    theta = surface.fit()[0] + 0.1 * np.random.default_rng(0).standard_normal(len(surface.fit()[0]))
    exact = surface._jacobian(theta)
    for place in range(len(theta)):
        step = np.zeros(len(theta))
        step[place] = 1e-6
        numeric = (surface.residual(theta + step) - surface.residual(theta - step)) / 2e-6
        # The residual is the objective less the surface; the method descends along its negative.
        assert np.abs(exact[:, place]) == pytest.approx(np.abs(numeric), rel=1e-4, abs=1e-5)


def test_other_weights_give_another_draw_and_the_same_weights_the_same() -> None:
    runs = surface_runs()
    surface = Surface(runs)
    theta, judged = surface.fit()
    weight = judged.weight / judged.deviation**2
    pull = np.zeros(surface.num_drawn)
    one, same = surface.refit(theta, weight, pull), surface.refit(theta, weight, pull)
    counts = np.random.default_rng(0).standard_exponential(len(runs.y))
    assert np.array_equal(one, same)
    assert not np.allclose(surface.line(surface.refit(theta, weight * counts, pull))[0], surface.line(one)[0])
