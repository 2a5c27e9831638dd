"""Limits of a suggestion's cost: the costs observed so far bound how expensive the next run may be."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, stdtrit

from carbs.arrays import Array, Flags
from carbs.config import CARBSParams
from carbs.models.beliefs import Beliefs
from carbs.search.situation import Situation
from carbs.spaces.numeric import FIRST_STEP

# Points whose worst costs are computed together at first: about as many as are wanted, some of which are too expensive.
_FIRST_BATCH = 30


@dataclass(frozen=True)
class CostLimit:
    """The limits of a suggestion's cost, as natural logarithms.

    Attributes:
        situation: The situation; its models imagine no outcomes of running configurations, so limits rest on seen runs.
        predicted: Limit of the predicted cost.
        surprising: Limit of the worst cost; see `worst`.
        num_deviations: Standard deviations from the predicted to the worst cost.
        is_early: Whether fewer runs have succeeded than first draws are wanted: then the steepest rise counts, too.
        cap: The user's cap, which the predicted cost never exceeds where anything is below it; infinite without one.
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
            log_cost: Log costs, predicted from the observed runs alone, of the observed configurations and, after them,
                of the running ones; shape (m + p,).
        """
        groups, tuning = situation.models.groups, situation.tuning.limit
        own = situation.own
        spent = (groups.log_cost + np.log(groups.count))[groups.is_end] if own is None else own.log_cost
        log_spent = float(np.logaddexp.reduce(spent))
        least = log_spent + math.log(tuning.spent_share)
        cap = log_cap(situation.config)
        observed = np.max(log_cost[: groups.size] if own is None else situation.models.expect(own.X).known_log_cost)
        running = np.max(log_cost[groups.size :], initial=observed)
        highest = float(min(running, observed + tuning.outstanding_steps * tuning.growth))
        predicted = min(max(highest + tuning.growth, least), cap)
        num_deviations = float(stdtrit(max(groups.num_ends - 1, tuning.min_freedom), ndtr(tuning.num_deviations)))
        is_early = bool(groups.num_runs < max(tuning.num_early, situation.config.num_random_samples))
        return cls(situation, predicted, predicted + tuning.surprise, num_deviations, is_early, cap)

    def lowered_to(self, predicted: float) -> CostLimit:
        """Return the same limits, but that of the predicted cost, and the cap, at most `predicted`."""
        return replace(self, predicted=min(self.predicted, predicted), cap=min(self.cap, predicted))

    def raised_to(self, points: Array) -> CostLimit:
        """Return the limits that let the caller have the sizes that were given, however expensive the cheapest is.

        Args:
            points: A sample of what may be suggested, shape (m, D); all have the given sizes.
        """
        if not self.situation.narrows:
            return self
        tuning, beliefs = self.situation.tuning.limit, self.situation.models.predict(points)
        predicted = float(np.min(beliefs.known_log_cost)) + tuning.growth
        surprising = float(np.min(self.worst(points))) + tuning.growth
        return replace(
            self,
            predicted=min(max(self.predicted, predicted), self.cap),
            surprising=min(max(self.surprising, surprising), self.cap + tuning.surprise),
        )

    def is_exceeded(self, points: Array, beliefs: Beliefs) -> Flags:
        """Say which of `points`, shape (m, D), are too expensive by their predicted or worst cost; shape (m,)."""
        is_exceeded: Flags = beliefs.known_log_cost > self.predicted
        left = np.flatnonzero(~is_exceeded)
        is_exceeded[left] = self.worst(points[left]) > self.surprising
        return is_exceeded

    def keep_best(self, points: Array, beliefs: Beliefs, scores: Array, number: int) -> Array:
        """Return the scores of the best points that are not too expensive, and minus infinity for all others.

        The worst costs take longer than all else. So they are computed from the highest score down, until enough points
        are within the limits.

        Args:
            points: Shape (m, D).
            beliefs: Their predictions.
            scores: Their scores, shape (m,).
            number: How many points are enough.

        Returns:
            Shape (m,).
        """
        kept = np.full(len(points), -np.inf)
        order = np.argsort(-scores, kind="stable")
        order = order[(scores[order] > -np.inf) & (beliefs.known_log_cost[order] <= self.predicted)]
        found, size = 0, _FIRST_BATCH
        while found < number and len(order):
            batch, order, size = order[:size], order[size:], 2 * size
            within = batch[self.worst(points[batch]) <= self.surprising]
            kept[within] = scores[within]
            found += len(within)
        return kept

    def worst(self, points: Array) -> Array:
        """Return the log cost that `points`, shape (m, D), may have at worst, shape (m,).

        All models of the cost count, not only the most probable one: it may be sure that a hyperparameter costs nothing
        that has hardly been moved. A prediction below the cheapest run so far counts as the cheapest run's cost.
        """
        models = self.situation.models
        log_cost, deviation = models.predict_cost(points)
        reached: Array = np.maximum(log_cost, np.min(models.groups.log_cost)) + self.num_deviations * deviation
        if not self.is_early:
            return reached
        tuning = self.situation.tuning.limit
        margin = tuning.worst_growth - tuning.growth - tuning.surprise
        return np.maximum(reached, steepest(self.situation, points) - margin)


def steepest(situation: Situation, points: Array) -> Array:
    """Return the log cost of `points`, shape (m, D), if it rises from the nearest run at the steepest plausible rate.

    No model is asked: with a few runs it may predict the opposite.

    Returns:
        Natural logarithms, shape (m,).
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
    """Return the natural logarithm of the user's cap, infinite without one."""
    cap = config.max_suggestion_cost
    return math.inf if cap is None else math.log(cap)


def affordable(situation: Situation, points: Array, *, is_growing: bool) -> Array:
    """Choose the early draws that are not too expensive, by a model of a few runs.

    Args:
        situation: The situation, with models of the few runs.
        points: Search coordinates, shape (m, D).
        is_growing: Whether the search grows from a given centre; otherwise only the user's cap counts.

    Returns:
        The `points` within the limits, or the one of the least cost if all exceed them.
    """
    models, tuning = situation.models, situation.tuning.limit
    beliefs = models.predict(points)
    log_cost, limit = beliefs.known_log_cost, math.inf
    if is_growing:
        margin = tuning.worst_growth - tuning.initial_growth
        log_cost = np.maximum(log_cost + beliefs.log_cost_std, steepest(situation, points) - margin)
        runs = models.groups.X if situation.own is None else situation.own.X
        limit = float(np.max(models.expect(runs).known_log_cost)) + tuning.initial_growth
    cheap: Array = points[(log_cost <= min(limit, log_cap(situation.config))) | (log_cost == np.min(log_cost))]
    return cheap
