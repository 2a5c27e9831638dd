"""Propose the run that is expected to add most to the hypervolume of the frontier.

The reasons for every step are in docs/how-it-works.md, "The frontier, and how far it may grow" and "The suggestion".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from carbs import pareto
from carbs.arrays import Array
from carbs.models.beliefs import Beliefs
from carbs.models.surrogate import Surrogate
from carbs.search import acquisition
from carbs.search.cost_limit import CostLimit
from carbs.search.maximise import last_resort, maximise, pool_of, sample_of
from carbs.search.situation import Proposal, Situation, describe, kind_of
from carbs.spaces.identity import are_among, keys


@dataclass(frozen=True)
class Scorer:
    """Scores points by the logarithm of the hypervolume that running them is expected to add.

    Attributes:
        surrogate: The models, with the outcomes of running configurations imagined.
        front: The frontier by predicted cost and objective.
        limit: The limits of cost; the user's cap also lowers the score of points that are near it.
        cheapest: Smallest predicted log cost that a suggestion may have.
        taken: Keys of the configurations that must not be suggested (again).
        failure_aversion: Power of the probability of success.
        number: How many of the best points are wanted.
    """

    surrogate: Surrogate
    front: acquisition.Steps
    limit: CostLimit
    cheapest: float
    taken: frozenset[bytes]
    failure_aversion: float
    number: int

    def score(self, points: Array) -> Array:
        """Score `points`, shape (m, D): shape (m,), minus infinity for all but the best that may be suggested."""
        beliefs = self.surrogate.predict(points)
        gain = self.log_worth(points, beliefs)
        cost = beliefs.log_cost.mean(axis=1)
        if math.isfinite(self.limit.cap):
            gain = gain + acquisition.log_probability_below(cost, beliefs.log_cost_std, self.limit.cap)
        gain = np.where(are_among(points, self.taken) | (cost < self.cheapest), -np.inf, gain)
        return self.limit.keep_best(points, beliefs, gain, self.number)

    def log_worth(self, points: Array, beliefs: Beliefs | None = None) -> Array:
        """Return the logarithm of the gain, lowered where a run may fail, allowed or not; shape (m,)."""
        beliefs = beliefs or self.surrogate.predict(points)
        worth: Array = self.log_gain(beliefs) + self.failure_aversion * beliefs.log_success
        return worth

    def log_gain(self, beliefs: Beliefs) -> Array:
        """Return the logarithm of the hypervolume that successful runs are expected to add, shape (m,)."""
        # The change of the posterior mean that one noisy run can bring, rather than all that is unknown (Frazier et al.
        # 2009, "The Knowledge-Gradient Policy for Correlated Normal Beliefs").
        variance = beliefs.objective_std**2
        change = variance / np.sqrt(variance + self.surrogate.objective.hyper.noise)
        return acquisition.log_expected_gain(
            beliefs.objective, change, beliefs.log_cost, beliefs.log_cost_std, self.front
        )


def propose(situation: Situation) -> Proposal:
    """Propose the configuration of the largest expected gain.

    Args:
        situation: The situation, with models.

    Returns:
        The proposal. Where the limits leave no candidate, it is the one of the least predicted cost, with the reason in
        its log.
    """
    models, rng = situation.models, situation.generator
    tuning = situation.tuning.gain
    surrogate = _imagined(situation)
    seen = situation.seen
    beliefs = surrogate.expect(seen)
    members = pareto.frontier(beliefs.objective.mean(1), beliefs.log_cost.mean(1))

    sample = sample_of(situation, seen)
    at_random = models.expect(sample)
    # If sizes are given, the gain is that over the frontier of the runs that have them. There may be no such run yet:
    # the cheapest candidate counts with them, too.
    rivals = np.flatnonzero(situation.agree(seen))
    least = [] if situation.given is None else [np.min(at_random.log_cost)]
    cheapest_seen = np.min(np.append(beliefs.log_cost[rivals], least))
    highest = float(np.max(np.append(beliefs.known_log_cost[rivals], least)))
    reachable = float(np.max(at_random.log_cost))
    end = float(np.clip(reachable, highest + tuning.horizon[0], highest + tuning.horizon[1]))
    limit = CostLimit.of(situation, beliefs.known_log_cost).raised_to(sample)
    reference = float(np.quantile(at_random.objective, tuning.reference_quantile))
    end = min(end, limit.cap)
    cheapest = begin = min(_cheapest_that_counts(situation), end)
    if rng.random() < tuning.band_share:
        begin = max(cheapest, rng.uniform(min(cheapest_seen, end), end))
    front, whole = (
        acquisition.steps(beliefs.objective[rivals], beliefs.log_cost[rivals], reference, end, start)
        for start in (begin, cheapest)
    )

    # Now and then a member of the frontier may be run again, if that has the largest gain: repeats show the noise.
    frequency = situation.config.resample_frequency
    num_runs, num_repeats = models.groups.num_runs, models.groups.num_repeats
    is_repeat_due = frequency and num_runs >= (num_repeats + 1) * frequency
    observed = members[members < models.groups.size]
    once_only = np.delete(seen, observed, axis=0) if is_repeat_due else seen
    taken = frozenset(keys(np.vstack([once_only, situation.failures])))
    scorer = Scorer(surrogate, front, limit, cheapest, taken, tuning.failure_aversion, tuning.num_elites)

    pool = pool_of(situation, sample, seen[members])
    x, score = maximise(situation, scorer.score, pool)
    log: dict[str, Any] = {}
    if not math.isfinite(score):
        x, log["reason"] = last_resort(situation, limit, pool, seen, scorer.log_worth)
    log["kind"] = kind_of(x, situation)
    gain = replace(scorer, front=whole).log_gain(surrogate.predict(x[None]))
    log["expected_improvement"] = math.exp(gain[0]) * models.objective_scaler.deviation
    return Proposal(x, {**log, **describe(x, situation)})


def _imagined(situation: Situation) -> Surrogate:
    """Return the models with the outcomes of the running configurations imagined, several times over."""
    number, tuning = len(situation.pending), situation.tuning.gain
    num_imagined = max(tuning.min_imagined, min(tuning.num_imagined, tuning.max_outcomes // number)) if number else 1
    draws = situation.generator.standard_normal((2, number, num_imagined))
    return situation.models.with_pending(situation.pending, draws)


def _cheapest_that_counts(situation: Situation) -> float:
    """Return the log cost from which on a gain counts, minus infinity where the space is bounded.

    An open space has ever cheaper configurations, and a search that counted them would go down for ever. There, the
    search grows from its centre: only costs count that are predicted within one search unit of it.
    """
    space = situation.space
    if np.all(np.isfinite(space.bounds)):
        return -math.inf
    around_center = sample_of(situation, space.center[None])
    return float(np.min(situation.models.expect(around_center).log_cost))
