"""Numbers that commands take."""

from __future__ import annotations

import click
import pytest

from wandb_carbs.cli.numbers import FiniteRange


def test_finite_numbers_of_the_range_are_taken() -> None:
    assert FiniteRange(0, min_open=True).convert("1e-3", None, None) == 0.001


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "0", "-1", "x", "1e999"])
def test_others_are_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        FiniteRange(0, min_open=True).convert(text, None, None)
