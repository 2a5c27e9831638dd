"""The points on a run's way that its own program reports."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from carbs import Space
from carbs.errors import Problem, refuse
from wandb_carbs.agent.curve import curve_keys, falling
from wandb_carbs.agent.publisher import RunPublisher
from wandb_carbs.record import CURVE_KEY, RUNNING, SUCCESS
from wandb_carbs.sweep.progress import HAIR, Point, is_before, to_text, value_at

logger = logging.getLogger("wandb_carbs")

# The SDK sends a summary so often.
_SUMMARY_SECONDS = 15.0


class ReportedCurve:
    """Keep the points that a program reports of its run, until they go out with the outcome.

    Args:
        publisher: Writes the run's record.
        parameter: The hyperparameter whose values the run passes through.
        space: Its space.
        configuration: The run's configuration.
        points: Those that it had reported before it was interrupted.

    Attributes:
        last: The point of the last report; None where that was no point to learn from.
        place: Of the last report that was one.
        is_at_end: Whether the last report was at the run's end.
    """

    def __init__(
        self,
        publisher: RunPublisher,
        parameter: str,
        space: Space,
        configuration: Mapping[str, Any],
        points: Sequence[Point] = (),
    ) -> None:
        self.last: Point | None = None
        self.place: float | None = None
        self.is_at_end = False
        self._publisher = publisher
        self._parameter = parameter
        self._space = space
        self._end: float = configuration[parameter]
        self._points = {point.progress: point for point in points}
        self._is_recorded = bool(points)
        self._most_expensive = max(points, key=lambda point: point.cost, default=None)
        # Whether the program gives costs, or leaves them to be seconds; None before its first point.
        self._is_given: bool | None = None
        # Whether there was a warning of a point whose cost contradicts others, and of one that came after the end.
        self._has_doubted = self._was_late = False
        # When the points were last given to the SDK.
        self._left = -math.inf

    def add(self, progress: float, objective: float, cost: float, *, is_given: bool) -> bool:
        """Add a point; one that is no value of the hyperparameter before the run's own is no observation.

        Args:
            progress: How far the run is.
            objective: The objective; where it is not finite, the point is left out with a warning.
            cost: The cost so far, positive and finite; where it contradicts those of others, likewise.
            is_given: Whether the program has given the cost.

        Returns:
            Whether the point is kept.

        Raises:
            CarbsError: If the run would be beyond its own value, or before its beginning.
        """
        self.last, self.is_at_end = None, not is_before(progress, self._end)
        if not math.isfinite(objective):
            logger.warning(
                "Run %s: objective=%r at progress=%g is no point to learn from", self._name, objective, progress
            )
            return False
        if not 0 <= progress <= self._end * (1 + HAIR):
            rule = f"must be between 0 and {self._end:g}, which is {self._parameter!r} of this run"
            raise refuse(Problem("", "progress", progress, rule))
        place = value_at(self._space, progress)
        if place is None or not is_before(place, self._end):
            return False
        point = Point(place, objective, cost)
        if problem := self._contradiction(point, is_given=is_given):
            if not self._has_doubted:
                self._has_doubted = True
                logger.warning("Run %s: points on its way are left out, since %s", self._name, problem)
            return False
        if self._most_expensive is None or place == self._most_expensive.progress or cost >= self._most_expensive.cost:
            self._most_expensive = point
        self._points[place] = point
        self._is_given = is_given
        self.last, self.place = point, place
        return True

    @property
    def points(self) -> list[Point]:
        """The points that are kept, one for each place."""
        return list(self._points.values())

    def leave(self, state: str) -> None:
        """Give the points to the SDK from time to time: they stay if the process is killed.

        After a failure they go at once, as nothing follows that would take them along. After an observation they would
        contradict it; a warning says so.

        Args:
            state: The run's state.
        """
        if state == SUCCESS:
            if not self._was_late:
                self._was_late = True
                logger.warning(
                    "Run %s has recorded its observation: points that it reports after it go out only with another "
                    "one, record_observation(…, allow_update=True)",
                    self._name,
                )
            return
        now = time.monotonic()
        if state != RUNNING or now > self._left + _SUMMARY_SECONDS:
            self._left = now
            self._publisher.leave(self.keys(is_whole=False))

    def close(self, cost: float, *, is_given: bool) -> None:
        """Compare the points with the run's end, and forget them with a warning if they contradict it.

        Args:
            cost: The cost of the run.
            is_given: Whether the program has given it.
        """
        end = Point(self._end, math.nan, cost)
        if self._points and (problem := self._contradiction(end, is_given=is_given)):
            self._points = {}
            logger.warning("Run %s: nothing is learnt from its way, since %s", self._name, problem)

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
        keys = curve_keys(self.points, is_whole=is_whole)
        if self._is_recorded:
            return {CURVE_KEY: to_text([]), **keys}
        self._is_recorded = bool(keys)
        return keys

    @property
    def _name(self) -> str:
        return self._publisher.record.name

    def _contradiction(self, point: Point, *, is_given: bool) -> str:
        if self._is_given not in (None, is_given):
            return "some of its costs are given, and some are seconds: give the cost always, or never"
        pair = falling(other for other in (self._most_expensive, point) if other is not None)
        if pair is None or pair[1] is not point:
            return ""
        return (
            f"its cost was {pair[0].cost:g} at {self._parameter}={pair[0].progress:g}, and is {point.cost:g} at "
            f"{self._parameter}={point.progress:g}: it must be that of the run so far, with what earlier starts had "
            "spent"
        )
