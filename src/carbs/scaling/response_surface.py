r"""A response surface around the frontier: where the best configuration lies at each cost or size, and how sure that is.

Runs on the frontier are few, and each has its noise. All other runs say something about the frontier, too, by how far
they fall short of it. So one model is fitted to all runs:

    y = f(t) - sum_j bowl(v_j) + noise,  v = M' (exp(g + h t) * (x - x*(t))),  x*(t) = p + s t
    bowl(v) = v^2 (1 + c v / sqrt(v^2 + u^2))

========== ========= ====================================================================
symbol     shape     meaning
========== ========= ====================================================================
n, D, k    scalars   runs, numeric search coordinates, axes
y          (n,)      objective, higher is better
t          (n, k)    the axes, less their middle: log10 of the cost, or of the given sizes
x          (n, D)    search coordinates (without the sizes that are axes)
f                    the frontier: see `carbs.scaling.frontier_curve`
p, s       (D,)      the best coordinates in the middle, and their change along each axis
g, h       (D,)      logarithm of the curvature's root, and its change along each axis
M          (D, D)    lower triangular, unit diagonal: coordinates that act together
c          (D,)      lopsidedness: one side of the bowl may be steeper (a learning rate's)
u          scalar    root of the typical shortfall
========== ========= ====================================================================

If the axis is the cost, x cannot move at a given cost along the direction q in which the cost grows. There x - x* is
zero, and the line follows from the cost alone. If the axes are sizes, x moves freely.

A bowl is right near its optimum only, and runs diverge: see `carbs.scaling.dispersion`. The fit is a damped Gauss-Newton
method under weak normal priors, with the runs weighted anew after each. It begins at the weighted mean of the best runs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from carbs.arrays import Array, Flags
from carbs.scaling.dispersion import Dispersion, estimate_dispersion, first_dispersion
from carbs.scaling.frontier_curve import curve_basis, upper_quantile

# Coordinates; beyond, the D^2 / 2 interactions would outnumber most sweeps' runs.
_MAX_INTERACTING = 12
_ITERATIONS = 25  # of each fit; five to ten are usual
_ROUNDS = 8  # of fit and judgement; they settle after five
# Prior standard deviations in search units (a bounded dimension has two): the line may be off by half a dimension, and
# may bend by half a dimension over the span of an axis.
_SD_POSITION, _SD_SLOPE = 1.0, 1.0
# Along sizes that span little, a slope is also bounded: half a search unit for each decade, usually one decade.
_SD_SLOPE_A_DECADE = 0.5
# Logarithms of curvatures (they may differ by a factor of e^2), their change a decade, interactions, lopsidedness.
_SD_CURVATURE, _SD_TREND, _SD_INTERACTION, _SD_LOPSIDED = 1.0, 0.3, 0.3, 0.3
# Runs at costs where the frontier is at a bound inform the law only by their curvatures.
_PINNED_WEIGHT = 0.1
# The share of a shortfall that is taken for its error, in the weights that the first guess is made with.
_FIRST_KAPPA = 0.3


@dataclass(frozen=True)
class Runs:
    """The runs that the surface is fitted to, in an order that does not depend on the caller's.

    Attributes:
        X: Numeric search coordinates, shape (n, D).
        axes: Log10 of the cost, or of the sizes, shape (n, k).
        other: Covariates that only shift the objective (choices), shape (n, C).
        y: Objective, higher is better, shape (n,).
        is_free: Whether its cost is one at which no coordinate that drives the cost is at a bound along the frontier,
            shape (n,).
        drives_cost: Whether the axis is the cost, which is a function of X.
    """

    X: Array
    axes: Array
    other: Array
    y: Array
    is_free: Flags
    drives_cost: bool


class Surface:
    """The model of this module's docstring; its parameters are theta = (f and shifts, p, s, g, h, M, c).

    Args:
        runs: The runs; their axes span some range.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self.multiplicity = np.where(runs.is_free, 1.0, _PINNED_WEIGHT)
        n, D = runs.X.shape
        k = runs.axes.shape[1]
        low, high = np.min(runs.axes, 0), np.max(runs.axes, 0)
        self.middle = (low + high) / 2
        self._t = runs.axes - self.middle
        curve, penalty = curve_basis(runs.axes)
        self._num_curve = curve.shape[1]
        self._basis = np.hstack([curve, runs.other - np.mean(runs.other, 0)])
        F, C = self._basis.shape[1], runs.other.shape[1]
        smooth = np.zeros((len(penalty) + C, F))
        smooth[: len(penalty), : self._num_curve] = penalty
        smooth[len(penalty) :, self._num_curve :] = np.eye(C)

        top = upper_quantile(self._basis, smooth, runs.y, self.multiplicity)
        shortfall = np.maximum(top - runs.y, 0.0)
        below = shortfall[shortfall > 0]
        least = 1e-9 * float(np.ptp(runs.y)) or 1.0
        self._unit = max(float(np.median(below)), least) if len(below) else least
        self.first_shortfall = shortfall
        self._first = first_dispersion(shortfall, self._unit)
        discounted = shortfall * (1 + shortfall / self._unit)
        weights = self.multiplicity / ((_FIRST_KAPPA * self._unit) ** 2 + discounted**2)
        weights /= np.max(weights)

        self._direction = np.zeros(D)
        self._across = np.eye(D)
        self._along = np.zeros(1), np.zeros((k, 1))
        if runs.drives_cost:
            self._direction = q = cost_direction(runs.X, runs.axes[:, 0], weights)
            # Orthonormal, perpendicular to q.
            self._across = np.linalg.svd(np.eye(D) - np.outer(q, q))[0][:, : D - 1]
            self._along = _regress(self._t, (runs.X @ q)[:, None], weights)
        E = self._across.shape[1]
        free = weights * np.where(runs.is_free, 1.0, 1e-6)
        p0, s0 = _regress(self._t, runs.X @ self._across, free)
        spread = runs.X @ self._across - p0 - self._t @ s0
        mean_shortfall = float(np.average(shortfall, weights=weights)) + self._first.noise
        mean_square = float(np.mean(np.average(spread**2, axis=0, weights=weights))) if E else 1.0
        g0 = 0.5 * math.log(mean_shortfall / max(E, 1) / (mean_square + 1e-6))
        root = np.sqrt(weights)
        stacked = np.vstack([self._basis * root[:, None], 1e-3 * smooth])
        f0 = np.linalg.lstsq(stacked, np.append((runs.y + shortfall) * root, np.zeros(len(smooth))), rcond=None)[0]

        self._rows, self._columns = np.tril_indices(D if D <= _MAX_INTERACTING else 0, -1)
        sizes = [F, E, k * E, D, k * D, len(self._rows), D]
        ends = np.cumsum(sizes).tolist()
        self._parts = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        self._start = np.concatenate([f0, p0, s0.ravel(), np.full(D, g0), np.zeros(sum(sizes[4:]))])
        slopes = np.minimum(_SD_SLOPE / np.maximum(high - low, 1e-3), math.inf if runs.drives_cost else _SD_SLOPE_A_DECADE)
        deviations = np.concatenate(
            [
                np.full(E, _SD_POSITION),
                np.repeat(slopes, E),
                np.full(D, _SD_CURVATURE),
                np.full(k * D, _SD_TREND),
                np.full(len(self._rows), _SD_INTERACTION),
                np.full(D, _SD_LOPSIDED),
            ]
        )
        # The frontier's second differences are of the size of its range at most; shifts by choices likewise.
        self.num_drawn = len(deviations)
        self._prior = np.zeros((len(deviations) + len(smooth), ends[-1]))
        self._prior[: len(deviations), F:] = np.diag(1 / deviations)
        self._prior[len(deviations) :, :F] = smooth / (float(np.ptp(runs.y + shortfall)) + self._first.noise)
        self._prior_mean = np.concatenate([np.zeros(F), self._start[F:]])

    def line(self, theta: Array) -> tuple[Array, Array]:
        """Return the position in the middle, shape (D,), and the slopes along the axes, shape (k, D)."""
        position = self._across @ theta[self._parts[1]] + self._direction * self._along[0]
        slopes = theta[self._parts[2]].reshape(self._t.shape[1], -1) @ self._across.T
        return position, slopes + np.outer(self._along[1][:, 0], self._direction)

    def shift(self, theta: Array) -> Array:
        """Return the shift of each run's objective by its choices, shape (n,)."""
        return self._basis[:, self._num_curve :] @ theta[self._num_curve : self._parts[0].stop]

    def frontier(self, theta: Array) -> Array:
        """Return f at each run, without the shift by its choices, shape (n,)."""
        return self._basis[:, : self._num_curve] @ theta[: self._num_curve]

    def shortfall(self, theta: Array, X: Array | None = None, axes: Array | None = None) -> Array:
        """Return the sum of the bowls at each run, or at other points of shapes (m, D) and (m, k); shape (m,)."""
        t = self._t if axes is None else axes - self.middle
        v, lopsided = self._v(theta, self._runs.X if X is None else X, t)[2:]
        total: Array = np.sum(v**2 * (1 + lopsided * v / np.sqrt(v**2 + self._unit)), axis=1)
        return total

    def _v(self, theta: Array, X: Array, t: Array) -> tuple[Array, Array, Array, Array]:
        """Return the curvatures' roots, the scaled offsets, v, each of shape (n, D), and c, shape (D,)."""
        k, D = t.shape[1], X.shape[1]
        _, p, s, g, h, _, c = (theta[part] for part in self._parts)
        offset = X @ self._across - p - t @ s.reshape(k, -1)
        root = np.exp(np.clip(g + t @ h.reshape(k, D), -30, 30))
        scaled = (offset @ self._across.T) * root
        return root, scaled, scaled @ self._interactions(theta), np.tanh(c)

    def _interactions(self, theta: Array) -> Array:
        M = np.eye(self._runs.X.shape[1])
        M[self._rows, self._columns] = theta[self._parts[5]]
        return M

    def residual(self, theta: Array) -> Array:
        """Return the objective less the surface, shape (n,)."""
        return self._runs.y - self._basis @ theta[self._parts[0]] + self.shortfall(theta)

    def _jacobian(self, theta: Array) -> Array:
        """Differentiate the residuals, shape (n, number of parameters)."""
        root, scaled, v, lopsided = self._v(theta, self._runs.X, self._t)
        square = v**2 + self._unit
        side = v / np.sqrt(square)
        by_v = 2 * v * (1 + lopsided * side) + lopsided * v**2 * self._unit / square**1.5
        by_scaled = by_v @ self._interactions(theta).T
        by_position = -(by_scaled * root) @ self._across
        by_curvature = by_scaled * scaled
        by_interaction = scaled[:, self._rows] * by_v[:, self._columns]
        axes = [t[:, None] for t in self._t.T]
        parts = [-self._basis, by_position, *(t * by_position for t in axes), by_curvature]
        parts += [*(t * by_curvature for t in axes), by_interaction, v**2 * side * (1 - lopsided**2)]
        return np.hstack(parts)

    def fit(self) -> tuple[Array, Dispersion]:
        """Return the parameters of the largest posterior density, and the judgement of each run."""
        theta, dispersion = self._start, self._first
        pull = np.zeros(len(self._prior))
        for _ in range(_ROUNDS):
            weight = np.sqrt(dispersion.weight * self.multiplicity) / dispersion.deviation
            theta = self._descend(theta, weight, pull)
            weighted = weight[:, None] * self._jacobian(theta)
            gram = weighted.T @ weighted
            used = float(np.trace(_solve(gram + self._prior.T @ self._prior, gram)))
            dispersion = estimate_dispersion(
                self.residual(theta), self.shortfall(theta), self.multiplicity, self._unit, used, dispersion
            )
        return theta, dispersion

    def refit(self, theta: Array, weight: Array, pull: Array) -> Array:
        """Return the parameters for other weights and another prior mean: a bootstrap draw.

        Args:
            theta: The parameters to begin with.
            weight: Of each run's squared residual, shape (n,).
            pull: By how many standard deviations to move the prior's mean, shape (`num_drawn`,).
        """
        pulls = np.append(pull, np.zeros(len(self._prior) - len(pull)))
        return self._descend(theta, np.sqrt(weight), pulls)

    def _descend(self, theta: Array, weight: Array, pull: Array) -> Array:
        """Minimise the weighted squares by Levenberg and Marquardt's method."""

        def objective(theta: Array) -> tuple[float, Array, Array]:
            residual, away = weight * self.residual(theta), self._prior @ (theta - self._prior_mean) - pull
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
    """Return intercepts, shape (q,), and slopes, shape (k, q), of the columns of `Z` over `t`, by weighted squares."""
    A = np.hstack([np.ones((len(t), 1)), t])
    gram = A.T @ (weights[:, None] * A)
    gram += 1e-9 * np.trace(gram) / len(gram) * np.eye(len(gram))
    solution = np.linalg.solve(gram, A.T @ (weights[:, None] * Z))
    return solution[0], solution[1:]


def _solve(gram: Array, right: Array) -> Array:
    """Solve gram x = right for a matrix that is positive semi-definite, but for rounding.

    Splines at costs with few runs, and choices, leave directions that next to nothing holds. A diagonal that is a little
    larger, relative to its own units, keeps the solution small there.
    """
    root = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    scaled = gram / np.outer(root, root) + 1e-9 * np.eye(len(gram))
    by_root = root if right.ndim == 1 else root[:, None]
    solution: Array = np.linalg.solve(scaled, right / by_root) / by_root
    return solution
