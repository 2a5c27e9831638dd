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
