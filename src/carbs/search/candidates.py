"""Candidates: points around the frontier and over the whole space, for an acquisition to choose from."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from scipy.special import ndtri

from carbs.arrays import Array
from carbs.spaces.search_space import SearchSpace
from carbs.tuning import DEFAULT, GainTuning

# Points of the initial design among which a draw may choose to keep away from failures and high costs.
_NUM_INITIAL_CHOICES = 64
# Standard deviation of the jitter on them, in the unit cube: it keeps processes apart that do not see one another, and
# leaves the design's even spread.
_JITTER = 0.02
# A coordinate of the design moves at least this share of its range between points: four of them span half of it.
_SHORTEST_STRIDE = 0.2
# Quantiles of a normal draw that the design reaches, 1.6 deviations: a first draw far out in the tail helps nobody.
_TAILS = (0.05, 0.95)


def reflect(points: Array, low: Array, high: Array) -> Array:
    """Mirror points that left the bounds back into them, so that they do not gather on the bounds.

    Args:
        points: Shape (m, D).
        low: Smallest coordinates, shape (D,), may be infinite.
        high: Largest coordinates.

    Returns:
        Shape (m, D), within the bounds.
    """
    points = np.where(points < low, 2 * low - points, points)
    points = np.where(points > high, 2 * high - points, points)
    return np.clip(points, low, high)


def around(
    space: SearchSpace,
    origins: Array,
    radius: Array,
    number: int,
    rng: np.random.Generator,
    tuning: GainTuning = DEFAULT.gain,
) -> Array:
    """Draw candidates from normals around origins.

    Args:
        space: The search space.
        origins: Shape (k, D).
        radius: Standard deviations, shape (D,) or (number, 1).
        number: How many, m.
        rng: Source of randomness.
        tuning: How many hyperparameters a candidate changes, and the share of candidates clipped at the bounds (the
            others are mirrored back).

    Returns:
        Rounded search coordinates, shape (m, D).
    """
    origin = origins[rng.integers(len(origins), size=number)]
    step = rng.standard_normal((number, space.width)) * radius
    num_params = len(space.params)
    share = min(1.0, tuning.num_moved / num_params)
    chance = rng.random((number, num_params))
    by_param = chance < np.where(rng.random((number, 1)) < tuning.wide_share, share, share / 2)
    by_param[np.arange(number), rng.integers(num_params, size=number)] = True
    moved = np.repeat(by_param, [s.width for s in space.spaces], axis=1)
    points = origin + np.where(moved, step, 0.0)
    low, high = space.bounds
    is_clipped = rng.random((number, 1)) < tuning.clip_share
    return space.round(np.where(is_clipped, np.clip(points, low, high), reflect(points, low, high)))


def everywhere(space: SearchSpace, seen: Array, number: int, rng: np.random.Generator) -> Array:
    """Draw candidates over the whole space: uniform where it is bounded, elsewhere a little beyond what was seen.

    Args:
        space: The search space.
        seen: Search coordinates of the history, shape (n, D).
        number: How many, m.
        rng: Source of randomness.

    Returns:
        Rounded search coordinates, shape (m, D).
    """
    low, high = reach(space, seen)
    return space.round(low + rng.random((number, space.width)) * (high - low))


def reach(space: SearchSpace, seen: Array) -> tuple[Array, Array]:
    """Return finite bounds: the space's own, and where they are open one search unit beyond what was seen."""
    low, high = space.bounds
    seen = np.vstack([seen, space.center[None]])
    low = np.where(np.isfinite(low), low, np.min(seen, 0) - 1.0)
    high = np.where(np.isfinite(high), high, np.max(seen, 0) + 1.0)
    return low, high


def initial(space: SearchSpace, first: int, step: Array | None, shift: Array, rng: np.random.Generator) -> Array:
    """Return the next few points of the initial design, a low-discrepancy sequence.

    Args:
        space: The search space.
        first: Number of the first point.
        step: Standard deviations of the points around the search centre, shape (D,); None for points that cover the
            space where it is bounded.
        shift: Where in the unit cube the sequence starts, shape (D,).
        rng: Source of the jitter, so that processes that do not see each other's points differ.

    Returns:
        Rounded search coordinates, shape (64, D).
    """
    index = np.arange(first, first + _NUM_INITIAL_CHOICES)[:, None]
    unit = (shift + index * strides(space.width)) % 1.0
    unit = reflect(unit + _JITTER * rng.standard_normal(unit.shape), np.zeros(space.width), np.ones(space.width))
    normal = space.center + (first_steps(space, 1.0) if step is None else step) * ndtri(np.clip(unit, *_TAILS))
    low, high = space.bounds
    is_covered = np.isfinite(low) & np.isfinite(high) & (step is None)
    covering = np.where(is_covered, low, 0.0) + unit * np.where(is_covered, high - low, 0.0)
    return space.round(reflect(np.where(is_covered, covering, normal), low, high))


@cache
def strides(width: int) -> Array:
    """Return by how much each coordinate of the initial design moves from point to point, modulo 1; shape (width,).

    An additive recurrence by the square roots of primes covers every single coordinate evenly, in any number of them
    and without a table (Richtmyer 1951). Fractional parts near 0 and 1 are left out: four points of such a coordinate
    hardly differ. Where two parts add up to nearly 1, their coordinates go against each other; with many, some do.
    """
    found: Array = np.empty(0)
    for largest in 64 * 2 ** np.arange(20):
        if len(found) >= width:
            break
        is_prime = np.ones(largest, bool)
        is_prime[:2] = False
        for number in range(2, math.isqrt(largest) + 1):
            is_prime[number * number :: number] = False
        parts = np.sqrt(np.flatnonzero(is_prime)) % 1.0
        found = parts[np.minimum(parts, 1 - parts) > _SHORTEST_STRIDE]
    return found[:width]


def first_steps(space: SearchSpace, radius: float, *, are_costs_known: bool = True) -> Array:
    """Return how far a first step from the search centre goes in each search coordinate, shape (D,).

    Args:
        space: The search space.
        radius: How far it goes where nothing limits it.
        are_costs_known: Whether costs can be predicted. Until then all hyperparameters searched by their logarithm go
            together as far as one of them may: a run's cost may be their product.
    """
    longest = space.longest_first_steps
    together = 1 if are_costs_known else max(1, int(np.count_nonzero(np.isfinite(longest))))
    steps: Array = np.minimum(radius, longest / math.sqrt(together))
    return steps
