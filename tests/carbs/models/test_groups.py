"""Observations grouped by configuration."""

from __future__ import annotations

import math

import numpy as np
import pytest

from carbs import LinearSpace, LogSpace, ObservationInParam, Param
from carbs.models.groups import group, group_successes
from carbs.spaces.search_space import as_space


def test_repeats_are_averaged_in_the_order_of_first_appearance() -> None:
    X = np.array([[2.0], [1.0], [2.0 + 1e-12], [-0.0], [0.0]])
    groups = group(X, np.array([1.0, 5.0, 3.0, 7.0, 7.0]), np.array([0.0, 1.0, 2.0, 3.0, 3.0]))
    assert groups.X.ravel().tolist() == [2.0, 1.0, 0.0]
    assert groups.y.tolist() == [2.0, 5.0, 7.0]
    assert groups.log_cost.tolist() == [1.0, 1.0, 3.0]
    assert groups.count.tolist() == [2, 1, 2]
    assert (groups.size, groups.num_repeats) == (3, 2)
    assert (groups.within_y, groups.within_log_cost) == (2.0, 2.0)


@pytest.mark.parametrize("sign", [1, -1])
def test_runs_are_grouped_with_the_better_objective_higher_and_none_beyond_floats(sign: int) -> None:
    space = as_space([Param("x", LinearSpace(0, 1)), Param("n", LogSpace(1, 10, is_integer=True))])
    runs = [
        ObservationInParam({"x": 0.25, "n": 3}, 2.0, math.e),
        ObservationInParam({"x": 0.25, "n": 3}, 4.0, math.e),
        ObservationInParam({"x": 0.5, "n": 3}, 1e300, 1.0),
        ObservationInParam({"x": 0.75, "n": 3}, -1e300, 1.0),
    ]
    groups = group_successes(space, runs, sign)
    assert groups.y.tolist() == [sign * 3.0, sign * 1e150, sign * -1e150]
    assert groups.log_cost.tolist() == pytest.approx([1.0, 0.0, 0.0])
    assert math.isfinite(groups.within_y)
