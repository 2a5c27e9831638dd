"""Leave what brings nothing: where the models' suggestions no longer pay, draw over the whole space again.

Where nearly all of a space gives the same poor objective, the models take that for all there is, and refine it. A
search that has gained often is given more time: it is not stuck, but near its end.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from carbs.arrays import Array
from carbs.history import ObservationInParam
from carbs.models.groups import LARGEST
from carbs.search.cost_limit import CostLimit
from carbs.search.maximise import sample_of
from carbs.search.situation import Course, Proposal, Situation, describe
from carbs.spaces.identity import are_among
from carbs.spaces.search_space import SearchSpace

# The best objective counts up to this far beyond the most expensive run, as a share of the range of log costs.
_BEYOND = 0.25


def course_of(
    space: SearchSpace, runs: Sequence[ObservationInParam], sign: int, num_first: int, least_gain: float
) -> Course:
    """Follow the hypervolume of a search from run to run.

    It is that of the observed objectives above their median, over the observed log costs.

    Args:
        space: The search space. Where all runs are equally long, only the results of whole ones count.
        runs: The runs that succeeded, in order. Those of an earlier search bring gains, but are never vain.
        sign: 1 if the objective is maximised, -1 if it is minimised.
        num_first: How many of this search's own runs are first draws, which are not vain either.
        least_gain: A run is a gain if it adds more than this share of the hypervolume that there is then. The last gain
            is where the hypervolume came within this share of what it is now.
    """
    counted = [[point for point in (*run.points, run) if space.is_whole(point.input)] for run in runs]
    if not any(counted):
        return Course()
    volumes = _volumes(counted, sign)
    num_gains = np.sum(np.diff(volumes, prepend=0.0) > least_gain * volumes)
    last_gain = int(np.argmax(volumes >= (1 - least_gain) * volumes[-1]))
    of_models = np.flatnonzero([not run.is_old for run in runs])[num_first:]
    return Course(num_gains=int(num_gains), num_vain=int(np.sum(of_models > last_gain)))


def _volumes(runs: Sequence[Sequence[ObservationInParam]], sign: int) -> Array:
    """Return the hypervolume after each of the runs, of which the results are given, its end the last; shape (n,)."""
    log_costs = [math.log(point.cost) for run in runs for point in run]
    low, high = min(log_costs), max(log_costs)
    reference = float(np.median([_value(run[-1], sign) for run in runs if run]))
    front = _Front(reference, high + _BEYOND * (high - low) if high > low else high + 1.0)
    volumes = []
    for run in runs:
        for point in run:
            front.add(_value(point, sign), math.log(point.cost))
        volumes.append(front.volume)
    return np.array(volumes)


def _value(run: ObservationInParam, sign: int) -> float:
    return min(max(sign * run.output, -LARGEST), LARGEST)


class _Front:
    """A frontier that grows point by point.

    Args:
        reference: Only what is better counts.
        end: Only what costs less counts.

    Attributes:
        volume: Its hypervolume.
    """

    def __init__(self, reference: float, end: float) -> None:
        self._reference = reference
        self._costs, self._values = [-math.inf], [reference]
        self._end = end
        self.volume = 0.0

    def add(self, value: float, log_cost: float) -> None:
        """Add a point."""
        first = bisect_right(self._costs, log_cost)
        if self._values[first - 1] >= value:
            return
        last = bisect_right(self._values, value)
        self._costs[first:last], self._values[first:last] = [log_cost], [value]
        starts = [*self._costs[1:], self._end]
        heights = (height - self._reference for height in self._values[1:])
        self.volume = sum(h * (stop - start) for h, start, stop in zip(heights, starts, starts[1:], strict=False))


def propose(situation: Situation) -> Proposal | None:
    """Propose a draw over the whole space, if the search has gone too long without a gain.

    About half of the suggestions are draws then, until there is a gain.

    Args:
        situation: The situation, with models: what would cost too much, or would probably fail, is not drawn.

    Returns:
        The proposal; None where the models are to suggest, or no draw is within the limits. In a space without bounds
        nothing is drawn, as it has no middle and ever cheaper places.
    """
    tuning, course, space = situation.tuning.patience, situation.course, situation.space
    is_stuck = course.num_vain >= max(1, tuning.per_gain * course.num_gains)
    if not is_stuck or not np.all(np.isfinite(space.bounds)):
        return None
    # A coin, as turns would stick wherever failures or other requests come between.
    if situation.generator.random() >= tuning.draw_share:
        return None
    models = situation.models
    points = sample_of(situation, situation.seen)
    points = points[~are_among(points, situation.tried)]
    points = points[situation.obey(points)]
    if not len(points):
        return None
    limit = CostLimit.of(situation, models.expect(situation.seen).known_log_cost)
    beliefs = models.predict(points)
    may_be = ~limit.is_exceeded(points, beliefs) & (beliefs.log_success > math.log(tuning.least_success))
    if not np.any(may_be):
        return None
    x = situation.generator.choice(points[may_be])
    reason = f"{course.num_vain} runs have brought no gain; this one is drawn over the whole space"
    return Proposal(x, {"kind": "random", "reason": reason, **describe(x, situation)})
