"""Observations grouped by configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from carbs.arrays import Array, Flags, Indices
from carbs.history import ObservationInParam
from carbs.models.noise import Noise
from carbs.spaces.identity import rounded
from carbs.spaces.search_space import SearchSpace

# Objectives beyond this count as this: their squares and sums must be floats.
LARGEST = 1e150


@dataclass(frozen=True)
class Groups:
    """Successes grouped by configuration: repeats are averaged, their number kept.

    A run with points on its way is no mean of several: its end and its points are groups of their own.

    Attributes:
        X: Search coordinates of the m configurations, shape (m, D).
        y: Mean objective, higher is better, shape (m,).
        log_cost: Mean natural logarithm of the cost, shape (m,).
        count: Number of runs, shape (m,).
        within_y: Sum of squared deviations of repeated objectives from their means.
        within_log_cost: The same of the log costs.
        run: Number of the run that each is a point of, shape (m,); None where no run has points.
        is_end: Whether it is the end of runs rather than a point on the way of one, shape (m,).
    """

    X: Array
    y: Array
    log_cost: Array
    count: Array
    within_y: float
    within_log_cost: float
    run: Indices | None
    is_end: Flags

    @cached_property
    def size(self) -> int:
        """Number of groups, m."""
        return len(self.y)

    @cached_property
    def noise(self) -> Noise:
        """Covariance of their noise."""
        return Noise(self.count, self.run)

    @cached_property
    def num_runs(self) -> float:
        """Number of runs that have ended in a success."""
        return float(np.sum(self.count[self.is_end]))

    @cached_property
    def num_ends(self) -> int:
        """Number of different configurations with which they have."""
        return len(np.unique(rounded(self.X[self.is_end]), axis=0))

    @cached_property
    def num_repeats(self) -> float:
        """Number of runs beside the first of each configuration."""
        return self.num_runs - self.num_ends

    def chosen(self, most: int) -> Indices:
        """Return the indices of at most so many groups: half the best of their cost, half spread over the history."""
        if self.size <= most:
            return np.arange(self.size)
        order = np.argsort(self.log_cost, kind="stable")
        # Rank within bands of like cost, so that near-frontier points of every cost are there.
        bands = np.array_split(order, max(1, most // 20))
        best = np.concatenate(
            [band[np.argsort(-self.y[band], kind="stable")][: most // (2 * len(bands))] for band in bands]
        )
        rest = np.setdiff1d(np.arange(self.size), best)
        spread = rest[np.linspace(0, len(rest) - 1, most - len(best)).round().astype(int)]
        return np.sort(np.concatenate([best, spread]))


def group_successes(space: SearchSpace, successes: Sequence[ObservationInParam], sign: int) -> Groups:
    """Group successful runs by configuration.

    Args:
        space: The search space.
        successes: The runs, n of them, in order.
        sign: 1 if the objective is maximised, -1 if it is minimised.

    Returns:
        The groups; their objectives are the higher the better, and at most 1e150 in size.
    """
    return group(*_arrays(space, successes, sign))


def group_points(
    space: SearchSpace, successes: Sequence[ObservationInParam], failures: Sequence[ObservationInParam], sign: int
) -> Groups:
    """Group all that the models learn objectives and costs from: successful runs, and the points on any run's way.

    Args:
        space: The search space.
        successes: The runs that succeeded, in order.
        failures: Those that failed: their points were seen all the same.
        sign: 1 if the objective is maximised, -1 if it is minimised.

    Returns:
        The groups as of `group_successes`, those of runs without points first.
    """
    groups = group_successes(space, [run for run in successes if not run.points], sign)
    ways = [(*run.points, *(() if run.is_failure else (run,))) for run in (*successes, *failures) if run.points]
    if not ways:
        return groups
    X, y, log_cost = _arrays(space, [point for way in ways for point in way], sign)
    run = groups.size + np.repeat(np.arange(len(ways)), [len(way) for way in ways])
    is_end = np.array([bool(point.points) for way in ways for point in way])  # points have none of their own
    kept = _last_of_equals(np.column_stack([run, rounded(X)]))
    return Groups(
        np.vstack([groups.X, X[kept]]),
        np.concatenate([groups.y, y[kept]]),
        np.concatenate([groups.log_cost, log_cost[kept]]),
        np.concatenate([groups.count, np.ones(len(kept))]),
        groups.within_y,
        groups.within_log_cost,
        np.concatenate([np.arange(groups.size), run[kept]]),
        np.concatenate([groups.is_end, is_end[kept]]),
    )


def _last_of_equals(rows: Array) -> Indices:
    """Return the indices of `rows`, shape (n, k), without those that come again later; in order."""
    _, first_from_behind = np.unique(rows[::-1], axis=0, return_index=True)
    return np.sort(len(rows) - 1 - first_from_behind)


def group(X: Array, y: Array, log_cost: Array) -> Groups:
    """Group n observations by equal search coordinates, in order of first appearance.

    Args:
        X: Rounded search coordinates, shape (n, D).
        y: Objectives, shape (n,).
        log_cost: Logarithms of costs, shape (n,).

    Returns:
        The groups.
    """
    _, first, inverse = np.unique(rounded(X), axis=0, return_index=True, return_inverse=True)
    inverse = inverse.ravel()
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    member = rank[inverse]
    count = np.bincount(member, minlength=len(order)).astype(float)
    mean_y, mean_log_cost = (
        np.bincount(member, weights=values, minlength=len(order)) / count for values in (y, log_cost)
    )
    within_y, within_log_cost = (
        float(np.sum((values - mean[member]) ** 2)) for values, mean in ((y, mean_y), (log_cost, mean_log_cost))
    )
    is_end = np.ones(len(order), bool)
    return Groups(X[first[order]], mean_y, mean_log_cost, count, within_y, within_log_cost, None, is_end)


def _arrays(space: SearchSpace, seen: Sequence[ObservationInParam], sign: int) -> tuple[Array, Array, Array]:
    """Return search coordinates, shape (n, D), objectives, the higher the better, and log costs, shape (n,) each."""
    y = sign * np.array([run.output for run in seen], float)
    log_cost = np.log(np.array([run.cost for run in seen], float))
    return space.encode([run.input for run in seen]), np.clip(y, -LARGEST, LARGEST), log_cost


def in_words(size: int) -> str:
    """Say how many groups there are."""
    return "1 configuration" if size == 1 else f"{size} different configurations"
