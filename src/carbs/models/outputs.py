"""The outputs of the models: bad outliers pulled up, then mapped to zero mean and unit deviation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from carbs.arrays import Array

# A spread of this share of the largest value, and less, is that of rounding: it counts as none.
_ROUNDING = 1e-14


@dataclass(frozen=True)
class Scaler:
    """An affine map to zero mean and unit deviation."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, values: Array) -> Scaler:
        """Fit to `values`, shape (n,); constant ones are only shifted."""
        size = float(np.max(np.abs(values))) or 1.0  # tiny or huge values have squares that no float holds
        deviation = size * float(np.std(values / size))
        return cls(float(np.mean(values)), deviation if deviation > _ROUNDING * size else 1.0)

    def forward(self, values: Array) -> Array:
        """Standardise."""
        return (values - self.mean) / self.deviation

    def standardise_squares(self, sum_of_squares: float) -> float:
        """Standardise a sum of squared deviations; the deviation's own square may be no float."""
        return (math.sqrt(sum_of_squares) / self.deviation) ** 2

    def backward(self, values: Array) -> Array:
        """Undo `forward`."""
        return values * self.deviation + self.mean


def winsorise(y: Array, reach: float) -> Array:
    """Pull bad outliers up: many training runs diverge, and their bad objectives say nothing about good ones.

    Args:
        y: Objectives, higher is better, shape (n,).
        reach: How far below the median is too far.

    Returns:
        `y`, bounded below by `outlier_bound`.
    """
    pulled: Array = np.maximum(y, outlier_bound(y, reach))
    return pulled


def outlier_bound(y: Array, reach: float) -> float:
    """Return the objective below which one is an outlier.

    Args:
        y: Objectives, higher is better, shape (n,).
        reach: How far below the median is too far.

    Returns:
        The median minus `reach` times the distance from the median to the best or to the lower quartile, whichever is
        more. Where most runs share the best objective that distance is 0, and it is minus infinity: the few that are
        worse are all that there is to learn.
    """
    lower, middle, best = np.quantile(y, [0.25, 0.5, 1.0])
    distance = max(best - middle, middle - lower)
    if distance <= _ROUNDING * max(abs(lower), abs(best)):
        return -math.inf
    return float(middle - reach * distance)
