"""Observations grouped by configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from carbs.arrays import Array
from carbs.history import ObservationInParam
from carbs.spaces.identity import rounded
from carbs.spaces.search_space import SearchSpace

# Objectives beyond this count as this: their squares and sums must be floats.
_LARGEST = 1e150


@dataclass(frozen=True)
class Groups:
    """Successes grouped by configuration: repeats are averaged, their number kept.

    Attributes:
        X: Search coordinates of the m different configurations, shape (m, D).
        y: Mean objective, higher is better, shape (m,).
        log_cost: Mean natural logarithm of the cost, shape (m,).
        count: Number of observations, shape (m,).
        within_y: Sum of squared deviations of repeated objectives from their means.
        within_log_cost: The same of the log costs.
    """

    X: Array
    y: Array
    log_cost: Array
    count: Array
    within_y: float
    within_log_cost: float

    @cached_property
    def size(self) -> int:
        """Number of different configurations, m."""
        return len(self.y)

    @cached_property
    def num_repeats(self) -> float:
        """Number of observations beside the first of each configuration."""
        return float(np.sum(self.count)) - self.size


def group_successes(space: SearchSpace, successes: Sequence[ObservationInParam], sign: int) -> Groups:
    """Group successful runs by configuration.

    Args:
        space: The search space.
        successes: The runs, n of them, in order.
        sign: 1 if the objective is maximised, -1 if it is minimised.

    Returns:
        The groups; their objectives are the higher the better, and at most 1e150 in size.
    """
    y = sign * np.array([run.output for run in successes], float)
    log_cost = np.log(np.array([run.cost for run in successes], float))
    return group(space.encode([run.input for run in successes]), np.clip(y, -_LARGEST, _LARGEST), log_cost)


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
    return Groups(X[first[order]], mean_y, mean_log_cost, count, within_y, within_log_cost)


def in_words(size: int) -> str:
    """Say how many groups there are."""
    return "1 configuration" if size == 1 else f"{size} different configurations"
