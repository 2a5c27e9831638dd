"""The points on a run's way: which of all that it passed through are kept, and when nothing can be known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from carbs import CarbsError, LogSpace, OrdinalSpace, Pow2Space
from wandb_carbs.agent.curve import Way, curve_keys, passage_of, spread
from wandb_carbs.record import CURVE_KEY
from wandb_carbs.sweep.progress import Point, Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carbs import Space

EPOCHS = LogSpace(2, 100, is_integer=True)


@pytest.mark.parametrize(
    ("first", "values", "places", "furthest"),
    [
        pytest.param(None, [1, 2, 3, 4, 5], {2: 2, 3: 3, 4: 4}, 5, id="counts from 1"),
        pytest.param(None, [0, 1, 2, 3, 4, 5], {2: 2, 3: 3, 4: 4}, 5, id="evaluated before the training"),
        pytest.param(None, [1, 2, 3], {2: 2, 3: 3}, 3, id="stopped"),
        pytest.param(None, [0.5, 1, 1.5, 2.0, 2.5], {2: 2.0}, 2.5, id="fractions"),
        pytest.param(0, [0, 1, 2, 3, 4], {2: 1, 3: 2, 4: 3}, 5, id="counts from 0"),
        pytest.param(0, [0, 1], {2: 1}, 2, id="counts from 0, stopped"),
        pytest.param(1, [0, 1, 2], {2: 2}, 2, id="evaluated before, stopped"),
        pytest.param(1, [float("nan"), 2], {2: 2}, 2, id="not a number"),
    ],
)
def test_a_run_passes_through_the_values_before_its_own(
    first: int | None, values: list[float], places: dict[float, float], furthest: float
) -> None:
    passage = passage_of(values, Progress("epochs", "epoch", first), EPOCHS, 5)
    assert (passage.places, passage.furthest, passage.note) == (places, furthest, "")


@pytest.mark.parametrize(
    ("first", "values", "words"),
    [
        (None, [0, 1, 2, 3, 4], "write `first: 0` or `first: 1`"),
        (None, [0, 1], "write `first: 0` or `first: 1`"),
        (None, [1, 6], "write a metric that counts as 'epochs' does"),
        (0, [1, 2, 3, 4, 5], "with `first: 0`, so that nothing is learnt from the way of a run: write `first: 1`"),
        (1, [100, 200], "write a metric that counts as 'epochs' does"),
    ],
)
def test_a_way_that_may_mean_two_things_or_leads_too_far_is_not_learnt(
    first: int | None, values: list[float], words: str
) -> None:
    """And the note is the same for every run, so that it is said once."""
    passages = [passage_of(values, Progress("epochs", "epoch", first), EPOCHS, end) for end in (5.0, 5.5)]
    assert [passage.places for passage in passages] == [{}, {}]
    assert words in passages[0].note
    assert passages[0].note == passages[1].note


def test_nothing_is_known_of_a_run_that_logged_nothing() -> None:
    passage = passage_of([], Progress("epochs", "epoch"), EPOCHS, 5)
    assert (passage.places, passage.furthest, passage.note) == ({}, 0.0, "")


@pytest.mark.parametrize(
    ("space", "places"), [(OrdinalSpace((5, 10, 20)), {5: 5, 10: 10}), (Pow2Space(2, 64), {2: 2, 4: 4, 8: 8, 16: 16})]
)
def test_only_values_of_the_space_are_places(space: Space, places: dict[float, float]) -> None:
    assert passage_of(range(1, 21), Progress("epochs", "epoch"), space, 20).places == places


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
        way.add(epoch, 1 / epoch, 2.0 * epoch)
    way.add(50, 0.01, 100.0)  # its end, which is an observation of its own
    way.add(0, 9.0, 0.5)
    way.add(2.5, 0.5, 5.0)
    assert json.loads(way.keys(is_whole=True)[CURVE_KEY]) == [[2, 0.9, 1.0], [3, 1 / 3, 6.0], [4, 0.25, 8.0]]
    way.end_at({"epochs": 4})
    assert json.loads(way.keys(is_whole=True)[CURVE_KEY]) == [[2, 0.9, 1.0], [3, 1 / 3, 6.0]]


@pytest.mark.parametrize("progress", [-1, 51, float("nan")])
def test_a_point_beyond_the_run_itself_is_refused(progress: float) -> None:
    with pytest.raises(CarbsError, match="must be between 0 and 50, which is 'epochs' of this run"):
        Way("epochs", EPOCHS, {"epochs": 50}).add(progress, 0.5, 1.0)
