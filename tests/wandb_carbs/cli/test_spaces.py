"""Search spaces in words."""

from __future__ import annotations

import pytest

from carbs import CategoricalSpace, LinearSpace, LogSpace, Param, Pow2Space
from carbs.spaces import Space
from wandb_carbs.cli.spaces import describe


@pytest.mark.parametrize(
    ("space", "center", "words"),
    [
        (LogSpace(min=1e-5, max=0.1), 1e-3, ("log", "1e-05 to 0.1", "0.001")),
        (LogSpace(max=0.1), 1e-3, ("log", "above 0, to 0.1", "0.001")),
        (LogSpace(), 1.0, ("log", "above 0", "1")),
        (LinearSpace(), 0.0, ("linear", "any number", "0")),
        (LinearSpace(min=1, max=8, is_integer=True), None, ("linear", "1 to 8, integers", "")),
        (
            LinearSpace(min=8, max=64, is_integer=True, rounding_factor=8),
            None,
            ("linear", "8 to 64, multiples of 8", ""),
        ),
        (Pow2Space(min=2, max=64), 8, ("pow2", "2 to 64", "8")),
        (CategoricalSpace(("a", 1, None)), "a", ("categorical", '"a", 1, null', '"a"')),
    ],
)
def test_kind_values_and_start(space: Space, center: object, words: tuple[str, str, str]) -> None:
    assert describe(Param("x", space, center)) == words


def test_what_no_run_changes_has_no_space() -> None:
    length = Param("epochs", LogSpace(min=1, max=50, is_integer=True), fixed=50)
    assert describe(length) == ("length of every run", "50", "")


def test_many_choices_are_counted() -> None:
    _, words, _ = describe(Param("x", CategoricalSpace(tuple(range(100)))))
    assert words == "0, 1, 2, 3, 4, 5, … (100 in all) …, 94, 95, 96, 97, 98, 99"
