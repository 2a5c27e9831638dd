"""The fit of hyperparameters against finite differences and against scikit-learn's."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern

from carbs.models.fit import fit, negative_log_posterior
from carbs.models.gaussian_process import Posterior
from carbs.models.kernel import Hyperparameters
from carbs.models.noise import Noise
from carbs.models.priors import Prior

PRIOR = Prior(length_scale=(0.5, 1.0), signal=(0.0, 1.0), slope=(-1.0, 1.0), noise=(-6.0, 2.0))


def data(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (n, d))
    y = np.sin(3 * X[:, 0]) + X[:, 1] ** 2 + 0.05 * rng.standard_normal(n)
    return X, (y - y.mean()) / y.std()


def sklearn_kernel(hyper: Hyperparameters) -> object:
    # Of inputs times the roots of the slopes' variances: scikit-learn's dot product has one variance for all.
    matern = ConstantKernel(hyper.signal) * Matern(hyper.length_scales * np.sqrt(hyper.slopes), nu=2.5)
    return matern + DotProduct(0.0, sigma_0_bounds="fixed") + ConstantKernel(hyper.mean_variance)


@given(st.integers(0, 1000), st.integers(2, 12), st.integers(2, 5))
def test_gradient_agrees_with_finite_differences(seed: int, n: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    X, y = data(n, d, seed)
    owner = np.minimum(np.arange(d), 1)  # the last coordinates share a length scale, a slope's variance and the rest
    prior = PRIOR if seed % 2 else replace(PRIOR, warp=(np.array([0.3, -0.8]), 0.5), mean_variance=7.0)
    if seed % 5 < 2:
        prior = replace(prior, amplitude_slope=(0.1, 0.2))
    theta = rng.normal(0, 0.5, 2 + 2 + 2 + (2 if prior.warp else 0) + (2 if prior.amplitude_slope else 0))
    # Some of one run, or none at all; and points beyond the reach of the warps, too.
    noise = Noise(rng.integers(1, 5, n).astype(float), np.arange(n) // 3 if seed % 3 else None)
    args = (4 * X, y, noise, 0.4, owner, prior)
    _, gradient = negative_log_posterior(theta, *args)
    step = 1e-5
    numeric = [
        (negative_log_posterior(theta + step * e, *args)[0] - negative_log_posterior(theta - step * e, *args)[0])
        / (2 * step)
        for e in np.eye(len(theta))
    ]
    assert gradient == pytest.approx(np.array(numeric), rel=1e-4, abs=1e-5)


def test_a_warp_learns_that_one_end_is_steeper() -> None:
    rng = np.random.default_rng(3)
    X = rng.uniform(-1, 1, (30, 2))
    y = -np.exp(-3 * X[:, 0])  # a power law that saturates, where the coordinate is a logarithm
    y = (y - y.mean()) / y.std()
    fresh = rng.uniform(-1, 1, (200, 2))
    truth = -np.exp(-3 * fresh[:, 0])
    priors = [replace(PRIOR, warp=warp) for warp in (None, (0.0, 0.5))]
    hypers = [fit(X, y, Noise(np.ones(30)), 0.0, np.arange(2), prior) for prior in priors]
    assert hypers[0].warps is None
    assert hypers[1].warps is not None
    assert hypers[1].warps[0] < -0.5
    errors = []
    for hyper in hypers:
        mean, _ = Posterior.condition(hyper, X, y[:, None], Noise(np.ones(30))).predict(fresh)
        errors.append(1 - np.corrcoef(mean[:, 0], truth)[0, 1])
    assert errors[1] < errors[0]


def test_an_amplitude_learns_that_one_end_is_flat() -> None:
    """Where a learning rate is next to nothing, all runs end alike; a stationary model expects waves there, too."""
    rng = np.random.default_rng(4)
    X = rng.uniform(-1, 1, (40, 2))

    def outcome(points: np.ndarray) -> np.ndarray:
        return np.asarray(np.exp(2 * points[:, 0]) * np.sin(4 * points[:, 1]))

    spread = outcome(X).std()
    y, fresh = outcome(X) / spread, rng.uniform(-1, 1, (300, 2))
    hypers = [
        fit(X, y, Noise(np.ones(40)), 0.0, np.arange(2), replace(PRIOR, amplitude_slope=slope))
        for slope in (None, (0.0, 0.3))
    ]
    assert hypers[0].amplitude_slopes is None
    assert hypers[1].amplitude_slopes is not None
    assert hypers[1].amplitude_slopes[0] > 0.3
    errors, sureness = [], []
    for hyper in hypers:
        mean, deviation = Posterior.condition(hyper, X, y[:, None], Noise(np.ones(40))).predict(fresh)
        errors.append(np.sqrt(np.mean((mean[:, 0] - outcome(fresh) / spread) ** 2)))
        flat = fresh[:, 0] < -0.5
        sureness.append(np.mean(deviation[flat]) / np.mean(deviation[~flat]))
    assert errors[1] < errors[0]
    assert sureness[1] < 0.5 * sureness[0]


def test_marginal_likelihood_and_posterior_agree_with_scikit_learn() -> None:
    X, y = data(25, 3)
    scales, slopes = np.array([0.7, 1.3, 5.0]), np.array([0.2, 3.0, 0.01])
    hyper = Hyperparameters(scales, signal=1.7, slopes=slopes, noise=0.01, mean_variance=4.0)
    roots = np.sqrt(slopes)
    theirs = GaussianProcessRegressor(sklearn_kernel(hyper), alpha=hyper.noise, optimizer=None).fit(X * roots, y)
    flat = Prior((0.0, 1e9), (0.0, 1e9), (0.0, 1e9), (0.0, 1e9), mean_variance=hyper.mean_variance)
    theta = np.log([*hyper.length_scales, *hyper.slopes, hyper.signal, hyper.noise])
    ours, _ = negative_log_posterior(theta, X, y, Noise(np.ones(25)), 0.0, np.arange(3), flat)
    constant = 0.5 * 25 * math.log(2 * math.pi)
    assert -(ours + constant) == pytest.approx(theirs.log_marginal_likelihood_value_, rel=1e-6)
    points = np.random.default_rng(1).uniform(-2, 2, (50, 3))
    mean, deviation = theirs.predict(points * roots, return_std=True)
    our_mean, our_deviation = Posterior.condition(hyper, X, y[:, None], Noise(np.ones(25))).predict(points)
    assert our_mean[:, 0] == pytest.approx(mean, abs=1e-6)
    assert our_deviation == pytest.approx(deviation, abs=1e-5)


def test_a_mean_of_repeats_with_their_spread_is_worth_the_repeats_themselves() -> None:
    rng = np.random.default_rng(3)
    X = rng.uniform(-1, 1, (8, 2))
    y = rng.standard_normal((8, 3))
    flat = Prior((0.0, 1e9), (0.0, 1e9), (0.0, 1e9), (0.0, 1e9))
    mean, owner = y.mean(1), np.arange(2)
    within = float(((y - mean[:, None]) ** 2).sum())

    def difference(theta: np.ndarray) -> float:
        apart, _ = negative_log_posterior(theta, np.repeat(X, 3, 0), y.ravel(), Noise(np.ones(24)), 0.0, owner, flat)
        together, _ = negative_log_posterior(theta, X, mean, Noise(np.full(8, 3.0)), within, owner, flat)
        return apart - together

    thetas = rng.normal(0, 0.5, (4, 6))
    values = [difference(theta) for theta in thetas]
    assert values == pytest.approx([values[0]] * 4, abs=1e-5)  # equal up to a constant


def test_fit_finds_what_matters() -> None:
    X, y = data(60, 4)
    hyper = fit(X, y, Noise(np.ones(60)), 0.0, np.arange(4), PRIOR)
    assert hyper.length_scales[:2].max() < hyper.length_scales[2:].min()
    assert 1e-4 < hyper.noise < 2e-2
    fresh_X, _ = data(40, 4, seed=9)
    truth = np.sin(3 * fresh_X[:, 0]) + fresh_X[:, 1] ** 2
    mean, _ = Posterior.condition(hyper, X, y[:, None], Noise(np.ones(60))).predict(fresh_X)
    assert np.corrcoef(mean[:, 0], truth)[0, 1] > 0.99


@pytest.mark.parametrize(("seed", "n", "radius"), [(4, 30, 0.3), (3, 40, 0.2)])
def test_fit_takes_noise_for_noise_although_a_wild_function_explains_it_too(seed: int, n: int, radius: float) -> None:
    """From the prior's mode alone the fit ends where nothing is noise, at a lower posterior density."""
    rng = np.random.default_rng(seed)
    X = rng.integers(-1, 2, (n, 3)) + radius * rng.uniform(-1, 1, (n, 3))
    y = rng.standard_normal(n)
    assert fit(X, (y - y.mean()) / y.std(), Noise(np.ones(n)), 0.0, np.arange(3), PRIOR).noise > 0.5


def test_the_linear_part_extrapolates_a_power_law() -> None:
    X = np.linspace(-1, 0, 12)[:, None]
    y = 2 * X[:, 0]
    hyper = fit(X, y, Noise(np.ones(12)), 0.0, np.array([0]), PRIOR)
    mean, deviation = Posterior.condition(hyper, X, y[:, None], Noise(np.ones(12))).predict(np.array([[1.0]]))
    assert abs(mean[0, 0] - 2.0) < max(0.3, 2 * deviation[0])
