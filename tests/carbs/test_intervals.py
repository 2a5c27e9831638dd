"""The interval that predictions are given with."""

from __future__ import annotations

import pytest
from scipy.special import ndtr

from carbs.intervals import HALF_WIDTH, LEVEL


def test_the_interval_holds_its_level_of_a_normal_distribution() -> None:
    assert ndtr(HALF_WIDTH) - ndtr(-HALF_WIDTH) == pytest.approx(LEVEL, abs=1e-5)
