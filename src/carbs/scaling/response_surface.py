r"""A response surface around the frontier: where the best configuration lies at each cost or size.

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

A bowl is right near its optimum only, and runs diverge: see `carbs.scaling.dispersion`. The fit is a damped
Gauss-Newton method under weak normal priors, with the runs weighted anew after each. It begins at the weighted mean of
the best runs: see `carbs.scaling.first_guess`.
"""

from __future__ import annotations

import numpy as np

from carbs.arrays import Array
from carbs.scaling.dispersion import Dispersion, estimate_dispersion
from carbs.scaling.first_guess import Runs, first_guess

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
_SD_CURVATURE, _SD_TREND, _SD_INTERACTION, _SD_LOPSIDED = 1.0, 0.3, 0.3, 0.2
# Decades; less is a single size.
_LEAST_SPAN = 1e-3


class Surface:
    """The model of this module's docstring; its parameters are theta = (f and shifts, p, s, g, h, M, c).

    Args:
        runs: The runs; their axes span some range.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._guess = guess = first_guess(runs)
        self.multiplicity = guess.multiplicity
        self._t = runs.axes - guess.middle
        (D, E), k = guess.across.shape, self._t.shape[1]
        self._rows, self._columns = np.tril_indices(D if D <= _MAX_INTERACTING else 0, -1)
        sizes = [len(guess.level), E, k * E, D, k * D, len(self._rows), D]
        ends = np.cumsum(sizes).tolist()
        self._parts = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        self._start = np.concatenate(
            [guess.level, guess.position, guess.slopes.ravel(), np.full(D, guess.curvature), np.zeros(sum(sizes[4:]))]
        )
        slope = _SD_SLOPE / np.maximum(guess.span, _LEAST_SPAN)
        if not runs.drives_cost:
            slope = np.minimum(slope, _SD_SLOPE_A_DECADE)
        scalars = [_SD_CURVATURE, _SD_TREND, _SD_INTERACTION, _SD_LOPSIDED]
        deviations = np.concatenate([np.full(E, _SD_POSITION), np.repeat(slope, E), np.repeat(scalars, sizes[3:])])
        # The frontier's second differences are of the size of its range at most; shifts by choices likewise.
        self.num_drawn, level = len(deviations), self._parts[0]
        self._prior = np.zeros((len(deviations) + len(guess.smooth), ends[-1]))
        self._prior[: len(deviations), level.stop :] = np.diag(1 / deviations)
        self._prior[len(deviations) :, level] = guess.smooth / guess.height
        self._prior_mean = np.where(np.arange(ends[-1]) < level.stop, 0.0, self._start)

    def line(self, theta: Array) -> tuple[Array, Array]:
        """Return the position in the middle, shape (D,), and the slopes along the axes, shape (k, D)."""
        position = self._guess.across @ theta[self._parts[1]] + self._guess.direction * self._guess.along[0]
        slopes = theta[self._parts[2]].reshape(self._t.shape[1], -1) @ self._guess.across.T
        return position, slopes + np.outer(self._guess.along[1][:, 0], self._guess.direction)

    @property
    def middle(self) -> Array:
        """The axes' middle, shape (k,)."""
        return self._guess.middle

    def shift(self, theta: Array) -> Array:
        """Return the shift of each run's objective by its choices, shape (n,)."""
        return self._guess.basis[:, self._guess.num_curve :] @ theta[self._guess.num_curve : self._parts[0].stop]

    def frontier(self, theta: Array) -> Array:
        """Return f at each run, without the shift by its choices, shape (n,)."""
        return self._guess.basis[:, : self._guess.num_curve] @ theta[: self._guess.num_curve]

    def shortfall(self, theta: Array, X: Array | None = None, axes: Array | None = None) -> Array:
        """Return the sum of the bowls at each run, or at other points of shapes (m, D) and (m, k); shape (m,)."""
        t = self._t if axes is None else axes - self._guess.middle
        v, lopsided = self._v(theta, self._runs.X if X is None else X, t)[2:]
        total: Array = np.sum(v**2 * (1 + lopsided * v / np.sqrt(v**2 + self._guess.unit)), axis=1)
        return total

    def _v(self, theta: Array, X: Array, t: Array) -> tuple[Array, Array, Array, Array]:
        """Return the curvatures' roots, the scaled offsets, v, each of shape (n, D), and c, shape (D,)."""
        k, D = t.shape[1], X.shape[1]
        _, p, s, g, h, _, c = (theta[part] for part in self._parts)
        offset = X @ self._guess.across - p - t @ s.reshape(k, -1)
        root = np.exp(np.clip(g + t @ h.reshape(k, D), -30, 30))
        scaled = (offset @ self._guess.across.T) * root
        return root, scaled, scaled @ self._interactions(theta), np.tanh(c)

    def _interactions(self, theta: Array) -> Array:
        M = np.eye(self._runs.X.shape[1])
        M[self._rows, self._columns] = theta[self._parts[5]]
        return M

    def residual(self, theta: Array) -> Array:
        """Return the objective less the surface, shape (n,)."""
        return self._runs.y - self._guess.basis @ theta[self._parts[0]] + self.shortfall(theta)

    def _jacobian(self, theta: Array) -> Array:
        """Differentiate the residuals, shape (n, number of parameters)."""
        root, scaled, v, lopsided = self._v(theta, self._runs.X, self._t)
        square = v**2 + self._guess.unit
        side = v / np.sqrt(square)
        by_v = 2 * v * (1 + lopsided * side) + lopsided * v**2 * self._guess.unit / square**1.5
        by_scaled = by_v @ self._interactions(theta).T
        by_position = -(by_scaled * root) @ self._guess.across
        by_curvature = by_scaled * scaled
        by_interaction = scaled[:, self._rows] * by_v[:, self._columns]
        axes = [t[:, None] for t in self._t.T]
        parts = [-self._guess.basis, by_position, *(t * by_position for t in axes), by_curvature]
        parts += [*(t * by_curvature for t in axes), by_interaction, v**2 * side * (1 - lopsided**2)]
        return np.hstack(parts)

    def fit(self) -> tuple[Array, Dispersion]:
        """Return the parameters of the largest posterior density, and the judgement of each run."""
        theta, dispersion = self._start, self._guess.dispersion
        pull = np.zeros(len(self._prior))
        for _ in range(_ROUNDS):
            weight = np.sqrt(dispersion.weight * self.multiplicity) / dispersion.deviation
            theta = self._descend(theta, weight, pull)
            weighted = weight[:, None] * self._jacobian(theta)
            gram = weighted.T @ weighted
            used = float(np.trace(_solve(gram + self._prior.T @ self._prior, gram)))
            dispersion = estimate_dispersion(
                self.residual(theta), self.shortfall(theta), self.multiplicity, self._guess.unit, used, dispersion
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


def _solve(gram: Array, right: Array) -> Array:
    """Solve gram x = right for a matrix that is positive semi-definite, but for rounding.

    Splines at costs with few runs, and choices, leave directions that next to nothing holds. A diagonal that is a
    little larger, relative to its own units, keeps the solution small there.
    """
    root = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    scaled = gram / np.outer(root, root) + 1e-9 * np.eye(len(gram))
    by_root = root if right.ndim == 1 else root[:, None]
    solution: Array = np.linalg.solve(scaled, right / by_root) / by_root
    return solution
