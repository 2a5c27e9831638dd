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

# A run is suggested if it costs at most twice the dearest run so far, or at most this share of all that was spent: the
# search approaches expensive regions step by step, and no single guess is meant to cost as much as everything before.
_GROWTH = math.log(2.0)
_SPENT_SHARE = 0.3
# Outstanding runs lift that limit, as finished ones do, but by two such steps at most, however many they are: they must
# not climb on one another. With one step, many workers would hardly climb faster than one does in the same time.
_OUTSTANDING_STEPS = 2
# That is meant for what is predicted. What one in 160 of normal errors surpasses, a cost is at most twice as high
# again: far from all runs the predicted cost says little.
_NUM_DEVIATIONS = 2.5
_SURPRISE = math.log(2.0)
# The deviation itself is estimated, and from few runs badly: Student's t allows for that, with the degrees of freedom
# of the runs, or of six, since before that the steepest rise below is feared as well.
_MIN_FREEDOM = 5
# Draws before that, around a given centre, are to cost at most three times the dearest run so far, a deviation above
# the prediction. A model of a few runs is not to be trusted far from all of them: where the cost rises as steeply as it
# well may, ten times. That is a factor of 55 for a search unit (three hyperparameters, each of which makes a run ten
# times as dear), or as much as a hyperparameter itself changes, if it is searched by its logarithm and that is more.
_INITIAL_GROWTH = math.log(3.0)
_WORST_GROWTH = math.log(10.0)
_STEEPEST = math.sqrt(3) * math.log(10.0)


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
        groups = situation.models.groups
        log_spent = float(np.logaddexp.reduce(groups.log_cost + np.log(groups.count)))
        least = log_spent + math.log(_SPENT_SHARE)
        cap = log_cap(situation.config)
        observed = np.max(log_cost[: groups.size])
        dearest = float(min(np.max(log_cost), observed + _OUTSTANDING_STEPS * _GROWTH))
        predicted = min(max(dearest + _GROWTH, least), cap)
        num_deviations = float(stdtrit(max(groups.size - 1, _MIN_FREEDOM), ndtr(_NUM_DEVIATIONS)))
        is_early = bool(np.sum(groups.count) < situation.config.num_random_samples)
        return cls(situation, predicted, predicted + _SURPRISE, num_deviations, is_early, cap)

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
        margin = _WORST_GROWTH - _GROWTH - _SURPRISE
        return np.maximum(worst, steepest(self.situation, points) - margin)


def steepest(situation: Situation, points: Array) -> Array:
    """Return what `points`, shape (m, D), cost if the cost rises from the nearest run as steeply as it well may.

    The natural logarithm, shape (m,). Nothing is predicted: a model of a few runs may foretell the opposite.
    """
    groups = situation.models.groups
    nats = np.maximum(_STEEPEST, FIRST_STEP * math.log(10.0) / situation.space.longest_first_steps)
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
    models = situation.models
    beliefs = models.predict(points)
    log_cost, limit = beliefs.known_log_cost, math.inf
    if is_growing:
        margin = _WORST_GROWTH - _INITIAL_GROWTH
        log_cost = np.maximum(log_cost + beliefs.known_log_cost_std, steepest(situation, points) - margin)
        limit = float(np.max(models.predict(models.groups.X).known_log_cost)) + _INITIAL_GROWTH
    cheap: Array = points[(log_cost <= min(limit, log_cap(situation.config))) | (log_cost == np.min(log_cost))]
    return cheap
