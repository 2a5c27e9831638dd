"""Fit of a Gaussian process's hyperparameters, by maximum a posteriori; notation in `carbs.models.kernel`."""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs
from scipy.optimize import minimize

from carbs.arrays import Array, Indices
from carbs.models.kernel import (
    JITTER,
    SQRT5,
    Hyperparameters,
    amplitude,
    polynomial,
    squared_distances,
    warp_and_slope,
    within_amplitude,
)
from carbs.models.noise import Noise
from carbs.models.priors import Prior

# Bounds of the fit, natural logarithms of: length scales (a fortieth of a bounded dimension up to "irrelevant"), the
# variances of the Matern part and of the slopes.
_LENGTH_SCALE_BOUNDS = (math.log(0.05), math.log(200.0))
_SIGNAL_BOUNDS = (math.log(1e-3), math.log(1e2))
_SLOPE_BOUNDS = (math.log(1e-6), math.log(1e3))
# Bounds of a warp: across a bounded dimension, two units wide, rates of change may differ by a factor of e^4.
_WARP_BOUNDS = (-2.0, 2.0)
# Bounds of an amplitude's slope: across a bounded dimension it changes by a factor of e^4 at most.
_AMPLITUDE_BOUNDS = (-2.0, 2.0)
# The posterior may have a second mode, where half of the variance or more is noise. It is looked for unless the density
# is too low where that search begins, and counts if it is clearly higher; both are differences of logarithms.
_NOISY = math.log(0.5)
_RISE = 10.0
_CLEARLY = 2.0


def negative_log_posterior(
    theta: Array, X: Array, y: Array, noise: Noise, within: float, owner: Indices, prior: Prior
) -> tuple[float, Array]:
    """Compute minus the log posterior of the hyperparameters, up to a constant, and its gradient.

    Args:
        theta: Logarithms of one length scale for each of the P owners, of one b2 for each, of s2 and t2; then the warps
            of the owners, and their slopes of the log amplitude, if the prior has any; shape (2 P + 2,) and more.
        X: Shape (n, D).
        y: Shape (n,).
        noise: Of the n outputs.
        within: Sum of squared deviations of repeats from their means: what repeats tell about the noise.
        owner: Index of the length scale and slope of each coordinate, shape (D,).
        prior: Priors.

    Returns:
        The value (R&W equation 5.8 plus the priors) and the gradient (equation 5.9), of the shape of `theta`.
    """
    n = len(y)
    num_owners = int(owner.max()) + 1
    log_scales, log_slopes, log_variances, warps, amplitude_slopes = _parts(theta, num_owners, prior)
    l, b2 = np.exp(log_scales)[owner], np.exp(log_slopes)[owner]
    s2, t2 = np.exp(log_variances)
    unwarped, by_warp = X, None
    if len(warps):
        X, by_warp = warp_and_slope(X, warps[owner])
    Z = X / l
    scaled = SQRT5 * Z
    z = np.sqrt(squared_distances(scaled, scaled))
    decay = np.exp(-z)
    decay *= s2
    if len(amplitude_slopes):
        a = amplitude(unwarped, amplitude_slopes[owner])
        decay *= a[:, None]
        decay *= a
    matern = polynomial(z)
    matern *= decay
    K = (X * b2) @ X.T
    K += matern
    K += prior.mean_variance
    diagonal = np.diag_indices(n)
    noise.add_to(K, t2, JITTER)
    # LAPACK itself: for as few runs as there are, scipy's checks take longer than the arithmetic.
    L, info = dpotrf(K, lower=1, clean=1, overwrite_a=1)
    if info:
        return 1e25, np.zeros_like(theta)
    alpha, _ = dpotrs(L, y, lower=1)
    inverse, _ = dpotri(L, lower=1)  # the lower triangle, zeros above
    inverse[diagonal] *= 0.5
    W = np.outer(alpha, alpha)  # dlogp = tr(W dK) / 2
    W -= inverse
    W -= inverse.T
    repeats = float(np.sum(noise.count) - n)
    value = 0.5 * y @ alpha + np.sum(np.log(L[diagonal])) + 0.5 * (within / t2 + repeats * math.log(t2))
    # dK/dlog l_j = s2 * 5/3 * (1 + z) exp(-z) * (x_j - x'_j)^2 / l_j^2; the sum over pairs by two matrix products.
    M = (z + 1) * decay
    M *= W
    M *= 5 / 3
    row_sums, MZ = np.sum(M, 1), M @ Z

    def by_owner(by_coordinate: Array) -> Array:
        return np.asarray(-0.5 * np.bincount(owner, weights=by_coordinate, minlength=num_owners))

    WX = W @ X
    of_signal = np.sum(W * matern, 1)
    of_noise = -0.5 * noise.inner(W, t2) + 0.5 * (repeats - within / t2)
    parts: list[Array] = [
        by_owner(2 * (row_sums @ (Z * Z) - np.sum(Z * MZ, 0))),
        by_owner(b2 * np.sum(X * WX, 0)),
        np.array([-0.5 * np.sum(of_signal), of_noise]),
    ]
    if by_warp is not None:
        # dK/dk_j likewise, with (x_j - x'_j) (dx_j/dk_j - dx'_j/dk_j) / l_j^2 and the other sign; then the linear part.
        bent = row_sums @ (Z * by_warp / l) - np.sum(MZ * by_warp / l, 0)
        parts.append(by_owner(2 * (b2 * np.sum(by_warp * WX, 0) - bent)))
    if len(amplitude_slopes):
        # dK/dg_j = s2 * a a' * matern * (x_j + x'_j).
        parts.append(by_owner(2 * of_signal @ within_amplitude(unwarped)))
    of_prior, pull = _negative_log_prior(theta, prior, num_owners)
    return float(value + of_prior), np.concatenate(parts) + pull


