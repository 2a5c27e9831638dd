"""Intervals, reach and units of the laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri

from carbs import CarbsError, LinearSpace, LogitSpace, LogSpace, Pow2Space
from carbs.intervals import HALF_WIDTH
from carbs.scaling.laws import Reach, decode, interval, unit

NORMAL = ndtri((np.arange(2000) + 0.5) / 2000)


def test_an_interval_of_normal_draws_is_that_of_90_percent() -> None:
    ends = interval(3.0, 7.0 + 2 * NORMAL, 1.0)
    assert ends == pytest.approx((3 - 2 * HALF_WIDTH, 3 + 2 * HALF_WIDTH), abs=0.03)
    assert pytest.approx(1.645, abs=1e-3) == HALF_WIDTH


def test_wild_draws_do_not_widen_it() -> None:
    wild = NORMAL.copy()
    wild[:100] = -1e9
    assert interval(0.0, wild, 1.0)[1] < 1.2 * interval(0.0, NORMAL, 1.0)[1]


def test_few_draws_widen_it_as_students_distribution_says() -> None:
    few, many = (interval(0.0, np.repeat([-1.0, 1.0], number), 1.0)[1] for number in (5, 500))
    assert few == pytest.approx(1.833, abs=1e-3)  # nine degrees of freedom
    assert many == pytest.approx(1.646, abs=1e-3)


def test_the_reach_is_as_many_decades_beyond_as_were_seen() -> None:
    reach = Reach(10.0, 1000.0)
    assert reach.limit == pytest.approx(1e5)
    for cost in (0.11, 10.0, 1e5):
        reach.check(cost)
    for cost in (0.09, 1.1e5):
        with pytest.raises(CarbsError, match="too far from the costs 10 to 1000"):
            reach.check(cost)


@pytest.mark.parametrize(
    ("space", "transformed", "value"),
    [
        (LogSpace(min=1e-4, max=1.0), -2.0, 0.01),
        (LogSpace(min=1e-4, max=1.0, base=2), -2.0, 0.01),
        (LogSpace(min=1e-4, max=1.0), 5.0, 1.0),
        (LogSpace(min=1, max=100, is_integer=True), math.log10(6.6), 7),
        (Pow2Space(min=1, max=64), math.log10(20), 16),
        (LinearSpace(min=0, max=10), 4.5, 4.5),
        (LogitSpace(min=0.01, max=0.99), 0.0, 0.5),
    ],
)
def test_a_transformed_value_is_a_value_of_the_space(space: Any, transformed: float, value: float) -> None:
    found = decode(space, transformed)
    assert found == pytest.approx(value)
    assert type(found) is type(value)


def test_units_are_decades_where_the_law_is_a_power() -> None:
    assert unit(LogSpace(min=1, max=8, base=2)) == pytest.approx(math.log10(2))
    assert unit(Pow2Space(min=1, max=8)) == pytest.approx(math.log10(2))
    assert unit(LogSpace(min=1, max=8)) == unit(LinearSpace(min=0, max=1)) == 1.0
