r"""A response surface around the frontier: where the best configuration lies at each cost, and how sure that is.

Runs on the frontier are few and each carries its noise and what its search left undone; all other runs tell about the
frontier, too, through how much they fall short of it. So one model is fitted to all runs:

    y = f(t) - |v|^2 + noise,  v = M' (exp(g + h t) * (x - x*(t))),  x*(t) = p + s t

========== ========= ====================================================================
symbol     shape     meaning
========== ========= ====================================================================
n, D       scalars   configurations, numeric search coordinates
y          (n,)      objective, higher is better
t          (n,)      log10 of the cost, less its middle
x          (n, D)    search coordinates
f                    the frontier: a cubic B-spline of few knots
p, s       (D,)      the best coordinates at the middle cost, and what they gain a decade
g, h       (D,)      logarithm of the curvature's root, and what it gains a decade
M          (D, D)    lower triangular, unit diagonal: coordinates that act together
========== ========= ====================================================================

At a given cost x cannot move along the direction q in which the cost grows, so that component of p and s is not left to
the curvatures: there x - x* is zero, and the line follows from the cost alone. A quadratic is right near its optimum
only: a run's variance is that of the noise plus (kappa * its shortfall)^2, with kappa and noise found by likelihood, so
that bad runs count little. Found by a damped Gauss-Newton method under weak normal priors, which hold what the runs do
not tell near the line through the frontier.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline

from carbs.arrays import Array

_NUM_SPLINES = 8  # bends of a frontier over a few decades; a prior on second differences smooths them
_MAX_INTERACTING = 12  # coordinates; beyond, the D^2 / 2 interactions would outnumber most sweeps' runs
_ITERATIONS = 25  # of each fit; five to ten are usual
_ROUNDS = 6  # of fit and re-weighting; they settle after four
# Prior standard deviations, in search units (a bounded dimension has two) and logarithms: the line may be off by half
# a dimension, and bend over the span of costs by a whole one; curvatures may differ by a factor of twenty, and by
# three a decade.
_SD_POSITION, _SD_SLOPE, _SD_CURVATURE, _SD_TREND, _SD_INTERACTION = 1.0, 2.0, 1.5, 0.5, 0.5
# Runs at costs where the frontier is at a bound tell of the law only by their curvatures.
_PINNED_WEIGHT = 0.1
# Shortfalls are wrong by these shares of themselves, if not better: what the likelihood chooses from.
_KAPPAS = np.geomspace(0.02, 0.6, 12)
_NOISES = np.geomspace(0.25, 4.0, 9)  # factors on the noise that the surrogate found
_STUDENT = 4.0  # degrees of freedom of the residuals: one run in a thousand is off by far


@dataclass(frozen=True)
class Runs:
    """What the surface is fitted to.

    Attributes:
        X: Numeric search coordinates, shape (n, D).
        other: Covariates that only shift the objective (choices), shape (n, C).
        y: Objective, higher is better, shape (n,).
        smooth: The surrogate's posterior mean of it, shape (n,).
        t: Log10 of the cost, shape (n,).
        count: Number of repeats, shape (n,).
        is_free: Whether its cost is one at which no coordinate that drives the cost is at a bound along the frontier,
            shape (n,).
        noise: Standard deviation of a single objective as the surrogate sees it.
    """

    X: Array
    other: Array
    y: Array
    smooth: Array
    t: Array
    count: Array
    is_free: NDArray[np.bool_]
    noise: float


class Surface:
    """The model of this module's docstring; its parameters are theta = (f and shifts, p, s, g, h, M).

    Args:
        runs: What was observed; costs that span some range.
        shortfall: A first guess of how far each run is below the frontier, shape (n,).
        multiplicity: How often each run counts, shape (n,).
    """

    def __init__(self, runs: Runs, shortfall: Array, multiplicity: Array) -> None:
        multiplicity = multiplicity * np.where(runs.is_free, 1.0, _PINNED_WEIGHT)
        self._runs, self.multiplicity = runs, multiplicity
        D = runs.X.shape[1]
        low, high = float(np.min(runs.t)), float(np.max(runs.t))
        self.middle = (low + high) / 2
        self._t = runs.t - self.middle
        knots = np.concatenate([[low] * 3, np.linspace(low, high, _NUM_SPLINES - 2), [high] * 3])
        splines = BSpline.design_matrix(np.clip(runs.t, low, high), knots, 3).toarray()
        self._basis = np.hstack([splines, runs.other - np.mean(runs.other, 0)])
        weights = multiplicity / (runs.noise**2 + (0.3 * shortfall) ** 2)
        weights /= np.max(weights)
        self._direction = cost_direction(runs.X, runs.t, weights)
        outer = np.outer(self._direction, self._direction)
        self._across = np.linalg.svd(np.eye(D) - outer)[0][:, : D - 1]  # orthonormal, perpendicular to q
        self._along = _regress(self._t, (runs.X @ self._direction)[:, None], weights)
        p0, s0 = _regress(self._t, runs.X @ self._across, weights * np.where(runs.is_free, 1.0, 1e-6))
        spread = runs.X @ self._across - p0 - np.outer(self._t, s0)
        mean_shortfall = float(np.average(shortfall, weights=weights)) + runs.noise
        mean_square = float(np.mean(np.average(spread**2, axis=0, weights=weights))) if D > 1 else 1.0
        g0 = 0.5 * math.log(mean_shortfall / max(D - 1, 1) / (mean_square + 1e-6))
        top = runs.y + shortfall
        f0 = np.linalg.lstsq(self._basis * np.sqrt(weights)[:, None], top * np.sqrt(weights), rcond=None)[0]
        self._rows, self._columns = np.tril_indices(D if D <= _MAX_INTERACTING else 0, -1)
        sizes = [len(f0), D - 1, D - 1, D, D, len(self._rows)]
        ends = np.cumsum(sizes).tolist()
        self._parts = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        self._start = np.concatenate([f0, p0, s0, np.full(D, g0), np.zeros(D + len(self._rows))])
        span = max(high - low, 1e-3)
        deviations = [math.inf, _SD_POSITION, _SD_SLOPE / span, _SD_CURVATURE, _SD_TREND, _SD_INTERACTION]
        self._prior = np.diag(np.repeat(1 / np.array(deviations), sizes))
        # The frontier's second differences are of the size of its range at most; shifts by choices likewise.
        scale = float(np.ptp(top)) + runs.noise
        bends = np.diff(np.eye(_NUM_SPLINES), 2, axis=0) / scale
        self._prior[: len(bends), :_NUM_SPLINES] = bends
        for k in range(_NUM_SPLINES, len(f0)):
            self._prior[k, k] = 1 / scale
        self._prior_mean = self._start.copy()
        self._prior_mean[: len(f0)] = 0.0
        self._initial_shortfall = shortfall
        self.size = len(self._start)

    def line(self, theta: Array) -> tuple[Array, Array]:
        """Return position at the middle and slope in search coordinates, each of shape (D,)."""
        p, s = (
            self._across @ theta[part] + self._direction * along
            for part, along in zip(self._parts[1:3], self._along, strict=True)
        )
        return p, s

    def shift(self, theta: Array) -> Array:
        """Return what the choices add to each run's objective, shape (n,)."""
        return self._basis[:, _NUM_SPLINES:] @ theta[_NUM_SPLINES : self._parts[0].stop]

    def shortfall(self, theta: Array) -> Array:
        """Return |v|^2 of each run, shape (n,)."""
        total: Array = np.sum(self._v(theta)[2] ** 2, axis=1)
        return total

    def _v(self, theta: Array) -> tuple[Array, Array, Array]:
        _, p, s, g, h, interactions = (theta[part] for part in self._parts)
        D = len(g)
        M = np.eye(D)
        M[self._rows, self._columns] = interactions
        offset = self._runs.X @ self._across - p - np.outer(self._t, s)
        root = np.exp(np.clip(g + np.outer(self._t, h), -30, 30))
        scaled = (offset @ self._across.T) * root
        return root, scaled, scaled @ M

    def _residual(self, theta: Array) -> Array:
        return self._runs.y - self._basis @ theta[self._parts[0]] + self.shortfall(theta)

    def _jacobian(self, theta: Array) -> Array:
        """Differentiate the residuals, shape (n, number of parameters)."""
        root, scaled, v = self._v(theta)
        M = np.eye(root.shape[1])
        M[self._rows, self._columns] = theta[self._parts[5]]
        by_scaled = 2 * v @ M.T
        by_position = -(by_scaled * root) @ self._across
        by_curvature = by_scaled * scaled
        t = self._t[:, None]
        by_interaction = 2 * scaled[:, self._rows] * v[:, self._columns]
        parts = [-self._basis, by_position, t * by_position, by_curvature, t * by_curvature, by_interaction]
        return np.hstack(parts)

    def fit(self, pull: Array) -> tuple[Array, Array]:
        """Return the parameters of the largest posterior density, and each run's standard deviation, shape (n,).

        Args:
            pull: By how many standard deviations to move the prior's mean; shape of the parameters.
        """
        runs = self._runs
        theta, shortfall = self._start, self._initial_shortfall
        robust = np.ones(len(runs.y))
        deviation = np.sqrt(runs.noise**2 / runs.count + (0.3 * shortfall) ** 2)
        for _ in range(_ROUNDS):
            weight = np.sqrt(robust * self.multiplicity) / deviation
            theta = self._descend(theta, weight, pull)
            residual = self._residual(theta)
            # A run that is worse than its shortfall explains is not near the frontier either.
            shortfall = np.maximum(self.shortfall(theta), -residual - 2 * runs.noise)
            weighted = weight[:, None] * self._jacobian(theta)
            gram = weighted.T @ weighted
            used = float(np.trace(_solve(gram + self._prior.T @ self._prior, gram)))
            deviation = self._dispersion(residual, shortfall, used)
            robust = (_STUDENT + 1) / (_STUDENT + (residual / deviation) ** 2)
        return theta, deviation / np.sqrt(robust)

    def _descend(self, theta: Array, weight: Array, pull: Array) -> Array:
        """Minimise the weighted squares by Levenberg and Marquardt's method."""

        def objective(theta: Array) -> tuple[float, Array, Array]:
            residual, away = weight * self._residual(theta), self._prior @ (theta - self._prior_mean) - pull
            return float(residual @ residual + away @ away), residual, away

        damping = 1e-3
        value, residual, away = objective(theta)
        for _ in range(_ITERATIONS):
            J = weight[:, None] * self._jacobian(theta)
            gram = J.T @ J + self._prior.T @ self._prior
            gradient = J.T @ residual + self._prior.T @ away
            step = _solve(gram + damping * np.diag(np.diag(gram)), gradient)
            new = objective(theta - step)
            if new[0] < value:
                is_done = value - new[0] < 1e-4 * (1 + new[0])
                theta, (value, residual, away), damping = theta - step, new, damping / 5
                if is_done:
                    break
            else:
                damping *= 10
        return theta

    def _dispersion(self, residual: Array, shortfall: Array, used: float) -> Array:
        """Find noise and kappa by likelihood, and return each run's standard deviation, shape (n,).

        Args:
            residual: Shape (n,).
            shortfall: Shape (n,).
            used: Effective number of parameters: residuals are smaller than the errors by these degrees of freedom.
        """
        runs = self._runs
        n = len(residual)
        inflated = residual**2 * n / max(n - used, 0.25 * n)
        noise, kappa = (grid.ravel() for grid in np.meshgrid(_NOISES, _KAPPAS))
        variance = (noise[:, None] * runs.noise) ** 2 / runs.count + (kappa[:, None] * shortfall) ** 2
        loss = self.multiplicity * ((_STUDENT + 1) * np.log1p(inflated / variance / _STUDENT) + np.log(variance))
        # The surrogate's noise is known up to a factor of two or so.
        total = np.sum(loss, 1) + (np.log(noise) / math.log(2)) ** 2
        likeliest: Array = np.sqrt(variance[np.argmin(total)])
        return likeliest