def _negative_log_prior(theta: Array, prior: Prior, num_owners: int) -> tuple[float, Array]:
    """Return minus the log density of the prior, up to a constant, and its gradient."""
    mean, deviation = _prior_arrays(prior, num_owners)
    residual = (theta - mean) / deviation
    return float(0.5 * residual @ residual), residual / deviation


def _parts(theta: Array, num_owners: int, prior: Prior) -> list[Array]:
    """Split the hyperparameters into those of length scales, slopes, two variances, warps, and slopes of amplitude."""
    num_warps = 0 if prior.warp is None else num_owners
    return np.split(theta, np.cumsum([num_owners, num_owners, 2, num_warps]))


def _prior_arrays(prior: Prior, num_owners: int) -> tuple[Array, Array]:
    """Return the means and the deviations of the prior, each of the shape of `theta`."""
    rows: list[tuple[tuple[Array | float, Array | float], int]] = [
        *((prior.length_scale, num_owners), (prior.slope, num_owners), (prior.signal, 1), (prior.noise, 1)),
        *((values, num_owners) for values in (prior.warp, prior.amplitude_slope) if values is not None),
    ]
    mean, deviation = np.empty((2, sum(number for _, number in rows)))
    start = 0
    for values, number in rows:
        mean[start : start + number], deviation[start : start + number] = values
        start += number
    return mean, deviation


def fit(
    X: Array, y: Array, noise: Noise, within: float, owner: Indices, prior: Prior, *, max_iterations: int = 60
) -> Hyperparameters:
    """Find the hyperparameters of the largest posterior density, by L-BFGS-B from the prior's mode and from much noise.

    Args:
        X: Shape (n, D).
        y: Shape (n,).
        noise: Of the n outputs.
        within: Sum of squared deviations of repeats from their means.
        owner: Index of the length scale and slope of each coordinate, shape (D,).
        prior: Priors.
        max_iterations: Bound on the iterations of L-BFGS-B.

    Returns:
        The hyperparameters.
    """
    num_owners = int(owner.max()) + 1
    args = (X, y, noise, within, owner, prior)
    mean, deviation = _prior_arrays(prior, num_owners)
    low, high = _bounds(prior, num_owners)

    def scaled(steps: Array) -> tuple[float, Array]:
        value, gradient = negative_log_posterior(mean + deviation * steps, *args)
        return value, gradient * deviation

    def climb(start: Array) -> tuple[Array, float]:
        # In deviations of the prior: in units of their own some hyperparameters move a hundred times as far as others.
        result = minimize(
            scaled,
            (start - mean) / deviation,
            jac=True,
            method="L-BFGS-B",
            bounds=np.column_stack([(low - mean) / deviation, (high - mean) / deviation]),
            # A thousandth of a unit of log posterior more makes no suggestion better.
            options={"maxiter": max_iterations, "maxcor": 20, "ftol": 1e-5, "gtol": 1e-2},
        )
        return mean + deviation * result.x, float(result.fun)

    theta, value = climb(mean)
    noisy = mean.copy()
    noisy[2 * num_owners + 1] = _NOISY
    if negative_log_posterior(noisy, *args)[0] < value + _RISE:
        other, its_value = climb(noisy)
        theta = other if its_value < value - _CLEARLY else theta
    return unpack(theta, owner, prior)


def _bounds(prior: Prior, num_owners: int) -> tuple[Array, Array]:
    """Return the smallest and the largest hyperparameters of a fit, each of the shape of `theta`."""
    bounds = [_LENGTH_SCALE_BOUNDS] * num_owners + [_SLOPE_BOUNDS] * num_owners + [_SIGNAL_BOUNDS, prior.noise_bounds]
    if prior.warp:
        bounds += [_WARP_BOUNDS] * num_owners
    if prior.amplitude_slope:
        bounds += [_AMPLITUDE_BOUNDS] * num_owners
    low, high = np.array(bounds).T
    return low, high


def pack(hyper: Hyperparameters, owner: Indices, prior: Prior) -> tuple[Array, Array, Array, Array]:
    """Return hyperparameters as `negative_log_posterior` takes them, their bounds, and the prior's deviations.

    Args:
        hyper: The hyperparameters.
        owner: Index of the length scale and slope of each coordinate, shape (D,).
        prior: Priors.

    Returns:
        Four arrays of the shape of `theta`.
    """
    num_owners = int(owner.max()) + 1
    _, first = np.unique(owner, return_index=True)
    logarithms = np.log(np.concatenate([hyper.length_scales[first], hyper.slopes[first], [hyper.signal, hyper.noise]]))
    optional = [part[first] for part in (hyper.warps, hyper.amplitude_slopes) if part is not None]
    return np.concatenate([logarithms, *optional]), *_bounds(prior, num_owners), _prior_arrays(prior, num_owners)[1]


def unpack(theta: Array, owner: Indices, prior: Prior) -> Hyperparameters:
    """Return the hyperparameters that `theta` holds; see `negative_log_posterior`."""
    num_owners = int(owner.max()) + 1
    log_scales, log_slopes, log_variances, warps, amplitude_slopes = _parts(theta, num_owners, prior)
    signal, noise = np.exp(log_variances)
    return Hyperparameters(
        np.exp(log_scales)[owner],
        float(signal),
        np.exp(log_slopes)[owner],
        float(noise),
        warps[owner] if prior.warp else None,
        prior.mean_variance,
        amplitude_slopes[owner] if prior.amplitude_slope else None,
    )
