"""Propose the next configuration from the models: candidates, acquisition, refinement."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from carbs import acquisition, candidates, pareto
from carbs.config import CARBSParams
from carbs.params import SearchSpace
from carbs.spaces import Array
from carbs.surrogate import Beliefs, Surrogate

def _opt(name, default):
    return float(os.environ.get("CARBS_" + name, default))

NUM_IMAGINED = 8
MARGIN = _opt("MARGIN", 1.0)
GAMMA = _opt("GAMMA", 0.0)
REF_Q = _opt("REFQ", 0.1)
ROUNDS = int(_opt("ROUNDS", 6))
NLOCAL = int(_opt("NLOCAL", 400))
NGLOBAL = int(_opt("NGLOBAL", 200))
NREF = int(_opt("NREF", 200))


@dataclass(frozen=True)
class Scorer:
    """Scores points by the logarithm of what running them is expected to bring.

    Attributes:
        surrogate: The models, with outstanding suggestions imagined.
        front: The frontier as the models see it.
        log_cap: Standardised log of the largest cost to suggest; infinite if there is none.
    """

    surrogate: Surrogate
    front: acquisition.Steps
    log_cap: float
    taken: frozenset[bytes]

    def score(self, points: Array) -> Array:
        """Score `points`, shape (m, D): shape (m,), minus infinity for what must not be suggested."""
        beliefs = self.surrogate.predict(points)
        gain = acquisition.log_expected_gain(
            beliefs.objective, beliefs.objective_std, beliefs.log_cost, beliefs.log_cost_std, self.front
        )
        gain = gain + beliefs.log_success
        if GAMMA:
            gain = gain - GAMMA * self.surrogate.cost_scaler.deviation * beliefs.log_cost.mean(1)
        if math.isfinite(self.log_cap):
            mean = beliefs.log_cost.mean(axis=1)
            gain = gain + acquisition.log_probability_below(mean, beliefs.log_cost_std, self.log_cap)
            gain = np.where(mean > self.log_cap, -np.inf, gain)
        is_taken = np.fromiter((key in self.taken for key in keys(points)), bool, len(points))
        return np.where(is_taken, -np.inf, gain)


def keys(points: Array) -> list[bytes]:
    """Return one key for each point, equal where the configurations are."""
    return [row.tobytes() for row in np.round(points, 9) + 0.0]


def propose(
    space: SearchSpace,
    config: CARBSParams,
    fitted: Surrogate,
    pending: Array,
    failures: Array,
    rng: np.random.Generator,
) -> tuple[Array, dict[str, Any]]:
    num_sets = NUM_IMAGINED if len(pending) else 1
    surrogate = fitted.with_pending(pending, rng.standard_normal((2, len(pending), num_sets)))
    seen = np.vstack([fitted.groups.X, pending])
    beliefs = surrogate.predict(seen)
    log_cap = math.inf
    if config.max_suggestion_cost is not None:
        log_cap = float(fitted.cost_scaler.forward(np.log(np.array(config.max_suggestion_cost))))
    end = float(np.max(beliefs.log_cost)) + MARGIN / fitted.cost_scaler.deviation
    end = min(end, log_cap) if math.isfinite(log_cap) else end
    reference = float(np.quantile(surrogate.y, REF_Q))
    front = acquisition.steps(beliefs.objective, beliefs.log_cost, reference, end)
    taken = frozenset(keys(np.vstack([seen, failures])))
    scorer = Scorer(surrogate, front, log_cap, taken)
    members = pareto.frontier(beliefs.objective.mean(1), beliefs.log_cost.mean(1))
    best = search(space, scorer, seen, seen[members], rng)
    score = scorer.score(best[None])[0]
    log = {"kind": "model", "log_expected_gain": float(score), **describe(fitted, fitted.predict(best[None]), config)}
    return best, log


def search(
    space: SearchSpace, scorer: Scorer, seen: Array, members: Array, rng: np.random.Generator
) -> Array:
    scales = np.minimum(scorer.surrogate.objective.hyper.length_scales, 2.0)
    pool = [candidates.everywhere(space, seen, NGLOBAL, rng)]
    for factor in (0.05, 0.15, 0.5):
        pool.append(candidates.around(space, members, np.maximum(factor * scales, 0.01), NLOCAL // 3, rng))
    points = np.vstack(pool)
    scores = scorer.score(points)
    radius = 0.3
    for _ in range(ROUNDS):
        top = np.argsort(-scores)[:10]
        fresh = candidates.around(space, points[top], radius * scales, NREF, rng)
        fresh_scores = scorer.score(fresh)
        points, scores = np.vstack([points[top], fresh]), np.concatenate([scores[top], fresh_scores])
        radius *= 0.6
    return points[np.argmax(scores)]


def describe(fitted: Surrogate, beliefs: Beliefs, config: CARBSParams) -> dict[str, Any]:
    objective = config.better_direction_sign * fitted.objective_scaler.backward(beliefs.objective[0, 0])
    return {
        "predicted_objective": float(objective),
        "predicted_objective_std": float(beliefs.objective_std[0] * fitted.objective_scaler.deviation),
        "predicted_cost": float(np.exp(fitted.cost_scaler.backward(beliefs.log_cost[0, 0]))),
        "predicted_cost_std": float(beliefs.log_cost_std[0] * fitted.cost_scaler.deviation),
        "success_probability": float(np.exp(beliefs.log_success[0])),
    }
