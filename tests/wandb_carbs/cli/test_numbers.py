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


@pytest.mark.parametrize(("kind", "name"), [(FiniteRange(0), "number"), (WholeRange(0), "whole number")])
def test_a_text_is_said_to_be_no_number(kind: FiniteRange | WholeRange, name: str) -> None:
    with pytest.raises(click.BadParameter, match=f"'x' is not a valid {name}"):
        kind.convert("x", None, None)
