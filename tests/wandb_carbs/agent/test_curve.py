"""The points on a run's way: which of all that it passed through are kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from wandb_carbs.agent.curve import curve_keys, falling, spread
from wandb_carbs.record import CURVE_KEY
from wandb_carbs.sweep.progress import Point

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.mark.parametrize(
    ("number", "is_whole", "chosen"),
    [
        (8, True, [1, 2, 3, 4, 5, 6, 7, 8]),
        (49, True, [1, 2, 3, 4, 7, 11, 19, 30]),
        (49, False, [1, 2, 3, 5, 9, 16, 28, 49]),
        (10, False, [1, 2, 3, 4, 5, 7, 10]),
        (0, True, []),
    ],
)
def test_eight_places_are_spread_by_their_logarithms(number: int, is_whole: bool, chosen: Sequence[float]) -> None:
    """The last one only where the run's end is no observation of its own."""
    assert spread(range(1, number + 1), is_whole=is_whole) == chosen


def test_of_two_points_at_a_place_the_last_counts() -> None:
    points = [Point(2, 0.5, 1.0), Point(3, 0.25, 2.0), Point(2, 0.75, 3.0)]
    assert json.loads(curve_keys(points, is_whole=False)[CURVE_KEY]) == [[2, 0.75, 3.0], [3, 0.25, 2.0]]
    assert curve_keys([], is_whole=True) == {}


def test_a_cost_that_falls_on_the_way_is_found() -> None:
    """Where a place has two points, only the last one is looked at."""
    points = [Point(3, 0.25, 4.0), Point(2, 0.5, 9.0), Point(2, 0.5, 5.0), Point(1, 1.0, 1.0)]
    assert falling(points) == (points[2], points[0])
    assert falling([points[3], points[2]]) is None
    assert falling([points[1], points[2]]) is None
    assert falling([]) is None
