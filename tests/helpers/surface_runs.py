"""Runs around a known line, for tests of the parts of scaling laws."""

from __future__ import annotations

import numpy as np

from carbs.arrays import Array
from carbs.scaling.first_guess import Runs

# The best coordinates where the axis is 0, and their change along it.
POSITION, SLOPE = np.array([0.5, -0.2]), np.array([0.3, -0.1])


def best_objective(t: Array) -> Array:
    """Return the frontier: minus a saturating power law of the axis."""
    return -1.0 - 10 ** (-0.3 * t)


def surface_runs(number: int = 120, num_diverged: int = 0, noise: float = 0.002) -> Runs:
    """Return runs over one axis of three decades, quadratically worse off the line; the first ones diverged."""
    rng = np.random.default_rng(3)
    t = rng.uniform(0, 3, number)
    off = rng.normal(0, 0.4, (number, 2))
    y = best_objective(t) - np.sum(off**2, axis=1) * [0.5] + noise * rng.standard_normal(number)
    y[:num_diverged] -= rng.uniform(5, 50, num_diverged)
    X = POSITION + t[:, None] * SLOPE + off
    return Runs(X, t[:, None], np.empty((number, 0)), y, np.ones(number, bool), drives_cost=False)
