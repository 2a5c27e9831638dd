"""Propose the run that tells most about the best objective at a given cost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from carbs import pareto
from carbs.arrays import Array
from carbs.models.beliefs import Beliefs
from carbs.search.cost_limit import CostLimit
from carbs.search.maximise import last_resort, maximise, pool_of, sample_of
from carbs.search.situation import Proposal, Situation, describe, kind_of
from carbs.spaces.identity import are_among


def propose(situation: Situation, cost: float) -> Proposal:
    """Propose the run that narrows the prediction of the best objective at a cost most.

    The target x* is the configuration that the models predict to be best at that cost. A run at x narrows the variance
    of the target's objective by Cov(f(x), f(x*))^2 / (Var f(x) + noise). The run that narrows it most is proposed, if
    it costs no more than the cost itself and keeps within the limits of any suggestion.

    Args:
        situation: The situation, with models.
        cost: The cost, positive, in the unit of the observed ones.

    Returns:
        The proposal; its log also holds `target_objective` and its standard deviation, `target_objective_std`.
    """
    pending, models, closeness = situation.pending, situation.models, situation.tuning.gain.closeness
    surrogate = models.with_pending(pending, np.zeros((2, len(pending), 1)))
    seen = situation.seen
    beliefs = surrogate.expect(seen)
    members = pareto.frontier(beliefs.objective[:, 0], beliefs.log_cost[:, 0])
    log_cost = math.log(cost)
    sample = sample_of(situation, seen)
    pool = pool_of(situation, sample, seen[members])

    def worth(points: Array) -> Array:
        at = surrogate.expect(points)
        value: Array = at.objective[:, 0] - 0.5 * ((at.log_cost[:, 0] - log_cost) / closeness) ** 2
        return value + surrogate.log_success(points)

    target, _ = maximise(situation, worth, pool)
    limit = CostLimit.of(situation, beliefs.known_log_cost).raised_to(sample).lowered_to(log_cost + closeness)

    def narrowing(points: Array, beliefs: Beliefs | None = None) -> Array:
        at = beliefs or surrogate.predict(points)
        covariance = surrogate.objective.covariance(points - surrogate.origin, target[None] - surrogate.origin)[:, 0]
        narrowed = covariance**2 / (at.objective_std**2 + surrogate.objective.hyper.noise)
        value: Array = np.log(np.maximum(narrowed, 1e-300)) + at.log_success
        return value

    def allowed(points: Array) -> Array:
        at = surrogate.predict(points)
        scores = np.where(are_among(points, situation.tried), -math.inf, narrowing(points, at))
        return limit.keep_best(points, at, scores, situation.tuning.gain.num_elites)

    x, score = maximise(situation, allowed, np.vstack([target[None], pool]))
    predicted = describe(target, situation)
    log: dict[str, Any] = {f"target_{name}": predicted[f"predicted_{name}"] for name in ("objective", "objective_std")}
    if not math.isfinite(score):
        x, log["reason"] = last_resort(situation, limit, pool, seen, narrowing)
    return Proposal(x, {"kind": kind_of(x, situation), **log, **describe(x, situation)})
