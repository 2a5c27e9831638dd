"""Exact Gaussian process regression: fit by maximum a posteriori, and posterior; notation in `carbs.models.kernel`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs, dtrtrs
from scipy.optimize import minimize

from carbs.arrays import Array, Indices
from carbs.models.kernel import (
    SQRT5,
    Hyperparameters,
    kernel,
    polynomial,
    squared_distances,
    warp,
    warp_and_slope,
    warped_kernel,
    warped_variance,
)
from carbs.models.noise import Noise
from carbs.tuning import DEFAULT

# Added to the diagonal: keeps the Cholesky factor of near-duplicates finite, a thousandth of the smallest noise.
_JITTER = 1e-9
# Points whose means are predicted together: 10,000 at once, from 1500 outputs, took at least 1.8 times as long.
_AT_ONCE = 500
# Bounds of the fit, natural logarithms of: length scales (a fortieth of a bounded dimension up to "irrelevant"), the
# variances of the Matern part and of the slopes.
_LENGTH_SCALE_BOUNDS = (math.log(0.05), math.log(200.0))
_SIGNAL_BOUNDS = (math.log(1e-3), math.log(1e2))
_SLOPE_BOUNDS = (math.log(1e-6), math.log(1e3))
# Bounds of a warp: across a bounded dimension, two units wide, rates of change may differ by a factor of e^4.
_WARP_BOUNDS = (-2.0, 2.0)
# The posterior may have a second mode, where half of the variance or more is noise. It is looked for unless the density
# is too low where that search begins, and counts if it is clearly higher; both are differences of logarithms.
_NOISY = math.log(0.5)
_RISE = 10.0
_CLEARLY = 2.0


@dataclass(frozen=True)
class Prior:
    """Independent normal priors on the logarithms of the hyperparameters, and on the warps.

    Attributes:
        length_scale: Mean and standard deviation for every length scale.
        signal: For s2.
        slope: For every b2.
        noise: For t2.
        warp: Means of the warps, shape (P,) or one for all, and their standard deviation; None leaves warps out.
        mean_variance: m2 itself.
        noise_bounds: Bounds of the logarithm of t2 in a fit.
    """

    length_scale: tuple[float, float]
    signal: tuple[float, float]
    slope: tuple[float, float]
    noise: tuple[float, float]
    warp: tuple[Array | float, float] | None = None
    mean_variance: float = 1.0
    noise_bounds: tuple[float, float] = DEFAULT.model.noise_bounds


def negative_log_posterior(
    theta: Array, X: Array, y: Array, noise: Noise, within: float, owner: Indices, prior: Prior
) -> tuple[float, Array]:
    """Compute minus the log posterior of the hyperparameters, up to a constant, and its gradient.

    Args:
        theta: Logarithms of one length scale for each of the P owners, of one b2 for each, of s2 and t2; then the warps
            of the owners, if the prior has any; shape (2 P + 2,) or (3 P + 2,).
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
    log_scales, log_slopes, log_variances, warps = _parts(theta, num_owners)
    l, b2 = np.exp(log_scales)[owner], np.exp(log_slopes)[owner]
    s2, t2 = np.exp(log_variances)
    by_warp = None
    if len(warps):
        X, by_warp = warp_and_slope(X, warps[owner])
    Z = X / l
    scaled = SQRT5 * Z
    z = np.sqrt(squared_distances(scaled, scaled))
    decay = np.exp(-z)
    decay *= s2
    matern = polynomial(z)
    matern *= decay
    K = (X * b2) @ X.T
    K += matern
    K += prior.mean_variance
    diagonal = np.diag_indices(n)
    noise.add_to(K, t2, _JITTER)
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
    of_noise = -0.5 * noise.inner(W, t2) + 0.5 * (repeats - within / t2)
    parts: list[Array] = [
        by_owner(2 * (row_sums @ (Z * Z) - np.sum(Z * MZ, 0))),
        by_owner(b2 * np.sum(X * WX, 0)),
        np.array([-0.5 * np.sum(W * matern), of_noise]),
    ]
    if by_warp is not None:
        # dK/dk_j likewise, with (x_j - x'_j) (dx_j/dk_j - dx'_j/dk_j) / l_j^2 and the other sign; then the linear part.
        bent = row_sums @ (Z * by_warp / l) - np.sum(MZ * by_warp / l, 0)
        parts.append(by_owner(2 * (b2 * np.sum(by_warp * WX, 0) - bent)))
    mean, deviation = _prior_arrays(prior, num_owners)
    residual = (theta - mean) / deviation
    return float(value + 0.5 * residual @ residual), np.concatenate(parts) + residual / deviation


def _parts(theta: Array, num_owners: int) -> list[Array]:
    """Split the hyperparameters into those of length scales, slopes, the two variances, and warps."""
    return np.split(theta, [num_owners, 2 * num_owners, 2 * num_owners + 2])


def _prior_arrays(prior: Prior, num_owners: int) -> tuple[Array, Array]:
    rows = [prior.length_scale] * num_owners + [prior.slope] * num_owners + [prior.signal, prior.noise]
    mean, deviation = np.array(rows).T
    if prior.warp is None:
        return mean, deviation
    warp_mean, warp_deviation = (np.broadcast_to(value, num_owners) for value in prior.warp)
    return np.concatenate([mean, warp_mean]), np.concatenate([deviation, warp_deviation])


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

    def climb(start: Array) -> tuple[Array, float]:
        result = minimize(
            negative_log_posterior,
            start,
            args=args,
            jac=True,
            method="L-BFGS-B",
            bounds=np.column_stack(_bounds(prior, num_owners)),
            # A thousandth of a unit of log posterior more makes no suggestion better.
            options={"maxiter": max_iterations, "maxcor": 20, "ftol": 1e-5, "gtol": 1e-2},
        )
        return result.x, float(result.fun)

    start, _ = _prior_arrays(prior, num_owners)
    theta, value = climb(start)
    noisy = start.copy()
    noisy[2 * num_owners + 1] = _NOISY
    if negative_log_posterior(noisy, *args)[0] < value + _RISE:
        other, its_value = climb(noisy)
        theta = other if its_value < value - _CLEARLY else theta
    return unpack(theta, owner, prior)


