"""The places that a run has passed through, by the values of a metric that says how far it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from carbs import Space
from carbs.spaces.numeric import NumericSpace
from wandb_carbs.sweep.logged import Course
from wandb_carbs.sweep.progress import HAIR, Progress, is_before, value_at


@dataclass(frozen=True)
class Passage:
    """The places that a run has passed through.

    Attributes:
        places: The logged value at each value of the hyperparameter that comes before the run's own.
        earliest: The first logged value after the beginning of the training, if any.
        furthest: How far the run was when it ended, in the hyperparameter's unit; 0 if that is not known.
        note: Why nothing is learnt from its way, or what may be wrong with it; empty if all is well.
    """

    places: Mapping[float, float]
    earliest: float | None = None
    furthest: float = 0.0
    note: str = ""


def passage_of(course: Course, progress: Progress, space: Space, end: float, *, is_whole: bool) -> Passage:
    """Understand the values of a metric that says how far a run is.

    Args:
        course: Its values.
        progress: The hyperparameter that the run passes through, and the metric.
        space: The hyperparameter's space.
        end: The run's own value of it.
        is_whole: Whether the run has come to its end.
    """
    seen = sorted(value for value in course.times if math.isfinite(value))
    if not seen:
        return Passage({})
    first = 1 if progress.first is None else progress.first
    furthest = seen[-1] + 1 - first
    if problem := _problem_with(course, seen, progress, end, is_whole=is_whole):
        return Passage({}, note=_said(progress, problem))
    # Where a unit has many rows, the last unit of a run that was cut short need not be done.
    done = seen if is_whole or not course.is_repeated else seen[:-1]
    places = {}
    for value in done:
        place = value_at(space, value + 1 - first)
        if place is not None and is_before(place, end):
            places[place] = value
    note = _doubt(places, furthest, progress, space, end) if is_whole else ""
    return Passage(places, next((value for value in seen if value + 1 - first > 0), None), furthest, note)


def _problem_with(course: Course, seen: Sequence[float], progress: Progress, end: float, *, is_whole: bool) -> str:
    """Say why a way may mean two things, or cannot be one; empty if it can be understood."""
    nothing = "so that nothing is learnt from the way of a run"
    if course.goes_back:
        return f"goes back within a run, as in a cross-validation, {nothing}"
    is_counted = all(float(value).is_integer() for value in seen)
    if progress.first is None and is_counted and (seen[0] == 0 or (is_whole and seen[-1] + 1 == end)):
        what = "was 0 in a run" if seen[0] == 0 else f"was one less than {progress.parameter!r} at a run's end"
        return (
            f"{what}, so that it is not clear whether it counts from 0: write `first: 0` in a new sweep if it does, or "
            "`first: 1` if a 0 is an evaluation before the training"
        )
    first = 1 if progress.first is None else progress.first
    if seen[-1] + 1 - first <= end * (1 + HAIR):
        return ""
    if first == 1:
        return f"went beyond {progress.parameter!r} itself, {nothing}: write a metric of the same unit in a new sweep"
    return (
        f"went beyond {progress.parameter!r} itself with `first: 0`, {nothing}: write `first: 1` in a new sweep, or if "
        "it counts from 0 and is logged once more after the last one, log that objective under another name"
    )


def _doubt(places: Mapping[float, float], furthest: float, progress: Progress, space: Space, end: float) -> str:
    """Say what may be wrong with the way of a run that has come to its end; empty if nothing is."""
    if not places and is_before(smallest(space), end):
        return _said(
            progress,
            f"had no value before a run's end, in a row of the objective, that is one of {progress.parameter!r}, so "
            "that nothing is learnt from its way: log the objective when it has one, such as at the end of each epoch",
        )
    if places and is_before(furthest, end):
        return _said(
            progress,
            f"did not come to {progress.parameter!r} in a run that succeeded: its points are right if the program ends "
            f"early by itself, or logs no objective at its end; if not, {progress.metric!r} does not count as "
            f"{progress.parameter!r} does",
        )
    return ""


def _said(progress: Progress, what: str) -> str:
    return f"the sweep's progress: {progress.metric!r} {what}"


def smallest(space: Space) -> float:
    """Return the smallest value of a hyperparameter that a run passes through."""
    least: Any = space.min if isinstance(space, NumericSpace) else min(space.choices)
    return float(least)
