"""The search for the point of the highest score: where it begins, how it refines, and where it ends if nothing fits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from carbs.arrays import Array
from carbs.search import candidates
from carbs.search.cost_limit import CostLimit
from carbs.search.situation import Situation
from carbs.search.validity import valid_among
from carbs.spaces.identity import are_among, keys


def pool_of(situation: Situation, sample: Array, members: Array) -> Array:
    """Collect the points that a search begins with.

    Args:
        situation: The situation.
        sample: Points over the whole space, shape (s, D).
        members: The frontier's members, shape (k, D).

    Returns:
        The members, the sample, and points around the members, all with the coordinates that are given, shape (m, D).
    """
    tuning, scales, members = situation.tuning.gain, _step_scales(situation), situation.settle(members)
    around = [
        _around(situation, members, np.maximum(step * scales, tuning.shortest_step), tuning.num_local)
        for step in tuning.local_steps
    ]
    pool = np.vstack([members, sample, *around])
    return valid_among(situation, pool, tuning.num_elites)


def maximise(situation: Situation, score: Callable[[Array], Array], pool: Array) -> tuple[Array, float]:
    """Search for the point of the highest score: the best of the pool, refined with ever smaller steps.

    Args:
        situation: The situation; the models' length scales set how far a step goes.
        score: Maps points, shape (m, D), to scores, shape (m,). Only the best `num_elites` of them matter; the
            others may be minus infinity.
        pool: The points to begin with, shape (k, D); all obey the user's rule.

    Returns:
        The best point, shape (D,), and its score, minus infinity if no point may be chosen.
    """
    tuning, scales = situation.tuning.gain, _step_scales(situation)
    points, scores = pool, score(pool)
    for step in tuning.refine_steps:
        elites = np.argsort(-scores, kind="stable")[: tuning.num_elites]
        fresh = _around(situation, points[elites], step * scales, tuning.num_refined)
        fresh = fresh[situation.obey(fresh)]
        if not len(fresh):
            continue
        points, scores = np.vstack([points[elites], fresh]), np.concatenate([scores[elites], score(fresh)])
    best = int(np.argmax(scores))
    return points[best], float(scores[best])


def last_resort(
    situation: Situation, limit: CostLimit, pool: Array, seen: Array, score: Callable[[Array], Array]
) -> tuple[Array, str]:
    """Choose a point where no new one within the limits was found.

    Args:
        situation: The situation, with models.
        limit: The limits of cost.
        pool: Points to choose from, shape (k, D).
        seen: The configurations that were run or are running, shape (n, D).
        score: How much a run is worth: maps points, shape (m, D), to scores, shape (m,).

    Returns:
        The point, and the reason for the user. It is the new point below the cap that costs least at worst. Without
        one it is the most useful repeat below the cap, and without that the cheapest new point.
    """
    models = situation.models
    fresh = pool[~are_among(pool, frozenset(keys(np.vstack([seen, situation.failures]))))]
    beliefs = models.predict(fresh) if len(fresh) else None
    if beliefs is not None and np.any(is_below := beliefs.known_log_cost <= limit.cap):
        worst = np.where(is_below, limit.worst(fresh), np.inf)
        return fresh[np.argmin(worst)], "no candidate is sure to cost less than the limit; this is the surest"
    repeats = seen[situation.agree(seen) & situation.obey(seen)]
    repeats = repeats[models.expect(repeats).known_log_cost <= limit.cap] if len(repeats) else repeats
    if len(repeats):
        reach = "in reach" if beliefs is None else "below the limit of cost"
        reason = f"every configuration {reach} has been tried; the most useful one is run again"
        return repeats[np.argmax(score(repeats))], reason
    if beliefs is not None:
        reason = "everything is predicted to cost more than the limit; this is the cheapest"
        return fresh[np.argmin(beliefs.known_log_cost)], reason
    return pool[0], "every configuration in reach has been tried"


def sample_of(situation: Situation, seen: Array) -> Array:
    """Draw the points over the whole space that a search begins with; `seen` are the points so far, shape (n, D)."""
    number = situation.tuning.gain.num_global
    return situation.settle(candidates.everywhere(situation.space, seen, number, situation.generator))


def _around(situation: Situation, origins: Array, radius: Array, number: int) -> Array:
    points = candidates.around(situation.space, origins, radius, number, situation.generator, situation.tuning.gain)
    return situation.settle(points)


def _step_scales(situation: Situation) -> Array:
    """Return how far a step goes, shape (D,): a length scale of the objective, within bounds."""
    scales: Array = np.minimum(situation.models.objective.hyper.length_scales, situation.tuning.gain.longest_step)
    return scales
