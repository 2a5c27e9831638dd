"""Points on the way of a run: of all that it passed through, a few that stand for the whole."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from carbs import CarbsError, Space
from carbs.errors import Problem, refuse
from wandb_carbs.record import CURVE_KEY, RunRecord
from wandb_carbs.sweep.progress import HAIR, MOST_POINTS, Point, is_before, read_points, to_text, value_at


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
        self._is_recorded = bool(points)
        self._most_expensive = max(points, key=lambda point: point.cost, default=None)
        # Whether the program gives costs, or leaves them to be seconds; None before its first point.
        self._is_given: bool | None = None

    def add(self, progress: float, objective: float, cost: float, *, is_given: bool) -> str:
        """Add a point; one that is no value of the hyperparameter before the run's own is no observation.

        Args:
            progress: How far the run is.
            objective: The objective, finite.
            cost: The cost so far, positive and finite.
            is_given: Whether the program has given the cost.

        Returns:
            Why the point is left out, if its cost contradicts those of others; empty otherwise.

        Raises:
            CarbsError: If the run would be beyond its own value, or before its beginning.
        """
        if not 0 <= progress <= self._end * (1 + HAIR):
            rule = f"must be between 0 and {self._end:g}, which is {self._parameter!r} of this run"
            raise refuse(Problem("", "progress", progress, rule))
        place = value_at(self._space, progress)
        if place is None or not is_before(place, self._end):
            return ""
        if problem := self._contradiction(place, cost, is_given=is_given):
            return problem
        point = Point(place, objective, cost)
        if self._most_expensive is None or place == self._most_expensive.progress or cost >= self._most_expensive.cost:
            self._most_expensive = point
        self._points[place] = point
        self._is_given = is_given
        return ""

    def close(self, cost: float, *, is_given: bool) -> str:
        """Compare the points with the run's end, and forget them if they contradict it.

        Args:
            cost: The cost of the run.
            is_given: Whether the program has given it.

        Returns:
            Why they are forgotten; empty if they are not.
        """
        problem = self._contradiction(self._end, cost, is_given=is_given) if self._points else ""
        if problem:
            self._points = {}
        return problem

    def end_at(self, configuration: Mapping[str, Any]) -> None:
        """Let the run end where another configuration does, which was run instead, and forget the points from there on.

        Args:
            configuration: That configuration.
        """
        self._end = configuration[self._parameter]
        self._points = {place: point for place, point in self._points.items() if is_before(place, self._end)}
        self._most_expensive = max(self._points.values(), key=lambda point: point.cost, default=None)

    def keys(self, *, is_whole: bool) -> dict[str, str]:
        """Return the flat key of the run's record; see `curve_keys`. It takes the place of one that there is."""
        keys = curve_keys(list(self._points.values()), is_whole=is_whole)
        if self._is_recorded:
            return {CURVE_KEY: to_text([]), **keys}
        self._is_recorded = bool(keys)
        return keys

    def _contradiction(self, place: float, cost: float, *, is_given: bool) -> str:
        if self._is_given not in (None, is_given):
            return "some of its costs are given, and some are seconds: give the cost always, or never"
        before = self._most_expensive
        if before is None or before.progress >= place or before.cost <= cost:
            return ""
        return (
            f"its cost was {before.cost:g} at {self._parameter}={before.progress:g}, and is {cost:g} at "
            f"{self._parameter}={place:g}: it must be that of the run so far, with what earlier starts had spent"
        )
