"""Propose the run that tells most about the objective at a given cost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from carbs import pareto
from carbs.arrays import Array
from carbs.config import CARBSParams
from carbs.models.surrogate import Surrogate
from carbs.search import candidates
from carbs.search.cost_limit import CostLimit
from carbs.search.most_gain import Proposal, are_among, describe, keys, kind_of, last_resort, pool_of, search
from carbs.spaces.search_space import SearchSpace

_NUM_GLOBAL = 500
# How closely the configuration to predict has to keep to the cost: a factor of e^0.1 costs one standard deviation.
_CLOSENESS = 0.1


def propose_for_cost(
    space: SearchSpace,
    config: CARBSParams,
    fitted: Surrogate,
    pending: Array,
    failures: Array,
    cost: float,
    rng: np.random.Generator,
) -> Proposal:
    """Propose the run that tightens the prediction of the best objective at a cost.

    The configuration to predict, x*, is the one that the models believe best at that cost. A run at x narrows the
    variance of its objective by Cov(f(x), f(x*))^2 / (Var f(x) + noise); the run that narrows it most is proposed,
    among those that are not dearer than the cost itself and within the limits of any suggestion.

    Args:
        space: The search space.
        config: Options.
        fitted: Models of the history.
        pending: Search coordinates of outstanding suggestions, shape (p, D); they count as runs to come.
        failures: Search coordinates of failed runs, shape (f, D).
        cost: The cost, positive, in the unit of the observed ones.
        rng: Source of randomness.

    Returns:
        The proposal; its log also holds `target_objective` and its standard deviation, `target_objective_std`.
    """
    surrogate = fitted.with_pending(pending, np.zeros((2, len(pending), 1)))
    seen = np.vstack([fitted.groups.X, pending])
    beliefs = surrogate.predict(seen)
    members = pareto.frontier(beliefs.objective[:, 0], beliefs.log_cost[:, 0])
    log_cost = math.log(cost)
    sample = candidates.everywhere(space, seen, _NUM_GLOBAL, rng)
    pool = pool_of(space, fitted, sample, seen[members], rng)

    def worth(points: Array) -> Array:
        at = surrogate.predict(points)
        value: Array = at.objective[:, 0] - 0.5 * ((at.log_cost[:, 0] - log_cost) / _CLOSENESS) ** 2 + at.log_success
        return value

    target, _ = search(space, worth, fitted, pool, rng)
    limit = CostLimit.of(space, config, fitted, beliefs.known_log_cost).lowered_to(log_cost + _CLOSENESS)
    taken = frozenset(keys(np.vstack([seen, failures])))

    def narrowing(points: Array) -> Array:
        at = surrogate.predict(points)
        covariance = surrogate.objective.covariance(points - surrogate.origin, target[None] - surrogate.origin)[:, 0]
        narrowed = covariance**2 / (at.objective_std**2 + surrogate.objective.hyper.noise)
        value = np.log(np.maximum(narrowed, 1e-300)) + at.log_success
        return np.where(are_among(points, taken) | limit.is_exceeded(points, at), -math.inf, value)

    x, score = search(space, narrowing, fitted, np.vstack([target[None], pool]), rng)
    log = describe(fitted, target, config)
    told: dict[str, Any] = {f"target_{name}": log[f"predicted_{name}"] for name in ("objective", "objective_std")}
    if not math.isfinite(score):
        x, told["reason"] = last_resort(surrogate, limit, pool, taken)
    return Proposal(x, {"kind": kind_of(x, fitted), **told, **describe(fitted, x, config)})
