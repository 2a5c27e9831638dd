"""The posterior of a Gaussian process, one way against another."""

from __future__ import annotations

import math

import numpy as np
import pytest

from carbs.models.gaussian_process import Posterior
from carbs.models.kernel import Hyperparameters
from carbs.models.noise import Noise


def outputs(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (n, d))
    return X, np.sin(3 * X[:, 0]) + X[:, 1] ** 2


def test_conditioning_survives_duplicates_without_noise() -> None:
    X = np.zeros((30, 2))
    hyper = Hyperparameters(np.ones(2), signal=1.0, slopes=np.zeros(2), noise=0.0)
    mean, deviation = Posterior.condition(hyper, X, np.ones((30, 1)), Noise(np.ones(30))).predict(np.zeros((1, 2)))
    assert mean[0, 0] == pytest.approx(1.0, abs=1e-3)
    assert np.isfinite(deviation[0])


@pytest.mark.parametrize("number", [0, 1, 499, 1203])
def test_means_alone_are_those_of_the_prediction_however_many(number: int) -> None:
    X, y = outputs(12, 2)
    hyper = Hyperparameters(np.array([0.7, 1.3]), 1.0, np.array([0.2, 0.1]), 0.01, np.array([0.3, -0.2]))
    posterior = Posterior.condition(hyper, X, np.column_stack([y, -2 * y]), Noise(np.ones(12)))
    points = np.random.default_rng(1).uniform(-1, 1, (number, 2))
    means, _ = posterior.predict(points)
    assert posterior.mean(points).shape == (number, 2)
    assert posterior.mean(points) == pytest.approx(means, abs=1e-9)


def test_joint_draws_have_the_posteriors_moments() -> None:
    X, y = outputs(10, 2)
    hyper = Hyperparameters(np.ones(2), signal=1.0, slopes=np.full(2, 0.1), noise=0.01)
    posterior = Posterior.condition(hyper, X, y[:, None], Noise(np.ones(10)))
    points = np.random.default_rng(5).uniform(-2, 2, (6, 2))
    mean, deviation = posterior.predict(points)
    draws = posterior.sample(points, np.random.default_rng(7).standard_normal((6, 4000)))
    assert draws.mean(1) == pytest.approx(mean[:, 0], abs=0.1)
    assert draws.std(1) == pytest.approx(deviation, rel=0.1, abs=0.01)


def test_leaving_one_out_agrees_with_conditioning_on_the_others() -> None:
    """Means of repeats have less noise than single runs, also where they are predicted."""
    X, y = outputs(12, 3)
    count = np.where(np.arange(12) % 3 == 0, 4.0, 1.0)
    hyper = Hyperparameters(np.full(3, 0.7), 1.3, np.full(3, 0.2), 0.1)
    errors, deviation = Posterior.condition(hyper, X, y[:, None], Noise(count)).leave_one_out()
    for place in range(12):
        others = np.arange(12) != place
        posterior = Posterior.condition(hyper, X[others], y[others, None], Noise(count[others]))
        mean, its_deviation = posterior.predict(X[[place]])
        assert errors[place, 0] == pytest.approx(y[place] - mean[0, 0], abs=1e-6)
        assert deviation[place] == pytest.approx(math.sqrt(its_deviation[0] ** 2 + 0.1 / count[place]), abs=1e-6)
