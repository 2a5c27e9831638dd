"""Propose the next configuration from the models: frontier, horizon, candidates, refinement."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from carbs import pareto
from carbs.arrays import Array, Flags
from carbs.config import CARBSParams
from carbs.models.surrogate import Surrogate
from carbs.search import acquisition, candidates
from carbs.search.cost_limit import CostLimit
from carbs.spaces.search_space import SearchSpace

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
# Candidates: over the space, around the frontier with steps of these shares of a length scale, and refinements.
_NUM_GLOBAL = 500
_NUM_LOCAL = 130
_LOCAL_STEPS = (0.05, 0.15, 0.5)
_NUM_REFINED = 200
_REFINE_STEPS = tuple(0.3 * 0.6**i for i in range(6))
_NUM_ELITES = 10


@dataclass(frozen=True)
class Proposal:
    """A proposed configuration.

    Attributes:
        x: Its rounded search coordinates, shape (D,).
        log: What was believed of it; see `SuggestOutput.log`.
    """

    x: Array
    log: dict[str, Any]


@dataclass(frozen=True)
class Scorer:
    """Scores points by the logarithm of the hypervolume that running them is expected to add.

    Attributes:
        surrogate: The models, with outstanding suggestions imagined.
        front: The frontier as the models see it.
        limit: What a suggestion may cost; its cap is a soft factor below the limit, too.
        cheapest: Log cost that a suggestion is believed to have at least.
        taken: Keys of the configurations that must not be suggested (again).
    """

    surrogate: Surrogate
    front: acquisition.Steps
    limit: CostLimit
    cheapest: float
    taken: frozenset[bytes]

    def score(self, points: Array) -> Array:
        """Score `points`, shape (m, D): shape (m,), minus infinity for what must not be suggested."""
        beliefs = self.surrogate.predict(points)
        # What one noisy run can change of the mean, rather than all that is unknown (the deviation of the next
        # posterior mean; Frazier et al. 2009, "The Knowledge-Gradient Policy for Correlated Normal Beliefs").
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


def keys(points: Array) -> list[bytes]:
    """Return one key for each point, shape (m, D); keys are equal where the configurations are."""
    return [row.tobytes() for row in np.round(points, 9) + 0.0]


def are_among(points: Array, known: Collection[bytes]) -> Flags:
    """Tell which of `points`, shape (m, D), have one of the `known` keys; shape (m,)."""
    return np.fromiter((key in known for key in keys(points)), bool, len(points))


def propose(
    space: SearchSpace,
    config: CARBSParams,
    fitted: Surrogate,
    pending: Array,
    failures: Array,
    rng: np.random.Generator,
) -> Proposal:
    """Propose the next configuration.

    Args:
        space: The search space.
        config: Options.
        fitted: Models of the history.
        pending: Search coordinates of outstanding suggestions, shape (p, D).
        failures: Search coordinates of failed runs, shape (f, D).
        rng: Source of randomness.

    Returns:
        The configuration of the largest expected gain. Where the limits leave no candidate, the one of the least
        predicted cost, with the reason in its log.
    """
    num_imagined = max(_MIN_IMAGINED, min(_NUM_IMAGINED, _MAX_OUTCOMES // len(pending))) if len(pending) else 1
    surrogate = fitted.with_pending(pending, rng.standard_normal((2, len(pending), num_imagined)))
    seen = np.vstack([fitted.groups.X, pending])
    beliefs = surrogate.predict(seen)
    members = pareto.frontier(beliefs.objective.mean(1), beliefs.log_cost.mean(1))

    dearest = float(np.max(beliefs.known_log_cost))
    sample = candidates.everywhere(space, seen, _NUM_GLOBAL, rng)
    at_random = fitted.predict(sample)
    reachable = float(np.max(at_random.log_cost))
    end = float(np.clip(reachable, dearest + _HORIZON[0], dearest + _HORIZON[1]))
    limit = CostLimit.of(space, config, fitted, beliefs.known_log_cost)
    reference = float(np.quantile(at_random.objective, _REFERENCE_QUANTILE))
    end = min(end, limit.cap)
    cheapest = begin = min(_cheapest_that_counts(space, fitted, rng), end)
    if rng.random() < _BAND_SHARE:
        begin = max(cheapest, rng.uniform(min(np.min(beliefs.log_cost), end), end))
    front = acquisition.steps(beliefs.objective, beliefs.log_cost, reference, end, begin)

    # Now and then a member of the frontier may be run again, if that is what brings most: repeats tell noise from luck.
    num_runs, num_repeats = fitted.groups.count.sum(), fitted.groups.num_repeats
    is_repeat_due = config.resample_frequency and num_runs >= (num_repeats + 1) * config.resample_frequency
    observed = members[members < fitted.groups.size]
    once_only = np.delete(seen, observed, axis=0) if is_repeat_due else seen
    taken = frozenset(keys(np.vstack([once_only, failures])))
    scorer = Scorer(surrogate, front, limit, cheapest, taken)

    pool = pool_of(space, fitted, sample, seen[members], rng)
    x, score = search(space, scorer.score, fitted, pool, rng)
    log: dict[str, Any] = {}
    if not math.isfinite(score):
        x, log["reason"] = last_resort(surrogate, limit, pool, taken)
    log["kind"] = kind_of(x, fitted)
    log["expected_improvement"] = math.exp(score) * fitted.objective_scaler.deviation
    return Proposal(x, {**log, **describe(fitted, x, config)})


def _cheapest_that_counts(space: SearchSpace, fitted: Surrogate, rng: np.random.Generator) -> float:
    """Return the log cost from which on a gain counts, minus infinity where the space is bounded.

    An open space has ever cheaper configurations, and a search that counted them would go down for ever. There, what
    counts, and is suggested, is as cheap as the models see it within one search unit of the search centre, from which
    the search is meant to grow.
    """
    if np.all(np.isfinite(space.bounds)):
        return -math.inf
    around_center = candidates.everywhere(space, space.center[None], _NUM_GLOBAL, rng)
    return float(np.min(fitted.predict(around_center).log_cost))


def search(
    space: SearchSpace,
    score: Callable[[Array], Array],
    fitted: Surrogate,
    pool: Array,
    rng: np.random.Generator,
) -> tuple[Array, float]:
    """Search for the point of the highest score.

    Args:
        space: The search space.
        score: Maps points, shape (m, D), to scores, shape (m,).
        fitted: The models; their length scales tell how far a step goes.
        pool: Where to begin, shape (k, D).
        rng: Source of randomness.

    Returns:
        The best point, shape (D,), and its score, minus infinity if no point may be chosen.
    """
    scales = _step_scales(fitted)
    points, scores = pool, score(pool)
    for step in _REFINE_STEPS:
        elites = np.argsort(-scores, kind="stable")[:_NUM_ELITES]
        fresh = candidates.around(space, points[elites], step * scales, _NUM_REFINED, rng)
        points, scores = np.vstack([points[elites], fresh]), np.concatenate([scores[elites], score(fresh)])
    best = int(np.argmax(scores))
    return points[best], float(scores[best])


def pool_of(space: SearchSpace, fitted: Surrogate, sample: Array, members: Array, rng: np.random.Generator) -> Array:
    """Return where a search begins: the frontier's members, points around them, and a sample of the space."""
    scales = _step_scales(fitted)
    around = [
        candidates.around(space, members, np.maximum(step * scales, 0.01), _NUM_LOCAL, rng) for step in _LOCAL_STEPS
    ]
    return np.vstack([members, sample, *around])


