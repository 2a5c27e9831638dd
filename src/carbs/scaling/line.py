"""The line of best configurations along the axes, and how sure it is: bootstrapped fits of the response surface."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from carbs.arrays import Array, Flags, Indices
from carbs.pareto import frontier
from carbs.scaling.first_guess import Runs, cost_direction, first_guess
from carbs.scaling.response_surface import Surface

# Runs that are fitted; of more, those nearest to the frontier. The others are not judged either.
_MAX_RUNS = 3000
# A coordinate drives the cost if it has this share of the direction in which the cost grows.
_DRIVING = 0.2
# Search units (a bounded dimension has two) within which a coordinate is at its bound.
_AT_BOUND = 2e-3
# Every draw trusts the bowls to another share of the shortfall: which is right is not known, and it moves the optimum.
_DRAWN_KAPPAS = (0.1, 1.6)
# Standard deviation of the error, as a share, that all shortfalls of a draw have in common: bowls are no parabolas.
_COMMON_ERROR = 0.15
# A run is taken for diverged if that is more likely than not.
_SOUND = 0.5
# What each axis takes of the sizes' degrees of freedom: the frontier's level, the line's slope, the curvature's trend.
_PER_AXIS = 3
# Axes that agree to this many decimals are the same size.
_DECIMALS = 6


@dataclass(frozen=True)
class Line:
    """The line of best configurations: the estimate first, then S bootstrap draws of it.

    Attributes:
        middle: Axes at which positions are given, shape (k,).
        position: Search coordinates in the middle, shape (1 + S, D).
        slope: Search units for each unit of an axis, shape (1 + S, k, D).
        axes: Of the runs that were used, shape (n, k).
        corrected: Each run's objective, had it been on the line: the objective plus its shortfall, shape (1 + S, n).
        weight: Weights of `corrected`, shape (1 + S, n).
        diverged: Whether each run that was given was fitted and taken for diverged.
        widening: Factor on the draws' spread for the few sizes that they rest on.
    """

    middle: Array
    position: Array
    slope: Array
    axes: Array
    corrected: Array
    weight: Array
    diverged: Flags
    widening: float


def fit_line(runs: Runs, num_draws: int, rng: np.random.Generator) -> Line:
    """Fit the surface, and draw lines by the Bayesian bootstrap: sizes count by exponential weights (Rubin 1981).

    Runs of one size share its weight, since they share what is peculiar to it.

    Args:
        runs: The runs; their axes span some range.
        num_draws: Number of bootstrap draws, S.
        rng: Source of randomness.
    """
    used = _nearest_to_frontier(runs)
    runs, given = runs.select(used), runs
    surface = Surface(runs)
    theta, judged = surface.fit()
    size = np.unique(np.round(runs.axes, _DECIMALS), axis=0, return_inverse=True)[1].ravel()
    num_sizes = int(np.max(size)) + 1
    multiplicity, shortfall = surface.multiplicity, surface.shortfall(theta)

    def corrected(theta: Array, error: float) -> Array:
        return runs.y + (1 + error) * surface.shortfall(theta) - surface.shift(theta)

    low, high = np.log(_DRAWN_KAPPAS)
    variance = judged.noise**2 + (math.exp((low + high) / 2) * shortfall) ** 2
    fits = [(*surface.line(theta), corrected(theta, 0.0), judged.weight * multiplicity / variance)]
    for _ in range(num_draws):
        kappa = math.exp(rng.uniform(low, high))
        counts = rng.standard_exponential(num_sizes)[size]
        weight = judged.weight * multiplicity * counts / (judged.noise**2 + (kappa * shortfall) ** 2)
        # The draws leave open what the runs leave open, so the prior's mean is drawn, too.
        drawn = surface.refit(theta, weight, rng.standard_normal(surface.num_drawn))
        fits.append((*surface.line(drawn), corrected(drawn, _COMMON_ERROR * rng.standard_normal()), weight))
    position, slope, levels, weights = map(np.array, zip(*fits, strict=True))
    diverged = np.zeros(len(given.y), bool)
    diverged[used] = judged.soundness < _SOUND
    freedom = max(num_sizes - 1 - _PER_AXIS * runs.axes.shape[1], 1)
    widening = math.sqrt(num_sizes / freedom) * float(stdtrit(freedom, 0.95)) / float(stdtrit(1e6, 0.95))
    return Line(surface.middle, position, slope, runs.axes, levels, weights, diverged, widening)


def _nearest_to_frontier(runs: Runs) -> Indices:
    """Return the places of the runs to fit, in order."""
    if len(runs.y) <= _MAX_RUNS:
        return np.arange(len(runs.y))
    return np.sort(np.argsort(first_guess(runs).shortfall, kind="stable")[:_MAX_RUNS])


def free_costs(X: Array, objective: Array, t: Array, bounds: tuple[Array, Array]) -> tuple[float, float]:
    """Find the range of costs where the frontier is free of the bounds of coordinates that drive the cost.

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
