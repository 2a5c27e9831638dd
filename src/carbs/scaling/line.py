"""The line of best configurations along the cost, and how sure it is: bootstrapped fits of the response surface."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from carbs.arrays import Array
from carbs.pareto import frontier
from carbs.scaling.response_surface import Runs, Surface, cost_direction

_MAX_POINTS = 600  # the nearest to the frontier; the others would weigh next to nothing
# A coordinate drives the cost if it has this share of the direction in which the cost grows.
_DRIVING = 0.2
# Search units (a bounded dimension has two) within which a coordinate is at its bound.
_AT_BOUND = 2e-3


@dataclass(frozen=True)
class Line:
    """The line of best configurations: the estimate first, then S bootstrap draws of it.

    Attributes:
        middle: Log10 of the cost at which positions are given.
        t: Log10 of the runs' costs, shape (n,).
        position: Search coordinates at the middle cost, shape (1 + S, D).
        slope: Search units per decade of cost, shape (1 + S, D).
        corrected: What each run would have reached on the line: its objective plus its shortfall, shape (1 + S, n).
        weight: Square roots of the weights of `corrected`: one over its standard deviation, times the root of how often
            the run counts; shape (1 + S, n).
    """

    middle: float
    t: Array
    position: Array
    slope: Array
    corrected: Array
    weight: Array


def fit_line(runs: Runs, num_draws: int, rng: np.random.Generator) -> Line:
    """Fit the surface, and draw lines by the Bayesian bootstrap: runs count by exponential weights (Rubin 1981).

    Args:
        runs: What was observed; costs that span some range.
        num_draws: Number of bootstrap draws, S.
        rng: Source of randomness.
    """
    shortfall = _shortfall(runs)
    if len(runs.y) > _MAX_POINTS:
        near = np.sort(np.argsort(shortfall, kind="stable")[:_MAX_POINTS])
        arrays = {name: getattr(runs, name)[near] for name in ("X", "other", "y", "smooth", "t", "count", "is_free")}
        runs, shortfall = replace(runs, **arrays), shortfall[near]
    multiplicities = np.vstack([np.ones(len(runs.y)), rng.standard_exponential((num_draws, len(runs.y)))])
    fits = []
    for number, multiplicity in enumerate(multiplicities):
        surface = Surface(runs, shortfall, multiplicity)
        # What the runs do not tell is to be as uncertain as the prior holds it, so its mean is drawn, too.
        theta, deviation = surface.fit(rng.standard_normal(surface.size) if number else np.zeros(surface.size))
        corrected = runs.y + surface.shortfall(theta) - surface.shift(theta)
        fits.append((*surface.line(theta), corrected, np.sqrt(surface.multiplicity) / deviation))
    return Line((float(np.min(runs.t)) + float(np.max(runs.t))) / 2, runs.t, *map(np.array, zip(*fits, strict=True)))


def _shortfall(runs: Runs) -> Array:
    """Estimate how far each run is below the frontier of posterior means, shape (n,)."""
    members = frontier(runs.smooth, runs.t)
    return np.maximum(np.interp(runs.t, runs.t[members], runs.smooth[members]) - runs.smooth, 0.0)


def free_costs(X: Array, objective: Array, t: Array, bounds: tuple[Array, Array]) -> tuple[float, float]:
    """Find the range of costs where the frontier is free of the bounds of what drives the cost.

    Where a bound holds, say, the size of the model, the others take its part, and no law goes across.

    Args:
        X: Numeric search coordinates, shape (n, D).
        objective: Higher is better, shape (n,).
        t: Log10 of the cost, shape (n,).
        bounds: Smallest and largest coordinates, each of shape (D,).

    Returns:
        Log10 of its ends: the range in which members of the frontier that are free outnumber the others by most.
    """
    members = frontier(objective, t)
    drives = np.abs(cost_direction(X[members], t[members], np.ones(len(members)))) > _DRIVING
    low, high = bounds
    at_bound = (X[members] < low + _AT_BOUND) | (X[members] > high - _AT_BOUND)
    balance = np.concatenate([[0], np.cumsum(np.where((at_bound & drives).any(axis=1), -1, 1))])
    gain = balance[None, :] - balance[:, None]
    gain[np.tril_indices(len(balance))] = -1
    start, end = np.unravel_index(np.argmax(gain), gain.shape)
    return float(t[members[start]]), float(t[members[end - 1]])
