"""The search for the point of the highest score: where it begins, how it refines, and where it ends if nothing fits."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from carbs.arrays import Array
from carbs.models.surrogate import Surrogate
from carbs.search import candidates
from carbs.search.cost_limit import CostLimit
from carbs.search.situation import Situation
from carbs.spaces.identity import are_among

# Candidates: over the space, around the frontier with steps of these shares of a length scale, and refinements.
NUM_GLOBAL = 500
_NUM_LOCAL = 130
_LOCAL_STEPS = (0.05, 0.15, 0.5)
_NUM_REFINED = 200
_REFINE_STEPS = tuple(0.3 * 0.6**i for i in range(6))
_NUM_ELITES = 10
# A length scale beyond the width of the space says "irrelevant": there, a step across the space is enough.
_LONGEST_STEP = 2.0
# Standard deviation of a local step at least, in search units: however short a length scale is fitted.
_SHORTEST_STEP = 0.01


def pool_of(situation: Situation, sample: Array, members: Array) -> Array:
    """Collect the points that a search begins with.

    Args:
        situation: The situation.
        sample: Points over the whole space, shape (s, D).
        members: The frontier's members, shape (k, D).

    Returns:
        The members, the sample, and points around the members, shape (m, D).
    """
    scales = _step_scales(situation.models)
    around = [
        candidates.around(
            situation.space, members, np.maximum(step * scales, _SHORTEST_STEP), _NUM_LOCAL, situation.generator
        )
        for step in _LOCAL_STEPS
    ]
    return np.vstack([members, sample, *around])


def maximise(situation: Situation, score: Callable[[Array], Array], pool: Array) -> tuple[Array, float]:
    """Search for the point of the highest score: the best of the pool, refined with ever smaller steps.

    Args:
        situation: The situation; the models' length scales set how far a step goes.
        score: Maps points, shape (m, D), to scores, shape (m,).
        pool: The points to begin with, shape (k, D).

    Returns:
        The best point, shape (D,), and its score, minus infinity if no point may be chosen.
    """
    scales = _step_scales(situation.models)
    points, scores = pool, score(pool)
    for step in _REFINE_STEPS:
        elites = np.argsort(-scores, kind="stable")[:_NUM_ELITES]
        fresh = candidates.around(situation.space, points[elites], step * scales, _NUM_REFINED, situation.generator)
        points, scores = np.vstack([points[elites], fresh]), np.concatenate([scores[elites], score(fresh)])
    best = int(np.argmax(scores))
    return points[best], float(scores[best])


def last_resort(surrogate: Surrogate, limit: CostLimit, pool: Array, taken: Collection[bytes]) -> tuple[Array, str]:
    """Choose a point where every one is too expensive or taken.

    Args:
        surrogate: The models, with the outcomes of running configurations imagined.
        limit: The limits of cost.
        pool: Points to choose from, shape (k, D).
        taken: Keys of the configurations that must not be suggested (again).

    Returns:
        The point that costs least at worst and is not taken (the first if all are), and the reason for the user.
    """
    is_new = ~are_among(pool, taken)
    if not np.any(is_new):
        return pool[0], "every configuration in reach has been tried"
    pool = pool[is_new]
    cheapest = int(np.argmin(limit.feared(pool, surrogate.predict(pool))))
    return pool[cheapest], "no candidate is sure to cost less than the limit; this is the surest"


def _step_scales(models: Surrogate) -> Array:
    scales: Array = np.minimum(models.objective.hyper.length_scales, _LONGEST_STEP)
    return scales
