"""Acquisition values against Monte Carlo and against high-precision arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from carbs.search import acquisition


@pytest.mark.parametrize("z", [-30.0, -8.0, -3.0, -1.0001, -1.0, -0.9999, 0.0, 1.0, 4.0, 30.0])
def test_log_h_is_the_logarithm_of_the_integral_of_the_normal_cdf(z: float) -> None:
    # The integrand falls like exp(z t) below a negative z and like the normal cdf itself around 0.
    reach = z + 10 if z > -3 else 40 / abs(z)
    area, _ = quad(lambda t: np.exp(norm.logcdf(z - t) - norm.logcdf(z)), 0, reach, epsrel=1e-10, limit=200)
    expected = np.log(area) + norm.logcdf(z)
    assert acquisition.log_h(np.array([z]))[0] == pytest.approx(expected, rel=1e-3)


def test_log_h_is_finite_and_increasing_everywhere() -> None:
    z = np.concatenate([-np.logspace(8, -8, 400), np.logspace(-8, 8, 400)])
    values = acquisition.log_h(z)
    assert np.all(np.isfinite(values))
    assert np.all(np.diff(values) > -1e-4 * np.abs(values[1:]))


def test_expected_gain_agrees_with_monte_carlo() -> None:
    rng = np.random.default_rng(0)
    objective, log_cost = np.array([[1.0], [2.0], [0.5]]), np.array([[0.0], [1.0], [0.7]])
    front = acquisition.steps(objective, log_cost, reference=0.0, end=2.0)
    mean, deviation = np.array([[2.5], [0.4], [-1.0]]), np.array([0.5, 1.0, 0.3])
    cost, cost_deviation = np.array([[0.5], [-0.5], [1.9]]), np.array([0.3, 0.01, 0.4])
    ours = np.exp(acquisition.log_expected_gain(mean, deviation, cost, cost_deviation, front))
    for i in range(3):
        f = rng.normal(mean[i, 0], deviation[i], 400_000)
        c = rng.normal(cost[i, 0], cost_deviation[i], 400_000)
        steps = ((0.0, -np.inf, 0.0), (1.0, 0.0, 1.0), (2.0, 1.0, 2.0))
        gains = [np.maximum(f - v, 0) * np.maximum(stop - np.maximum(c, start), 0) for v, start, stop in steps]
        assert ours[i] == pytest.approx(np.sum(gains, axis=0).mean(), rel=0.05, abs=1e-5)


def test_the_gain_over_several_frontiers_is_the_mean_of_their_gains() -> None:
    objective, log_cost = np.array([[1.0, 3.0]]), np.array([[0.0, 0.5]])
    args = np.array([1.0]), np.array([[0.2]]), np.array([0.1])

    def gain(columns: slice) -> float:
        front = acquisition.steps(objective[:, columns], log_cost[:, columns], reference=0.0, end=2.0)
        width = objective[:, columns].shape[1]
        mean, cost = np.full((1, width), 2.0), np.repeat(args[1], width, 1)
        return float(np.exp(acquisition.log_expected_gain(mean, args[0], cost, args[2], front))[0])

    assert gain(slice(0, 2)) == pytest.approx((gain(slice(0, 1)) + gain(slice(1, 2))) / 2)


def test_hopeless_points_still_differ() -> None:
    front = acquisition.steps(np.array([[10.0]]), np.array([[0.0]]), reference=5.0, end=1.0)
    mean = np.array([[-50.0], [-60.0]])
    values = acquisition.log_expected_gain(
        mean, np.array([0.1, 0.1]), np.full((2, 1), 0.5), np.array([0.1, 0.1]), front
    )
    assert np.all(np.isfinite(values))
    assert values[0] > values[1]
