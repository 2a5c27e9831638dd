"""The points on a run's way: which of all that it passed through are kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from carbs import CarbsError, LogSpace
from wandb_carbs.agent.curve import Way, curve_keys, spread
from wandb_carbs.record import CURVE_KEY
from wandb_carbs.sweep.progress import Point

if TYPE_CHECKING:
    from collections.abc import Sequence

EPOCHS = LogSpace(2, 100, is_integer=True)


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


def test_a_program_reports_its_way_from_where_it_had_come() -> None:
    way = Way("epochs", EPOCHS, {"epochs": 50}, [Point(2, 0.9, 1.0)])
    for epoch in range(3, 5):
        way.add(epoch, 1 / epoch, 2.0 * epoch, is_given=True)
    way.add(50, 0.01, 100.0, is_given=True)  # its end, which is an observation of its own
    way.add(0, 9.0, 0.5, is_given=True)
    way.add(2.5, 0.5, 5.0, is_given=True)
    assert json.loads(way.keys(is_whole=True)[CURVE_KEY]) == [[2, 0.9, 1.0], [3, 1 / 3, 6.0], [4, 0.25, 8.0]]
    way.end_at({"epochs": 4})
    assert json.loads(way.keys(is_whole=True)[CURVE_KEY]) == [[2, 0.9, 1.0], [3, 1 / 3, 6.0]]


@pytest.mark.parametrize("progress", [-1, 51, float("nan")])
def test_a_point_beyond_the_run_itself_is_refused(progress: float) -> None:
    with pytest.raises(CarbsError, match="must be between 0 and 50, which is 'epochs' of this run"):
        Way("epochs", EPOCHS, {"epochs": 50}).add(progress, 0.5, 1.0, is_given=True)


def test_the_end_of_a_run_is_no_point_on_its_way_however_it_is_rounded() -> None:
    tokens = LogSpace(1, 1e9)
    end = 1234567.8912345678
    way = Way("tokens", tokens, {"tokens": end})
    way.add(end, 0.5, 1.0, is_given=True)
    way.add(end * (1 - 1e-12), 0.5, 1.0, is_given=True)
    assert way.keys(is_whole=True) == {}


def test_costs_that_contradict_each_other_are_those_of_no_point() -> None:
    way = Way("epochs", EPOCHS, {"epochs": 50}, [Point(5, 0.9, 100.0)])
    assert way.add(6, 0.8, 50.0, is_given=True).startswith("its cost was 100 at epochs=5, and is 50 at epochs=6")
    assert way.add(7, 0.8, 110.0, is_given=True) == ""
    assert way.add(8, 0.8, 120.0, is_given=False).startswith("some of its costs are given, and some are seconds")
    assert [point[0] for point in json.loads(way.keys(is_whole=True)[CURVE_KEY])] == [5, 7]
    assert way.close(110.0, is_given=True) == ""
    assert way.close(90.0, is_given=True).startswith("its cost was 110 at epochs=7, and is 90 at epochs=50")
    # Those of an earlier start are in the run's record, where they must not stay.
    assert way.keys(is_whole=True) == {CURVE_KEY: "[]"}


def test_a_run_that_begins_anew_replaces_its_points_with_their_costs() -> None:
    way = Way("epochs", EPOCHS, {"epochs": 50}, [Point(2, 0.9, 60.0), Point(3, 0.9, 100.0)])
    costs = {2: 6.0, 3: 10.0, 4: 14.0}
    assert [way.add(epoch, 0.5, cost, is_given=False) for epoch, cost in costs.items()] == [""] * 3
    assert {place: cost for place, _, cost in json.loads(way.keys(is_whole=True)[CURVE_KEY])} == costs
