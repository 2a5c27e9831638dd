r"""A smooth correction of the loss's law, where real losses deviate from a sum of powers.

The residuals of the sizes are a Gaussian process over the axes (Kennedy and O'Hagan 2001, "Bayesian Calibration of
Computer Models", call it the discrepancy): near the sizes seen it corrects the law, and far from them it fades to zero.

    residual_i ~ N(0, s2 (q matern(r) + diag(1 / w)))

with weights w of mean one. The length scale and the ratio q of smooth to rough variance are those of the largest
marginal likelihood, on a grid. Where the law is right, q is zero, and nothing is corrected.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from carbs.arrays import Array
from carbs.models.kernel import SQRT5, polynomial, squared_distances

# Length scales, as shares of each axis' span.
_LENGTHS = (0.25, 0.5, 1.0, 2.0)
# Ratios of the smooth to the rough variance.
_RATIOS = np.geomspace(0.03, 100.0, 8)
# Gain in log likelihood that pays for the two values that are fitted: two nats, as in Akaike's criterion.
_PRICE = 2.0
# Sizes that these values are chosen by; an eigendecomposition of each kernel takes their cube.
_MAX_CHOOSING = 300
# Sizes that the correction rests on.
_MAX_SIZES = 1500


@dataclass(frozen=True)
class Discrepancy:
    """The correction.

    Attributes:
        places: Axes of the sizes that it rests on, shape (m, k).
        lengths: Length scales along the axes, shape (k,).
        signal: Variance of the smooth part, s2 q; 0 for no correction.
        coefficients: Shape (m,).
        inverse: Of the residuals' covariance, shape (m, m).
    """

    places: Array = field(repr=False)
    lengths: Array
    signal: float
    coefficients: Array = field(repr=False)
    inverse: Array = field(repr=False)

    def predict(self, axes: Array) -> tuple[float, float]:
        """Return the expected correction of the loss at a point, shape (k,), and its standard deviation."""
        if not self.signal:
            return 0.0, 0.0
        near = self.signal * _matern(axes[None] / self.lengths, self.places / self.lengths)[0]
        variance = self.signal - float(near @ self.inverse @ near)
        return float(near @ self.coefficients), math.sqrt(max(variance, 0.0))


def fit_discrepancy(axes: Array, residual: Array, weight: Array) -> Discrepancy:
    """Fit the correction to the residuals of the law.

    Args:
        axes: One row for each size, shape (n, k).
        residual: Mean loss of the size less the law, shape (n,).
        weight: Of each size, shape (n,).
    """
    axes, residual, weight = _spread_over(_MAX_SIZES, axes, residual, weight)
    noise = np.mean(weight) / np.maximum(weight, 1e-6 * np.max(weight))
    span = np.maximum(np.ptp(axes, axis=0), 1e-3)
    # In units of their own, so that no square underflows.
    unit = math.sqrt(float(np.mean(residual**2))) or 1.0
    length, ratio, rough = _chosen(*_spread_over(_MAX_CHOOSING, axes / span, residual / unit, noise))
    signal, lengths = ratio * rough, length * span
    covariance = signal * _matern(axes / lengths, axes / lengths) + rough * np.diag(noise)
    inverse = np.asarray(np.linalg.inv(covariance) if signal else covariance, float)
    coefficients = inverse @ (residual / unit)
    return Discrepancy(axes, lengths, signal * unit**2, coefficients / unit, inverse / unit**2)


def _chosen(places: Array, residual: Array, noise: Array) -> tuple[float, float, float]:
    """Return the length scale, the ratio q and the rough variance s2 of the largest marginal likelihood."""
    n, root = len(residual), np.sqrt(noise)
    white = residual / root
    rough = float(white @ white) / n
    best, found = -0.5 * n * math.log(rough + 1e-300) + _PRICE, (1.0, 0.0, rough)
    for length in _LENGTHS:
        # In the eigenvectors of the weighted kernel, every ratio costs n operations.
        values, vectors = np.linalg.eigh(_matern(places / length, places / length) / np.outer(root, root))
        squares = (vectors.T @ white) ** 2
        scales = _RATIOS[:, None] * np.maximum(values, 0.0) + 1
        variances = np.sum(squares / scales, axis=1) / n
        likelihoods = -0.5 * n * np.log(variances + 1e-300) - 0.5 * np.sum(np.log(scales), axis=1)
        place = int(np.argmax(likelihoods))
        if likelihoods[place] > best:
            best, found = float(likelihoods[place]), (length, float(_RATIOS[place]), float(variances[place]))
    return found


def _matern(A: Array, B: Array) -> Array:
    z = SQRT5 * np.sqrt(squared_distances(A, B))
    return polynomial(z) * np.exp(-z)


def _spread_over(number: int, *arrays: Array) -> tuple[Array, ...]:
    """Return at most `number` rows of arrays that are sorted by size, evenly spread over them."""
    size = len(arrays[0])
    if size <= number:
        return arrays
    places = np.linspace(0, size - 1, number).round().astype(int)
    return tuple(array[places] for array in arrays)