def cost_direction(X: Array, t: Array, weights: Array) -> Array:
    """Return the unit vector q along which the cost grows near the frontier, by ridge regression, shape (D,)."""
    root = np.sqrt(weights)[:, None]
    A = (X - weights @ X / np.sum(weights)) * root
    target = (t - weights @ t / np.sum(weights)) * root[:, 0]
    gram = A.T @ A
    gradient = np.linalg.solve(gram + (1e-6 * np.trace(gram) + 1e-12) * np.eye(len(gram)), A.T @ target)
    norm = float(np.linalg.norm(gradient))
    return gradient / norm if norm > 0 else np.eye(len(gram))[0]


def _regress(t: Array, Z: Array, weights: Array) -> tuple[Array, Array]:
    """Return intercepts and slopes of the columns of `Z` over `t`, by weighted least squares."""
    total = float(np.sum(weights))
    mean_t, mean_Z = float(weights @ t) / total, weights @ Z / total
    slope = (weights * (t - mean_t)) @ (Z - mean_Z) / max(float(weights @ (t - mean_t) ** 2), 1e-12)
    return mean_Z - slope * mean_t, slope


def _solve(gram: Array, right: Array) -> Array:
    """Solve gram x = right for a matrix that is positive semi-definite, but for rounding.

    Splines at costs with few runs, and choices, leave directions that next to nothing holds: a diagonal that is a
    little larger, relative to its own units, keeps the solution small there.
    """
    root = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    scaled = gram / np.outer(root, root) + 1e-9 * np.eye(len(gram))
    by_root = root if right.ndim == 1 else root[:, None]
    solution: Array = np.linalg.solve(scaled, right / by_root) / by_root
    return solution
