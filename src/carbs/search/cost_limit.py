"""How dear a suggestion may be: what is known of the cost so far bounds how far the next run may go."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, stdtrit

from carbs.arrays import Array, Flags
from carbs.config import CARBSParams
from carbs.models.surrogate import Beliefs
from carbs.search.situation import Situation
from carbs.spaces.numeric import FIRST_STEP


@dataclass(frozen=True)
class CostLimit:
    """What a suggestion may cost, as natural logarithms.

    Attributes:
        situation: The situation; its models imagine no outcomes of running configurations, so limits rest on seen runs.
        predicted: Limit of the predicted cost.
        surprising: Limit of what the cost is feared to be.
        num_deviations: How many standard deviations above the prediction that is.
        is_early: Whether fewer runs have succeeded than the first ones, so that the steepest rise is feared as well.
        cap: The user's cap, which the predicted cost never exceeds; infinite if there is none.
    """

    situation: Situation
    predicted: float
    surprising: float
    num_deviations: float
    is_early: bool
    cap: float

    @classmethod
    def of(cls, situation: Situation, log_cost: Array) -> CostLimit:
        """Derive the limits.

        Args:
            situation: The situation, with models.
            log_cost: Predicted log costs of the observed configurations and, after them, of the outstanding ones, as
                far as observed runs tell them; shape (m + p,).
        """
        groups, tuning = situation.models.groups, situation.tuning.limit
        log_spent = float(np.logaddexp.reduce(groups.log_cost + np.log(groups.count)))
        least = log_spent + math.log(tuning.spent_share)
        cap = log_cap(situation.config)
        observed = np.max(log_cost[: groups.size])
        dearest = float(min(np.max(log_cost), observed + tuning.outstanding_steps * tuning.growth))
        predicted = min(max(dearest + tuning.growth, least), cap)
        num_deviations = float(stdtrit(max(groups.size - 1, tuning.min_freedom), ndtr(tuning.num_deviations)))
        is_early = bool(np.sum(groups.count) < situation.config.num_random_samples)
        return cls(situation, predicted, predicted + tuning.surprise, num_deviations, is_early, cap)

    def lowered_to(self, predicted: float) -> CostLimit:
        """Return these limits with one of the predicted cost that is `predicted` at most; what is feared stays."""
        return replace(self, predicted=min(self.predicted, predicted))

    def is_exceeded(self, points: Array, beliefs: Beliefs) -> Flags:
        """Tell which of `points`, shape (m, D), are believed too dear; shape (m,)."""
        is_dear: Flags = (beliefs.known_log_cost > self.predicted) | (self.feared(points, beliefs) > self.surprising)
        return is_dear

    def feared(self, points: Array, beliefs: Beliefs) -> Array:
        """Return what `points`, shape (m, D), may cost at worst; shape (m,).

        What is foretold to be cheaper than every run so far is feared as if it were predicted to cost as the cheapest.
        """
        cheapest = np.min(self.situation.models.groups.log_cost)
        worst: Array = np.maximum(beliefs.known_log_cost, cheapest) + self.num_deviations * beliefs.known_log_cost_std
        if not self.is_early:
            return worst
        tuning = self.situation.tuning.limit
        margin = tuning.worst_growth - tuning.growth - tuning.surprise
        return np.maximum(worst, steepest(self.situation, points) - margin)


def steepest(situation: Situation, points: Array) -> Array:
    """Return what `points`, shape (m, D), cost if the cost rises from the nearest run as steeply as it well may.

    The natural logarithm, shape (m,). Nothing is predicted: a model of a few runs may foretell the opposite.
    """
    groups = situation.models.groups
    nats = np.maximum(
        situation.tuning.limit.steepest, FIRST_STEP * math.log(10.0) / situation.space.longest_first_steps
    )
    rise = np.linalg.norm((points[:, None] - groups.X[None]) * nats, axis=2)
    nearest = np.argmin(rise, axis=1)
    reached: Array = groups.log_cost[nearest] + rise[np.arange(len(points)), nearest]
    return reached


def log_cap(config: CARBSParams) -> float:
    """Return the natural logarithm of the user's cap, infinite if there is none."""
    cap = config.max_suggestion_cost
    return math.inf if cap is None else math.log(cap)


def affordable(situation: Situation, points: Array, *, is_growing: bool) -> Array:
    """Choose the early draws that a model of a few runs does not believe too dear.

    Args:
        situation: The situation, with models of the few runs.
        points: Search coordinates, shape (m, D).
        is_growing: Whether the search starts from a given centre and grows from there: otherwise only the user's cap
            counts.

    Returns:
        The `points` within the limits; the one of the least cost where there is none.
    """
    models, tuning = situation.models, situation.tuning.limit
    beliefs = models.predict(points)
    log_cost, limit = beliefs.known_log_cost, math.inf
    if is_growing:
        margin = tuning.worst_growth - tuning.initial_growth
        log_cost = np.maximum(log_cost + beliefs.known_log_cost_std, steepest(situation, points) - margin)
        limit = float(np.max(models.predict(models.groups.X).known_log_cost)) + tuning.initial_growth
    cheap: Array = points[(log_cost <= min(limit, log_cap(situation.config))) | (log_cost == np.min(log_cost))]
    return cheap
