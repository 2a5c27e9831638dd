"""Numbers that commands take."""

from __future__ import annotations

import click
import pytest

from wandb_carbs.cli.numbers import FiniteRange, WholeRange


def test_finite_numbers_of_the_range_are_taken() -> None:
    assert FiniteRange(0, min_open=True).convert("1e-3", None, None) == 0.001


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "0", "-1", "x", "1e999"])
def test_others_are_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        FiniteRange(0, min_open=True).convert(text, None, None)


def test_a_text_is_said_to_be_no_number() -> None:
    with pytest.raises(click.BadParameter, match="'x' is not a valid number"):
        FiniteRange(0).convert("x", None, None)
    made = click.Option(["--count"], type=WholeRange(0))
    with pytest.raises(click.BadParameter, match="'x' is not a valid whole number"):
        made.type_cast_value(click.Context(click.Command("run")), "x")
