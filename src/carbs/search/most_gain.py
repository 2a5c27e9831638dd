"""Propose the run that is expected to add most to the hypervolume of the frontier.

The reasons for every step are in docs/how-it-works.md, "The frontier, and how far it may grow" and "The suggestion".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from carbs import pareto
from carbs.arrays import Array
from carbs.models.surrogate import Surrogate
from carbs.search import acquisition, candidates
from carbs.search.cost_limit import CostLimit
from carbs.search.maximise import NUM_GLOBAL, last_resort, maximise, pool_of
from carbs.search.situation import Proposal, Situation, describe, kind_of
from carbs.spaces.identity import are_among, keys

# Joint draws of the outcomes of outstanding suggestions over which the gain is averaged: enough that no single lucky
# draw decides, and they share one Cholesky factor, so that they cost little. Where dozens are outstanding, each draw
# holds many outcomes already and costs the more (an agent draws for all that start with it): fewer do.
_NUM_IMAGINED = 8
_MIN_IMAGINED = 3
_MAX_OUTCOMES = 128
# The frontier is valued up to the dearest configuration that the models see in the space, but at least one and at most
# four natural-log units (a factor of 3 to 55) beyond the dearest run so far: without this nothing dearer would ever
# bring a gain; much further the models only guess.
_HORIZON = (1.0, 4.0)
# Most suggestions count the gain over all costs, a quarter only above a random cost. A cheap run's gain counts at
# every higher cost too, so that the first kind alone would hardly ever look at what expensive runs could bring (the
# paper draws a random cost for the same reason).
_BAND_SHARE = 0.25
# A failure brings nothing and costs a place, and often much time. With this power of the probability of success, a
# candidate that succeeds in five of six cases is worth half of a safe one.
_FAILURE_AVERSION = 4
# Objectives count for nothing that are believed to be below this quantile over the space: what nine of ten random
# configurations surpass is not worth a run, however cheap. (A quantile of those seen would rise as the search closes in
# on good ones, and make it blind for cheap ones.)
_REFERENCE_QUANTILE = 0.1


@dataclass(frozen=True)
class Scorer:
    """Scores points by the logarithm of the hypervolume that running them is expected to add.

    Attributes:
        surrogate: The models, with the outcomes of running configurations imagined.
        front: The frontier by predicted cost and objective.
        limit: The limits of cost; the user's cap also lowers the score of points that are near it.
        cheapest: Smallest predicted log cost that a suggestion may have.
        taken: Keys of the configurations that must not be suggested (again).
    """

    surrogate: Surrogate
    front: acquisition.Steps
    limit: CostLimit
    cheapest: float
    taken: frozenset[bytes]

    def score(self, points: Array) -> Array:
        """Score `points`, shape (m, D): shape (m,), minus infinity for those that must not be suggested."""
        beliefs = self.surrogate.predict(points)
        # The change of the posterior mean that one noisy run can bring, rather than all that is unknown (Frazier et al.
        # 2009, "The Knowledge-Gradient Policy for Correlated Normal Beliefs").
        variance = beliefs.objective_std**2
        change = variance / np.sqrt(variance + self.surrogate.objective.hyper.noise)
        gain = acquisition.log_expected_gain(
            beliefs.objective, change, beliefs.log_cost, beliefs.log_cost_std, self.front
        )
        gain = gain + _FAILURE_AVERSION * beliefs.log_success
        cost = beliefs.log_cost.mean(axis=1)
        if math.isfinite(self.limit.cap):
            gain = gain + acquisition.log_probability_below(cost, beliefs.log_cost_std, self.limit.cap)
        is_ruled_out = are_among(points, self.taken) | self.limit.is_exceeded(points, beliefs) | (cost < self.cheapest)
        return np.where(is_ruled_out, -np.inf, gain)


def propose(situation: Situation) -> Proposal:
    """Propose the configuration of the largest expected gain.

    Args:
        situation: The situation, with models.

    Returns:
        The proposal. Where the limits leave no candidate, it is the one of the least predicted cost, with the reason in
        its log.
    """
    space, pending, models, rng = situation.space, situation.pending, situation.models, situation.generator
    num_imagined = max(_MIN_IMAGINED, min(_NUM_IMAGINED, _MAX_OUTCOMES // len(pending))) if len(pending) else 1
    surrogate = models.with_pending(pending, rng.standard_normal((2, len(pending), num_imagined)))
    seen = np.vstack([models.groups.X, pending])
    beliefs = surrogate.predict(seen)
    members = pareto.frontier(beliefs.objective.mean(1), beliefs.log_cost.mean(1))

    dearest = float(np.max(beliefs.known_log_cost))
    sample = candidates.everywhere(space, seen, NUM_GLOBAL, rng)
    at_random = models.predict(sample)
    reachable = float(np.max(at_random.log_cost))
    end = float(np.clip(reachable, dearest + _HORIZON[0], dearest + _HORIZON[1]))
    limit = CostLimit.of(situation, beliefs.known_log_cost)
    reference = float(np.quantile(at_random.objective, _REFERENCE_QUANTILE))
    end = min(end, limit.cap)
    cheapest = begin = min(_cheapest_that_counts(situation), end)
    if rng.random() < _BAND_SHARE:
        begin = max(cheapest, rng.uniform(min(np.min(beliefs.log_cost), end), end))
    front = acquisition.steps(beliefs.objective, beliefs.log_cost, reference, end, begin)

    # Now and then a member of the frontier may be run again, if that is what brings most: repeats tell noise from luck.
    frequency = situation.config.resample_frequency
    num_runs, num_repeats = models.groups.count.sum(), models.groups.num_repeats
    is_repeat_due = frequency and num_runs >= (num_repeats + 1) * frequency
    observed = members[members < models.groups.size]
    once_only = np.delete(seen, observed, axis=0) if is_repeat_due else seen
    taken = frozenset(keys(np.vstack([once_only, situation.failures])))
    scorer = Scorer(surrogate, front, limit, cheapest, taken)

    pool = pool_of(situation, sample, seen[members])
    x, score = maximise(situation, scorer.score, pool)
    log: dict[str, Any] = {}
    if not math.isfinite(score):
        x, log["reason"] = last_resort(surrogate, limit, pool, taken)
    log["kind"] = kind_of(x, situation)
    log["expected_improvement"] = math.exp(score) * models.objective_scaler.deviation
    return Proposal(x, {**log, **describe(x, situation)})


def _cheapest_that_counts(situation: Situation) -> float:
    """Return the log cost from which on a gain counts, minus infinity where the space is bounded.

    An open space has ever cheaper configurations, and a search that counted them would go down for ever. There, the
    search grows from its centre: only costs count that are predicted within one search unit of it.
    """
    space = situation.space
    if np.all(np.isfinite(space.bounds)):
        return -math.inf
    around_center = candidates.everywhere(space, space.center[None], NUM_GLOBAL, situation.generator)
    return float(np.min(situation.models.predict(around_center).log_cost))
