"""The outputs of the models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbs.models.outputs import Scaler, winsorise

numbers = st.lists(st.floats(-1e150, 1e150), min_size=1, max_size=30).map(np.array)


@given(numbers)
def test_what_is_standardised_comes_back(values: np.ndarray) -> None:
    scaler = Scaler.of(values)
    size = float(np.max(np.abs(values))) or 1.0
    assert scaler.backward(scaler.forward(values)) / size == pytest.approx(values / size)


def test_standardised_values_have_mean_zero_and_deviation_one() -> None:
    values = np.random.default_rng(0).normal(40.0, 1e100, 50)
    forward = Scaler.of(values).forward(values)
    assert (np.mean(forward), np.std(forward)) == pytest.approx((0.0, 1.0))


@pytest.mark.parametrize("value", [0.0, 0.1, -3e5, 1e-300])
def test_constant_values_are_only_shifted(value: float) -> None:
    scaler = Scaler.of(np.full(7, value))
    assert scaler.deviation == 1.0
    assert scaler.forward(np.array([value])) == pytest.approx(0.0)


def test_a_sum_of_squares_that_no_float_holds_is_standardised() -> None:
    scaler = Scaler.of(np.array([-1e160, 1e160]))
    assert scaler.standardise_squares(1e300) == pytest.approx(1e-20)


@pytest.mark.parametrize("bad", [-1e6, -1e30, -1e150])
def test_bad_outliers_are_pulled_up_to_the_reach_of_the_best(bad: float) -> None:
    """Training that diverges ends with any number."""
    y = np.array([bad, 1.0, 2.0, 3.0, 4.0, 5.0])
    pulled = winsorise(y, reach=5.0)
    assert pulled[0] == pytest.approx(2.5 - 5.0 * 2.5)
    assert list(pulled[1:]) == list(y[1:])


def test_a_lower_half_that_is_far_from_the_median_is_no_outlier() -> None:
    """Where a quarter of the runs is bad, the distance to the lower quartile counts, and nothing is pulled up."""
    y = np.array([-100.0, -100.0, -100.0, 0.0, 0.1, 0.2])
    assert list(winsorise(y, reach=5.0)) == list(y)


@pytest.mark.parametrize("best", [0.0, 1.0, 500.0, 500.0 * (1 + 1e-16)])
def test_where_most_runs_share_the_best_objective_the_bad_ones_stay_bad(best: float) -> None:
    y = np.array([*(best for _ in range(17)), best - 0.97, best - 0.86, best - 0.5])
    assert list(winsorise(y, reach=5.0)) == list(y)
