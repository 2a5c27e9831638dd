r"""The saturating power law of the loss: loss = limit + sum_i amplitude_i 10^(-exponent_i t_i) over the axes t_i.

With the axes log10 n and log10 d this is equation 2 of Hoffmann et al. 2022 (arXiv 2203.15556); with log10 cost it is
the frontier's law.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import lsq_linear

from carbs.arrays import Array

# Exponents of an axis: below the first a power cannot be told from a logarithm, above the last from a step.
_EXPONENTS = np.geomspace(0.02, 3.0, 200)
# Rounds over the axes; each improves one exponent while the others stay.
_ROUNDS = 12
# Prior of exponents over sizes: 0.3 give or take a factor of two, as in published laws of language models.
_USUAL, _SD_LOG = 0.3, math.log(2)


@dataclass(frozen=True)
class PowerLaws:
    """Power laws, the estimate first, then the draws.

    Attributes:
        middle: Axes at which the amplitudes are given, shape (k,).
        limit: Shape (1 + S,).
        amplitude: Loss above the limit in the middle, for each axis, shape (1 + S, k).
        exponent: Shape (1 + S, k).
    """

    middle: Array
    limit: Array
    amplitude: Array
    exponent: Array

    def scaled(self, center: float, spread: float) -> PowerLaws:
        """Return the laws of center + spread * loss."""
        return replace(self, limit=center + spread * self.limit, amplitude=spread * self.amplitude)

    def predict(self, axes: Array) -> Array:
        """Return the losses at a point, shape (k,); shape (1 + S,)."""
        powers = 10.0 ** (-self.exponent * (axes - self.middle))
        losses: Array = self.limit + np.sum(self.amplitude * powers, axis=1)
        return losses


def fit_power_laws(axes: Array, loss: Array, weight: Array, usual: Array) -> PowerLaws:
    """Fit the law to each of 1 + S sets of losses by weighted least squares.

    Args:
        axes: Shape (n, k).
        loss: Shape (1 + S, n).
        weight: Shape (1 + S, n).
        usual: Mean of the prior of the exponents' logarithms, shape (1 + S, k). It is used with two axes or more, where
            sizes span so little that the runs alone do not separate the exponents of several terms.

    Returns:
        The laws.
    """
    middle = (np.min(axes, 0) + np.max(axes, 0)) / 2
    axes, loss, weight = by_size(axes, loss, weight)
    t = axes - middle
    tables = [10 ** (-_EXPONENTS[:, None] * column) for column in t.T]
    fits = [_fit(tables, values, weights, pull) for values, weights, pull in zip(loss, weight, usual, strict=True)]
    limits, amplitudes, exponents = map(np.array, zip(*fits, strict=True))
    return PowerLaws(middle, limits, amplitudes, exponents)


def usual_exponents(num_draws: int, num_axes: int, rng: np.random.Generator) -> Array:
    """Draw prior means of the exponents' logarithms, the middle one first, shape (1 + S, k)."""
    drawn = math.log(_USUAL) + _SD_LOG * rng.standard_normal((num_draws, num_axes))
    return np.vstack([np.full((1, num_axes), math.log(_USUAL)), drawn])


def by_size(axes: Array, loss: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Average the losses of each size: then the sizes' scatter around the law is seen, not that of their runs.

    Args:
        axes: Shape (n, k).
        loss: Shape (r, n).
        weight: Shape (r, n).

    Returns:
        The sizes in their order, shape (m, k), their mean losses and their total weights, each of shape (r, m).
    """
    sizes, member = np.unique(np.round(axes, 9), axis=0, return_inverse=True)
    member = member.ravel()
    total = np.array([np.bincount(member, weights=row, minlength=len(sizes)) for row in weight])
    level = np.array([np.bincount(member, weights=row, minlength=len(sizes)) for row in weight * loss])
    plain = np.array([np.bincount(member, weights=row, minlength=len(sizes)) for row in loss])
    count = np.bincount(member, minlength=len(sizes))
    return sizes, np.where(total > 0, level / np.maximum(total, 1e-300), plain / count), total


def _fit(tables: list[Array], loss: Array, weight: Array, usual: Array) -> tuple[float, Array, Array]:
    k = len(tables)
    logs = np.log(_EXPONENTS)
    chosen = [int(np.argmin(np.abs(logs - log))) for log in usual]
    total = float(np.sum(weight))
    mean = float(weight @ loss) / total
    noise: float | None = None
    for _ in range(_ROUNDS if k > 1 else 1):
        before = list(chosen)
        for axis in range(k):
            others = [tables[i][chosen[i]] for i in range(k) if i != axis]
            unexplained = _project(tables[axis], others, loss - mean, weight)
            penalty = 0.0 if noise is None else noise * ((logs - usual[axis]) / _SD_LOG) ** 2
            chosen[axis] = int(np.argmin(unexplained + penalty))
            if k > 1:  # the sizes' own scatter around the law, for the weight of the prior
                freedom = max(float(np.sum(weight)) ** 2 / float(np.sum(weight**2)) - 2 * k - 1, 1.0)
                noise = float(unexplained[chosen[axis]]) / freedom
        if chosen == before:
            break
    columns = np.column_stack([np.ones(len(loss)), *(tables[i][chosen[i]] for i in range(k))])
    root = np.sqrt(weight)
    # Sizes of model and data often grow together: without signs one term would grow to make up for the other.
    least = np.concatenate([[-np.inf], np.full(k, 0.0 if k > 1 else -np.inf)])
    solution = lsq_linear(columns * root[:, None], (loss - mean) * root, (least, np.inf)).x
    return mean + float(solution[0]), solution[1:], _EXPONENTS[chosen]


def _project(table: Array, others: list[Array], loss: Array, weight: Array) -> Array:
    """Return the weighted squares that each row of `table` leaves, beside a constant and the other features."""
    fixed = np.column_stack([np.ones(len(loss)), *others])
    root = np.sqrt(weight)
    Q = np.linalg.qr(fixed * root[:, None])[0]
    target = loss * root
    target = target - Q @ (Q.T @ target)
    features = table * root
    features = features - (features @ Q) @ Q.T
    squares = np.maximum(np.sum(features**2, axis=1), 1e-300)
    gained = features @ target
    if others:
        gained = np.maximum(gained, 0.0)  # more of a size never makes the best loss worse
    left: Array = float(target @ target) - gained**2 / squares
    return left
