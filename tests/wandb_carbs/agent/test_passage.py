"""The places that a run has passed through by what a metric says, and when that cannot be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from carbs import LogSpace, OrdinalSpace, Pow2Space
from wandb_carbs.agent.passage import Passage, passage_of
from wandb_carbs.sweep.logged import Course
from wandb_carbs.sweep.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carbs import Space

EPOCHS = LogSpace(2, 100, is_integer=True)


def passage(
    values: Iterable[float],
    first: int | None = None,
    *,
    space: Space = EPOCHS,
    end: float = 5,
    is_whole: bool = True,
    is_repeated: bool = False,
    goes_back: bool = False,
) -> Passage:
    course = Course(dict.fromkeys(values, 1.0), is_repeated=is_repeated, goes_back=goes_back)
    return passage_of(course, Progress("epochs", "epoch", first), space, end, is_whole=is_whole)


@pytest.mark.parametrize(
    ("first", "values", "is_whole", "places", "earliest", "furthest"),
    [
        pytest.param(None, [1, 2, 3, 4, 5], True, {2: 2, 3: 3, 4: 4}, 1, 5, id="counts from 1"),
        pytest.param(None, [1, 2, 3], False, {2: 2, 3: 3}, 1, 3, id="counts from 1, stopped"),
        pytest.param(None, [1, 2, 3, 4], False, {2: 2, 3: 3, 4: 4}, 1, 4, id="counts from 1, stopped before the last"),
        pytest.param(None, [0.5, 1, 1.5, 2.0, 2.5], False, {2: 2.0}, 0.5, 2.5, id="fractions, stopped"),
        pytest.param(None, [0, 1.25, 2.5, 3.75, 5], True, {}, 1.25, 5, id="fractions, evaluated before"),
        pytest.param(1, [0, 1, 2, 3, 4, 5], True, {2: 2, 3: 3, 4: 4}, 1, 5, id="evaluated before the training"),
        pytest.param(1, [0, 1, 2], False, {2: 2}, 1, 2, id="evaluated before, stopped"),
        pytest.param(0, [0, 1, 2, 3, 4], True, {2: 1, 3: 2, 4: 3}, 0, 5, id="counts from 0"),
        pytest.param(0, [0, 1], False, {2: 1}, 0, 2, id="counts from 0, stopped"),
        pytest.param(1, [float("nan"), 2], False, {2: 2}, 2, 2, id="not a number"),
    ],
)
def test_a_run_passes_through_the_values_before_its_own(
    first: int | None,
    values: list[float],
    is_whole: bool,
    places: dict[float, float],
    earliest: float,
    furthest: float,
) -> None:
    found = passage(values, first, is_whole=is_whole)
    assert (found.places, found.earliest, found.furthest) == (places, earliest, furthest)
    assert ("no value before a run's end" in found.note) == (not places)


@pytest.mark.parametrize(
    ("first", "values", "is_whole", "words"),
    [
        pytest.param(
            None, [0, 1, 2, 3, 4], True, "write `first: 0` in a new sweep if it does, or `first: 1`", id="counts from 0"
        ),
        pytest.param(
            None,
            [0, 1],
            False,
            "write `first: 0` in a new sweep if it does, or `first: 1`",
            id="counts from 0, stopped",
        ),
        # Lightning's fit() and then validate() log so; so does an evaluation before the training.
        pytest.param(None, [0, 1, 2, 3, 4, 5], True, "was 0 in a run, so that it is not clear", id="from 0 to the end"),
        pytest.param(None, [1, 3, 4], True, "was one less than 'epochs' at a run's end", id="every second, from 0"),
        pytest.param(None, [1, 6], True, "write a metric of the same unit", id="too far"),
        pytest.param(1, [100, 200], True, "write a metric of the same unit", id="steps"),
        pytest.param(0, [1, 2, 3, 4, 5], True, "with `first: 0`, so that nothing is learnt", id="counts from 1"),
    ],
)
def test_a_way_that_may_mean_two_things_or_leads_too_far_is_not_learnt(
    first: int | None,
    values: list[float],
    is_whole: bool,
    words: str,
) -> None:
    found = passage(values, first, is_whole=is_whole)
    assert (found.places, found.furthest) == ({}, 0.0)
    assert words in found.note


def test_a_note_is_the_same_for_every_run_so_that_it_is_said_once() -> None:
    assert passage([1, 6]).note == passage([1, 60], end=50).note
    assert passage([0, 1, 2, 3, 4]).note == passage([0, 1], end=50, is_whole=False).note


def test_a_metric_that_goes_back_says_nothing_of_the_whole_run() -> None:
    """The last fold of a cross-validation is no run, and its cost is that of all folds."""
    found = passage([1, 2, 3, 4, 5], is_repeated=True, goes_back=True)
    assert found.places == {}
    assert "goes back within a run, as in a cross-validation" in found.note


def test_a_unit_that_may_not_be_done_is_no_place() -> None:
    """A program that logs the objective many times an epoch may be stopped amid one."""
    assert passage([1, 2, 3], is_repeated=True, is_whole=False).places == {2: 2}
    assert passage([1, 2, 3], is_repeated=False, is_whole=False).places == {2: 2, 3: 3}
    assert passage([1, 2, 3, 4, 5], is_repeated=True).places == {2: 2, 3: 3, 4: 4}


def test_a_run_that_ends_early_by_itself_is_learnt_from_and_doubted() -> None:
    found = passage([1, 2, 3])
    assert found.places == {2: 2, 3: 3}
    assert "its points are right if the program ends early by itself" in found.note


@pytest.mark.parametrize(
    ("values", "space", "end", "is_said"),
    [
        ([5], EPOCHS, 5, True),
        ([0.9, 1.9, 2.9, 5], EPOCHS, 5, True),
        ([3, 6, 9, 10], OrdinalSpace((5, 10, 20)), 10, True),
        ([1, 2], EPOCHS, 2, False),
        ([1, 2, 3, 4, 5], OrdinalSpace((5, 10, 20)), 5, False),
    ],
)
def test_it_is_said_where_a_run_that_could_have_places_has_none(
    values: list[float],
    space: Space,
    end: float,
    is_said: bool,
) -> None:
    found = passage(values, space=space, end=end)
    assert found.places == {}
    assert ("nothing is learnt from its way" in found.note) == is_said


def test_the_end_of_a_run_is_no_place_however_it_is_rounded() -> None:
    end = 1234567.8912345678
    assert passage([1000, end], space=LogSpace(1, 1e9), end=end).places == {1000: 1000}


def test_nothing_is_known_of_a_run_that_logged_nothing() -> None:
    assert passage([]) == Passage({})


@pytest.mark.parametrize(
    ("space", "places"), [(OrdinalSpace((5, 10, 20)), {5: 5, 10: 10}), (Pow2Space(2, 64), {2: 2, 4: 4, 8: 8, 16: 16})]
)
def test_only_values_of_the_space_are_places(space: Space, places: dict[float, float]) -> None:
    assert passage(range(1, 21), space=space, end=20).places == places
