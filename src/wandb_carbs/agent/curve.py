"""Points on the way of a run: of all that it passed through, a few that stand for the whole."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from carbs import CarbsError, Space
from carbs.errors import Problem, refuse
from wandb_carbs.record import CURVE_KEY, RunRecord
from wandb_carbs.sweep.progress import MOST_POINTS, Point, Progress, read_points, to_text, value_at

# By so much, of itself, a logged number may be beyond the run's own: sums of fractions are.
_HAIR = 1e-9


@dataclass(frozen=True)
class Passage:
    """The places that a run has passed through.

    Attributes:
        places: The logged value at each value of the hyperparameter that comes before the run's own.
        furthest: How far the run was when it ended, in the hyperparameter's unit; 0 if that is not known.
        note: Why nothing can be learnt from its way; empty if something can.
    """

    places: Mapping[float, float]
    furthest: float = 0.0
    note: str = ""


def passage_of(values: Collection[float], progress: Progress, space: Space, end: float) -> Passage:
    """Understand the values of a metric that says how far a run is.

    Args:
        values: Its values.
        progress: The hyperparameter that the run passes through, and the metric.
        space: The hyperparameter's space.
        end: The run's own value of it.
    """
    seen = [value for value in values if math.isfinite(value)]
    if not seen:
        return Passage({})
    said = f"the sweep's progress: {progress.metric!r}"
    if progress.first is None and 0 in seen and max(seen) < end:
        unclear = (
            f"{said} was 0 in a run that did not come to {progress.parameter!r} itself, so it is not clear whether "
            "it counts from 0, or the 0 is an evaluation before the training: write `first: 0` or `first: 1` in a new "
            "sweep"
        )
        return Passage({}, note=unclear)
    first = 1 if progress.first is None else progress.first
    furthest = max(seen) + 1 - first
    if furthest > end * (1 + _HAIR):
        hint = "`first: 1`" if first == 0 else f"a metric that counts as {progress.parameter!r} does"
        counted = " with `first: 0`" if first == 0 else ""
        beyond = f"went beyond {progress.parameter!r} itself{counted}, so that nothing is learnt from the way of a run"
        return Passage({}, note=f"{said} {beyond}: write {hint} in a new sweep")
    places = {}
    for value in seen:
        place = value_at(space, value + 1 - first)
        if place is not None and place < end:
            places[place] = value
    return Passage(places, furthest)


def spread(places: Iterable[float], *, is_whole: bool) -> list[float]:
    """Choose a few places, evenly by their logarithms.

    Args:
        places: Positive numbers.
        is_whole: Whether the run has come to its end, which is then an observation beside the last place. If not, the
            last one is chosen.

    Returns:
        At most eight, in order, the first among them.
    """
    ordered = sorted(places)
    if len(ordered) <= MOST_POINTS:
        return ordered
    low, high = math.log(ordered[0]), math.log(ordered[-1])
    steps = MOST_POINTS if is_whole else MOST_POINTS - 1
    wanted = [low + (high - low) * step / steps for step in range(MOST_POINTS)]
    return sorted({min(ordered, key=lambda place: abs(math.log(place) - goal)) for goal in wanted})


def curve_keys(points: Sequence[Point], *, is_whole: bool) -> dict[str, str]:
    """Return the flat key of a run's record for its points, or nothing if it has no points.

    Args:
        points: They; of those at the same place, the last one counts.
        is_whole: Whether the run has come to its end.
    """
    by_place = {point.progress: point for point in points}
    kept = [by_place[place] for place in spread(by_place, is_whole=is_whole)]
    return {CURVE_KEY: to_text(kept)} if kept else {}


def earlier_points(record: RunRecord) -> tuple[Point, ...]:
    """Return the points that an earlier start of a run has left in its record."""
    try:
        return read_points(record.summary[CURVE_KEY])
    except (KeyError, CarbsError):
        return ()


class Way:
    """The way of a run as its own program reports it.

    Args:
        parameter: The hyperparameter that it passes through.
        space: Its space.
        configuration: The run's configuration.
        points: Those that it had reported before it was interrupted.
    """

    def __init__(
        self, parameter: str, space: Space, configuration: Mapping[str, Any], points: Sequence[Point] = ()
    ) -> None:
        self._parameter = parameter
        self._space = space
        self._end: float = configuration[parameter]
        self._points = {point.progress: point for point in points}

    def add(self, progress: float, objective: float, cost: float) -> None:
        """Add a point; one that is no value of the hyperparameter before the run's own is no observation.

        Args:
            progress: How far the run is.
            objective: The objective, finite.
            cost: The cost so far, positive and finite.

        Raises:
            CarbsError: If the run would be beyond its own value, or before its beginning.
        """
        if not 0 <= progress <= self._end * (1 + _HAIR):
            rule = f"must be between 0 and {self._end:g}, which is {self._parameter!r} of this run"
            raise refuse(Problem("", "progress", progress, rule))
        place = value_at(self._space, progress)
        if place is not None and place < self._end:
            self._points[place] = Point(place, objective, cost)

    def end_at(self, configuration: Mapping[str, Any]) -> None:
        """Let the run end where another configuration does, which was run instead, and forget the points from there on.

        Args:
            configuration: That configuration.
        """
        self._end = configuration[self._parameter]
        self._points = {place: point for place, point in self._points.items() if place < self._end}

    def keys(self, *, is_whole: bool) -> dict[str, str]:
        """Return the flat key of the run's record; see `curve_keys`."""
        return curve_keys(list(self._points.values()), is_whole=is_whole)
