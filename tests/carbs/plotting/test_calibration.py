"""The figure of predictions against outcomes."""

from __future__ import annotations

import numpy as np
import pytest

from carbs import CarbsError
from carbs.insight import Calibration
from carbs.plotting import plot_calibration


def test_calibration_counts_predictions() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.standard_normal(50)
    calibration = Calibration(predicted, np.ones(50), predicted + rng.standard_normal(50))
    figure = plot_calibration(calibration)
    assert figure.axes[1].get_title(loc="left") == "50 predictions"
    figure.canvas.draw()
    with pytest.raises(CarbsError, match="no prediction"):
        plot_calibration(Calibration(*np.empty((3, 0))))


def test_calibration_says_what_it_leaves_out() -> None:
    figure = plot_calibration(Calibration(np.array([1.0, 2.0, 3.0]), np.ones(3), np.array([1.5, 2.0, 1e30])))
    assert figure.axes[0].get_title(loc="left") == "1 far out left out"
    assert figure.axes[0].get_ylim()[1] < 10
