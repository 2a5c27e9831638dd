"""Draws of hyperparameters against their posterior, and what they are for: predictions that are not too sure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from carbs import LinearSpace, Param, SearchSpace
from carbs.models import laplace
from carbs.models.fit import fit, negative_log_posterior, pack, unpack
from carbs.models.groups import group
from carbs.models.kernel import Hyperparameters
from carbs.models.noise import Noise
from carbs.models.priors import Prior
from carbs.models.surrogate import Surrogate
from carbs.tuning import DEFAULT

PRIOR = Prior(
    length_scale=(0.5, 0.7),
    signal=(0.0, 1.0),
    slope=(-1.0, 2.0),
    noise=(-6.0, 2.0),
    warp=(0.1, 0.5),
    amplitude_slope=(0.0, 0.2),
)
NUMBER = 10  # of the hyperparameters of two coordinates


def fitted(n: int) -> tuple[Hyperparameters, tuple[np.ndarray, np.ndarray, Noise, float, np.ndarray]]:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (n, 2))
    y = np.sin(3 * X[:, 0]) + 0.3 * X[:, 1] + 0.1 * rng.standard_normal(n)
    data = (X, (y - y.mean()) / y.std(), Noise(np.ones(n)), 0.0, np.arange(2))
    return fit(*data, PRIOR), data


def test_packing_keeps_hyperparameters() -> None:
    """Coordinates of one owner share their hyperparameters; nothing else is lost."""
    owner = np.array([0, 1, 1])
    hyper = Hyperparameters(
        np.array([0.5, 2.0, 2.0]),
        1.5,
        np.array([0.1, 3.0, 3.0]),
        0.01,
        np.array([0.2, -1, -1]),
        amplitude_slopes=np.array([0.1, -0.3, -0.3]),
    )
    theta, low, high, deviation = pack(hyper, owner, PRIOR)
    found = unpack(theta, owner, PRIOR)
    assert len(theta) == len(low) == len(high) == len(deviation) == NUMBER
    for name in ("length_scales", "signal", "slopes", "noise", "warps", "amplitude_slopes"):
        assert getattr(found, name) == pytest.approx(getattr(hyper, name)), name


def test_draws_have_the_curvature_of_the_posterior() -> None:
    """Around the mode the log posterior falls by half the square of the draw's normal numbers, if they are small."""
    hyper, data = fitted(60)
    direction = np.zeros((1, NUMBER))
    mode, *_ = pack(hyper, data[4], PRIOR)
    at_mode, _ = negative_log_posterior(mode, *data, PRIOR)
    for place in range(NUMBER):
        direction[:] = 0.0
        direction[0, place] = 0.3
        drawn = laplace.draw(hyper, *data, PRIOR, direction)[0]
        theta, *_ = pack(drawn, data[4], PRIOR)
        rise = negative_log_posterior(theta, *data, PRIOR)[0] - at_mode
        assert rise == pytest.approx(0.045, rel=0.7), place


def test_draws_narrow_with_the_number_of_runs() -> None:
    """A few runs say hardly more than the prior; many say how fast the function changes."""
    normal = np.random.default_rng(1).standard_normal((200, NUMBER))
    spreads = []
    for n in (4, 100):
        hyper, data = fitted(n)
        drawn = laplace.draw(hyper, *data, PRIOR, normal)
        spreads.append(np.std([np.log(draw.length_scales[0]) for draw in drawn]))
    assert 0.4 < spreads[0] <= 0.75
    assert spreads[1] < 0.35


def test_draws_keep_the_bounds_of_a_fit() -> None:
    hyper, data = fitted(4)
    _, low, high, _ = pack(hyper, data[4], PRIOR)
    for drawn in laplace.draw(hyper, *data, PRIOR, np.random.default_rng(0).standard_normal((50, NUMBER)) * 20):
        theta, *_ = pack(drawn, data[4], PRIOR)
        assert np.all((low - 1e-9 <= theta) & (theta <= high + 1e-9))


def held(num_alternatives: int) -> float:
    """Return how many 90 % intervals hold, over functions of which one hyperparameter in four matters much."""
    space = SearchSpace(tuple(Param(f"p{i}", LinearSpace(min=-1, max=1)) for i in range(4)))
    tuning = replace(DEFAULT.model, alternatives=(num_alternatives, num_alternatives))
    held_each = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        weights, phase = rng.permutation([2.0, 1.0, 0.3, 0.1]), rng.uniform(0, 6)
        X, at = (rng.uniform(-1, 1, (number, 4)) for number in (8, 40))
        y, truth = (np.sin(phase + points @ weights) + 0.3 * points[:, 0] for points in (X, at))
        models = Surrogate.fit(space, group(X, y, np.zeros(8)), np.empty((0, 4)), tuning)
        mean, deviation = models.predict_objective(at, models.predict(at))
        error = truth - models.objective_scaler.backward(mean)
        held_each.append(np.mean(np.abs(error) < 1.645 * deviation * models.objective_scaler.deviation))
    return float(np.mean(held_each))


def test_a_mixture_over_hyperparameters_makes_intervals_honest() -> None:
    """After eight runs the most probable setting is too sure; a mixture's 90 % intervals nearly hold 90 %."""
    sure, averaged = held(0), held(5)
    assert averaged > sure + 0.02
    assert averaged > 0.78
