"""The models of a search, as figures and reports see them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from carbs import LinearSpace, LogSpace, ObservationInParam, Param
from carbs.insight import Insight

SMALL = [Param("x", LinearSpace(0, 1)), Param("y", LogSpace(1, 100))]


@pytest.mark.parametrize("size", [1e200, 1.7e308])
def test_objectives_whose_squares_are_no_floats_are_taken_as_suggest_takes_them(size: float) -> None:
    runs = [ObservationInParam({"x": i / 9, "y": 1.0 + i}, size * math.sin(i), 1.0 + i) for i in range(9)]
    insight = Insight(SMALL, runs)
    believed = insight.believe(insight.groups.X)
    assert np.all(np.isfinite(believed.objective))
    assert np.max(np.abs(insight.groups.y)) == 1e150
    assert all(0 <= importance.objective <= 1 for importance in insight.importance())
