"""Ticks of a logit axis: noughts and nines where there are enough of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbs.spaces.ticks import logit_ticks, tick_text


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.89, 0.99995, "0.9 0.99 0.999 0.9999"),
        (0.01, 0.99, "0.01 0.1 0.5 0.9 0.99"),
        (0.9, 0.99, "0.9 0.95 0.99"),
        (0.5, 0.9, "0.5 0.8 0.9"),
        (0.952, 0.968, "0.955 0.96 0.965"),
        (1e-6, 1 - 1e-6, "1e-06 0.0001 0.01 0.5 0.99 0.9999 0.999999"),
        (0.3, 0.3, "0.3"),
        (1.4156675004196586e-12, 1.4156675004196588e-12, "1.41566750041966e-12"),
    ],
)
def test_ticks_are_nines_noughts_or_round_numbers(low: float, high: float, ticks: str) -> None:
    assert [tick_text(tick) for tick in logit_ticks(low, high)] == ticks.split()


@given(st.floats(1e-12, 1 - 1e-12), st.floats(1e-12, 1 - 1e-12))
def test_every_axis_has_a_few_ticks_in_their_order(one: float, other: float) -> None:
    low, high = sorted((one, other))
    ticks = logit_ticks(low, high)
    assert ticks == sorted(set(ticks))
    assert len(ticks) <= 9
    assert all(low <= tick <= high or tick == pytest.approx(low) or tick == pytest.approx(high) for tick in ticks)
    if high - low > 1e-3:
        assert len(ticks) >= 2
