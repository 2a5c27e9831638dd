"""The Pareto frontier of cost against objective, and the hypervolume under it."""

from __future__ import annotations

import numpy as np

from carbs.arrays import Array, Indices


def frontier(objective: Array, cost: Array) -> Indices:
    """Find the members of the frontier: no other point is at least as good at no more cost.

    Args:
        objective: Higher is better, shape (n,).
        cost: In any increasing transform of the cost, shape (n,).

    Returns:
        Indices of the members by increasing cost; objectives increase along them. Of equal points the first is taken.
    """
    order = np.lexsort((np.arange(len(cost)), -objective, cost))
    best = np.maximum.accumulate(objective[order]) if len(order) else objective
    is_better = np.concatenate([np.ones(min(len(order), 1), bool), objective[order][1:] > best[:-1]])
    members: Indices = order[is_better]
    return members


def hypervolume(objective: Array, log_cost: Array, reference_objective: float, reference_log_cost: float) -> float:
    """Compute the area of (log cost, objective) that the points dominate, up to a reference point.

    Args:
        objective: Higher is better, shape (n,).
        log_cost: Shape (n,).
        reference_objective: Only what is better counts.
        reference_log_cost: Only what is cheaper counts.

    Returns:
        The area.
    """
    members = frontier(objective, log_cost)
    heights = np.maximum(objective[members] - reference_objective, 0.0)
    starts = np.minimum(log_cost[members], reference_log_cost)
    return float(np.sum(heights * np.diff(np.append(starts, reference_log_cost))))
