"""Signs that a search is stuck or too sure of itself, from its runs alone, for status lines and reports."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from carbs.arrays import Array
from carbs.errors import CarbsError
from carbs.history import ObservationInParam, gather
from carbs.intervals import HALF_WIDTH
from carbs.models.groups import group_successes
from carbs.models.surrogate import MODEL_ERRORS, Surrogate
from carbs.pareto import frontier
from carbs.spaces import LogSpace, NumericSpace, Param, ParamValue, SearchSpace, as_space
from carbs.values import shown

# A hyperparameter is worth widening if half of the frontier, and three of its runs, lie on the same end of it.
_EDGE_SHARE = 0.5
_MIN_ON_EDGE = 3
# 90 % intervals that hold less than this are not to be trusted. Of twelve good ones, one in 230 sets holds so few.
_LEAST_HELD = 0.7
_MIN_INTERVALS = 12
# Hyperparameters show effects if a model predicts runs better than their mean does by this many nats. After 20 runs it
# was more in 57 of 60 searches of 15 problems, and less in all of 12 where the objective was noise.
_LEAST_EVIDENCE = 5.0
_MIN_FOR_EFFECTS = 20
_MOST_FITTED = 200
# A search rests if neither this many runs nor this share of all cost has lifted its frontier.
_MANY_RUNS = 20
_MUCH_COST = 0.3


@dataclass(frozen=True)
class Edge:
    """How many runs of the frontier lie on one end of a hyperparameter.

    Attributes:
        name: The hyperparameter.
        bound: The value of that end.
        is_upper: Whether it is the largest value.
        count: How many runs of the frontier have it.
        total: How many runs the frontier has.
    """

    name: str
    bound: float
    is_upper: bool
    count: int
    total: int


@dataclass(frozen=True)
class Rest:
    """The runs and the cost since a run last lifted the frontier.

    Attributes:
        runs: Runs since then, failures included.
        cost: What those of them that succeeded cost.
        share: Their share of what all successes cost, from 0 to 1.
    """

    runs: int
    cost: float
    share: float


def edges(space: SearchSpace | Sequence[Param], configurations: Sequence[dict[str, ParamValue]]) -> list[Edge]:
    """Count the configurations on each finite end of each numeric hyperparameter.

    Args:
        space: The search space, or its parameters.
        configurations: Those of the frontier.

    Returns:
        The ends with at least one configuration on them, most first. An end that no value can lie beyond is no edge:
        the 1 of a count, and the 0 of what cannot be negative.
    """
    space = as_space(space)
    found = []
    for param in space.params:
        if not isinstance(param.space, NumericSpace) or param.fixed is not None:
            continue
        low, high = float(param.space.min), float(param.space.max)
        values = np.array([float(configuration[param.name]) for configuration in configurations])
        for bound, is_upper in ((low, False), (high, True)):
            if math.isfinite(bound) and not _is_natural(param.space, bound, is_upper=is_upper):
                count = int(np.sum(np.isclose(values, bound, rtol=1e-9, atol=0.0)))
                found.append(Edge(param.name, bound, is_upper, count, len(configurations)))
    return sorted((edge for edge in found if edge.count), key=lambda edge: -edge.count)


def _is_natural(space: NumericSpace, bound: float, *, is_upper: bool) -> bool:
    """Say whether nothing lies beyond an end: no epochs, a negative dropout, a share above 1."""
    if is_upper:
        return bound == 1 and space.min >= 0 and not space.is_integer and not isinstance(space, LogSpace)
    return bound == 0 or (bound == 1 and space.is_integer)


def held_share(predicted: Array, deviation: Array, seen: Array) -> float:
    """Return how many of the 90 % intervals held what was seen, from 0 to 1; NaN where there is none.

    Args:
        predicted: Predictions, shape (n,).
        deviation: Their standard deviations, the noise of a single run included, shape (n,).
        seen: What was observed, shape (n,).
    """
    is_held = np.abs(np.asarray(seen) - predicted) <= HALF_WIDTH * np.asarray(deviation)
    return float(np.mean(is_held)) if len(is_held) else math.nan


def rest(observations: Sequence[ObservationInParam], better_direction_sign: int = 1) -> Rest:
    """Say what was spent since a run last lifted the frontier.

    A run lifts the frontier if it is better than every earlier one that cost no more than it did.

    Args:
        observations: Successes and failures in the order of their ends.
        better_direction_sign: 1 if the objective is maximised, -1 if it is minimised.

    Raises:
        CarbsError: If the sign is neither 1 nor -1.
    """
    if better_direction_sign not in (1, -1):
        raise CarbsError(f"better_direction_sign={shown(better_direction_sign)} must be 1 or -1")
    best: list[tuple[float, float]] = []  # cost and objective of the runs that lifted it
    runs, cost, total = 0, 0.0, 0.0
    for observation in observations:
        runs += 1
        if observation.is_failure or not math.isfinite(observation.output):
            continue
        objective = better_direction_sign * observation.output
        cost += observation.cost
        total += observation.cost
        if all(objective > theirs for paid, theirs in best if paid <= observation.cost):
            best.append((observation.cost, objective))
            runs, cost = 0, 0.0
    return Rest(runs, cost, cost / total if total else 0.0)


def doubts(
    space: SearchSpace | Sequence[Param],
    observations: Sequence[ObservationInParam],
    better_direction_sign: int = 1,
    intervals: tuple[Array, Array, Array] | None = None,
) -> list[str]:
    """Say in sentences what a user should know of a search.

    They are about bounds too narrow, intervals that do not hold, no progress, and objectives that are all noise.

    Args:
        space: The search space, or its parameters.
        observations: Successes and failures in the order of their ends.
        better_direction_sign: 1 if the objective is maximised, -1 if it is minimised.
        intervals: Predictions made before runs, their standard deviations with the noise of a run, and what was then
            seen, each of shape (n,); None where they are not known.

    Returns:
        The sentences, none where nothing is to be said.

    Raises:
        CarbsError: If an observation or the sign is invalid.
    """
    space = as_space(space)
    successes = gather(space, observations).successes
    objective = better_direction_sign * np.array([success.output for success in successes], float)
    members = frontier(objective, np.array([success.cost for success in successes], float))
    said = []
    for edge in edges(space, [successes[index].input for index in members]):
        if edge.count >= max(_MIN_ON_EDGE, _EDGE_SHARE * edge.total):
            end = "upper" if edge.is_upper else "lower"
            said.append(
                f"{edge.count} of {edge.total} frontier runs are on the {end} edge of {edge.name} ({edge.bound:g}): "
                "widen it if you can"
            )
    if intervals is not None and len(intervals[2]) >= _MIN_INTERVALS:
        share = held_share(*intervals)
        if share < _LEAST_HELD:
            said.append(
                f"the 90 % intervals held {100 * share:.0f} % of {len(intervals[2])} runs: do not trust the predictions"
            )
    since = rest(observations, better_direction_sign)
    if since.runs >= _MANY_RUNS and since.share >= _MUCH_COST:
        said.append(
            f"no run has improved the frontier for {since.runs} runs and {100 * since.share:.0f} % of the cost: "
            "stop here, or widen the search"
        )
    if not _show_effects(space, successes, better_direction_sign):
        said.append(
            f"the objectives of {len(successes)} runs look like noise, whatever the hyperparameters are: check the "
            "metric, average it over more seeds or episodes, or start where something is learnt"
        )
    return said


def _show_effects(space: SearchSpace, successes: Sequence[ObservationInParam], sign: int) -> bool:
    """Say whether a model predicts a run from the others better than their mean does; True where there is no saying."""
    # Not the newest alone: once a search has settled, they differ by noise.
    places = np.linspace(0, len(successes) - 1, min(len(successes), _MOST_FITTED)).round().astype(int)
    groups = group_successes(space, [successes[place] for place in places], sign)
    if groups.size < _MIN_FOR_EFFECTS:
        return True
    try:
        evidence = Surrogate.fit(space, groups, np.empty((0, space.width))).evidence_of_effects()
    except MODEL_ERRORS:
        return True
    return evidence >= _LEAST_EVIDENCE
