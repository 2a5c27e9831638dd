"""Predictions against outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from carbs.errors import CarbsError
from carbs.insight import Calibration
from carbs.intervals import HALF_WIDTH
from carbs.plotting.style import FRONTIER, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEVELS = np.linspace(0.05, 0.95, 19)


@styled
def plot_calibration(calibration: Calibration, *, label: str = "objective") -> Figure:
    """Draw predictions against outcomes, and how often intervals held them.

    Args:
        calibration: Predictions made before the runs.
        label: Name of the predicted quantity.

    Raises:
        CarbsError: If there is no prediction, or matplotlib is not installed.
    """
    if not len(calibration.seen):
        raise CarbsError("there is no prediction to compare with what was seen")
    figure = new_figure(6.5, 3.2)
    left, right = figure.subplots(1, 2)
    shown = calibration.without_outliers()
    left.errorbar(
        shown.predicted,
        shown.seen,
        xerr=HALF_WIDTH * shown.deviation,
        fmt="o",
        color=FRONTIER,
        ecolor=FRONTIER,
        elinewidth=0.7,
        markersize=3,
        alpha=0.7,
    )
    left.axline((float(np.median(calibration.seen)),) * 2, slope=1, color="black", linewidth=0.8)
    left.set(xlabel=f"predicted {label}, 90 %", ylabel=f"seen {label}")
    if left_out := len(calibration.seen) - len(shown.seen):
        left.set_title(f"{left_out} far out left out")
    right.plot([0, 1], [0, 1], color="black", linewidth=0.8)
    right.plot(_LEVELS, calibration.coverage(_LEVELS), "o-", color=FRONTIER, markersize=3)
    right.set(xlabel="level of the interval", ylabel="share that it held", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    right.set_title(f"{len(calibration.seen)} predictions")
    return figure