def _bounds(prior: Prior, num_owners: int) -> tuple[Array, Array]:
    """Return the smallest and the largest hyperparameters of a fit, each of the shape of `theta`."""
    bounds = [_LENGTH_SCALE_BOUNDS] * num_owners + [_SLOPE_BOUNDS] * num_owners + [_SIGNAL_BOUNDS, prior.noise_bounds]
    low, high = np.array(bounds + [_WARP_BOUNDS] * (num_owners if prior.warp else 0)).T
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
    theta = logarithms if hyper.warps is None else np.concatenate([logarithms, hyper.warps[first]])
    return theta, *_bounds(prior, num_owners), _prior_arrays(prior, num_owners)[1]


def unpack(theta: Array, owner: Indices, prior: Prior) -> Hyperparameters:
    """Return the hyperparameters that `theta` holds; see `negative_log_posterior`."""
    log_scales, log_slopes, log_variances, warps = _parts(theta, int(owner.max()) + 1)
    signal, noise = np.exp(log_variances)
    return Hyperparameters(
        np.exp(log_scales)[owner],
        float(signal),
        np.exp(log_slopes)[owner],
        float(noise),
        warps[owner] if prior.warp else None,
        prior.mean_variance,
    )


@dataclass(frozen=True)
class Posterior:
    """A Gaussian process conditioned on data; see the notation table of this module."""

    hyper: Hyperparameters
    X: Array
    L: Array
    alpha: Array

    @classmethod
    def condition(cls, hyper: Hyperparameters, X: Array, y: Array, noise: Noise) -> Posterior:
        """Condition on outputs `y`, shape (n, S), at `X`, with their noise."""
        K = kernel(X, X, hyper)
        jitter = _JITTER
        while True:
            noisy = K.copy()
            noise.add_to(noisy, hyper.noise, jitter)
            try:
                L = cholesky(noisy, lower=True, check_finite=False)
            except np.linalg.LinAlgError:
                # Rounding made K indefinite: a larger diagonal always ends this, at the price of a little smoothing.
                jitter *= 100
                continue
            return cls(hyper, X, L, cho_solve((L, True), y, check_finite=False))

    @cached_property
    def _warped(self) -> Array:
        return warp(self.X, self.hyper.warps)

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Predict the noise-free output.

        Args:
            points: Shape (m, D).

        Returns:
            Mean, shape (m, S), and standard deviation, shape (m,) (R&W algorithm 2.1).
        """
        warped = warp(points, self.hyper.warps)
        cross = warped_kernel(self._warped, warped, self.hyper)
        mean = cross.T @ self.alpha
        half, _ = dtrtrs(self.L, cross, lower=1, overwrite_b=1)
        variance = warped_variance(warped, self.hyper) - np.einsum("ij,ij->j", half, half)
        return mean, np.sqrt(np.maximum(variance, 1e-12))

    def mean(self, points: Array) -> Array:
        """Predict the noise-free output's mean alone, which is much faster; shape (m, S)."""
        warped = warp(points, self.hyper.warps)
        parts = [warped[start : start + _AT_ONCE] for start in range(0, max(len(warped), 1), _AT_ONCE)]
        return np.vstack([warped_kernel(self._warped, part, self.hyper).T @ self.alpha for part in parts])

    def leave_one_out(self) -> tuple[Array, Array]:
        """Predict each output from all others (R&W equations 5.10 to 5.12).

        Returns:
            What was seen less what is expected, shape (n, S), and its standard deviation, with the noise, shape (n,).
        """
        inverse, _ = dpotri(self.L, lower=1)
        precision = np.diag(inverse)
        return self.alpha / precision[:, None], 1 / np.sqrt(precision)

    def expected_slopes(self) -> Array:
        """Return the expected slopes of the linear part, in warped coordinates; shape (D, S)."""
        expected: Array = (warp(self.X, self.hyper.warps) * self.hyper.slopes).T @ self.alpha
        return expected

    def covariance(self, A: Array, B: Array) -> Array:
        """Return the posterior covariance of the noise-free outputs at `A`, shape (a, D), and `B`, shape (b, D)."""
        half_A, half_B = (
            solve_triangular(self.L, kernel(self.X, points, self.hyper), lower=True, check_finite=False)
            for points in (A, B)
        )
        covariance: Array = kernel(A, B, self.hyper) - half_A.T @ half_B
        return covariance

    def sample(self, points: Array, noise: Array) -> Array:
        """Draw the noise-free outputs at `points` jointly.

        Args:
            points: Shape (m, D).
            noise: Standard normal numbers, shape (m, S).

        Returns:
            Shape (m, S).
        """
        values, vectors = np.linalg.eigh(self.covariance(points, points))
        draws: Array = kernel(points, self.X, self.hyper) @ self.alpha + vectors @ (
            np.sqrt(np.maximum(values, 0.0))[:, None] * noise
        )
        return draws