def _step_scales(fitted: Surrogate) -> Array:
    # A length scale beyond the width of the space says "irrelevant": there, a step across the space is enough.
    scales: Array = np.minimum(fitted.objective.hyper.length_scales, 2.0)
    return scales


def last_resort(surrogate: Surrogate, limit: CostLimit, pool: Array, taken: Collection[bytes]) -> tuple[Array, str]:
    """Choose where every point is too dear or taken.

    Args:
        surrogate: The models.
        limit: What a suggestion may cost.
        pool: Points to choose from, shape (k, D).
        taken: Keys of the configurations that must not be suggested (again).

    Returns:
        The one that costs least at worst and is not taken (the first if all are), and what is to be said of it.
    """
    is_new = ~are_among(pool, taken)
    if not np.any(is_new):
        return pool[0], "every configuration in reach has been tried"
    pool = pool[is_new]
    cheapest = int(np.argmin(limit.feared(pool, surrogate.predict(pool))))
    return pool[cheapest], "no candidate is sure to cost less than the limit; this is the surest"


def kind_of(x: Array, fitted: Surrogate) -> str:
    """Tell whether a suggestion, shape (D,), is a "resample" of a configuration or the "model"'s new one."""
    return "resample" if keys(x[None])[0] in set(keys(fitted.groups.X)) else "model"


def describe(fitted: Surrogate, x: Array, config: CARBSParams) -> dict[str, float]:
    """Return what the models believe of a point, shape (D,), in the user's units; see `SuggestOutput.log`."""
    beliefs = fitted.predict(x[None])
    objective = config.better_direction_sign * fitted.objective_scaler.backward(beliefs.objective[0, 0])
    return {
        "predicted_objective": float(objective),
        "predicted_objective_std": float(beliefs.objective_std[0] * fitted.objective_scaler.deviation),
        "predicted_cost": float(np.exp(beliefs.log_cost[0, 0])),
        "predicted_cost_std": float(beliefs.log_cost_std[0]),
        "success_probability": float(np.exp(beliefs.log_success[0])),
    }
