"""Points on the way of a run: of all that it passed through, a few that stand for the whole."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

from carbs import CarbsError
from wandb_carbs.record import CURVE_KEY, RunRecord
from wandb_carbs.sweep.progress import MOST_POINTS, Point, read_points, to_text


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


def chosen(points: Iterable[Point], *, is_whole: bool) -> list[Point]:
    """Return those of a run's points that stand for all, in order; see `spread`.

    Args:
        points: They; of those at the same place, the last one counts.
        is_whole: Whether the run has come to its end.
    """
    by_place = {point.progress: point for point in points}
    return [by_place[place] for place in spread(by_place, is_whole=is_whole)]


def curve_keys(points: Iterable[Point], *, is_whole: bool) -> dict[str, str]:
    """Return the flat key of a run's record for its points, or nothing if it has no points.

    Args:
        points: As of `chosen`.
        is_whole: Whether the run has come to its end.
    """
    kept = chosen(points, is_whole=is_whole)
    return {CURVE_KEY: to_text(kept)} if kept else {}


def earlier_points(record: RunRecord) -> tuple[Point, ...]:
    """Return the points that an earlier start of a run has left in its record."""
    try:
        return read_points(record.summary[CURVE_KEY])
    except (KeyError, CarbsError):
        return ()


def falling(points: Iterable[Point]) -> tuple[Point, Point] | None:
    """Return two points of which the later one costs less, which the cost of a run so far cannot do; None if no two do.

    Args:
        points: Points of one run; of those at the same place, the last one counts.
    """
    by_place = {point.progress: point for point in points}
    ordered = [by_place[place] for place in sorted(by_place)]
    return next((pair for pair in itertools.pairwise(ordered) if pair[1].cost < pair[0].cost), None)
