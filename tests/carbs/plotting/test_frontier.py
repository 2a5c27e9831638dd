"""The figure of the frontier: what it shows."""

from __future__ import annotations

import numpy as np
import pytest

from carbs import CarbsError, CARBSParams, ObservationInParam
from carbs.plotting import plot_frontier
from sized_runs import PARAMS, observe


@pytest.mark.parametrize("sign", [1, -1])
def test_frontier_shows_what_is_good(sign: int) -> None:
    """Runs, repeats, band, frontier and failures are named; a run that diverged does not squeeze the others."""
    figure = plot_frontier(PARAMS, observe(sign), CARBSParams(better_direction_sign=sign), cost_label="seconds")
    axes = figure.axes[0]
    legend = axes.get_legend()
    assert legend is not None
    names = [text.get_text() for text in legend.get_texts()]
    assert names == [
        "runs",
        "means of repeats",
        "90 % interval",
        "frontier, as predicted",
        "frontier, as observed",
        "failed",
    ]
    assert axes.get_xlabel() == "seconds"
    assert max(map(abs, axes.get_ylim())) < 10
    figure.canvas.draw()


def test_frontier_goes_on_to_the_largest_cost_and_numbers_are_written_out() -> None:
    """Objectives that fall by decades are logarithmic."""
    runs = [ObservationInParam({"size": 10.0**i, "rate": 0.01, "kind": "a"}, 10.0**-i, 10.0**i) for i in range(4)]
    runs.append(ObservationInParam({"size": 5e4, "rate": 0.5, "kind": "a"}, 0.5, 5e4))
    figure = plot_frontier(PARAMS, runs, CARBSParams(better_direction_sign=-1))
    (axes,) = figure.axes
    (observed,) = (line for line in axes.lines if line.get_label() == "frontier, as observed")
    assert list(np.asarray(observed.get_xdata(), float)) == [1.0, 10.0, 100.0, 1000.0, 5e4]
    assert np.asarray(observed.get_ydata(), float)[-1] == pytest.approx(1e-3)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    figure.canvas.draw()
    assert {"1", "10", "100", "1000"} <= {text.get_text() for text in axes.get_xticklabels()}


def test_too_few_runs_are_said() -> None:
    with pytest.raises(CarbsError, match="2 different configurations succeeded"):
        plot_frontier(PARAMS, observe()[:2])


@pytest.mark.parametrize("sign", [1, -1])
def test_a_cheap_run_that_diverged_does_not_squeeze_the_frontier(sign: int) -> None:
    """It is on the frontier, being the cheapest, and off the picture."""
    bad = ObservationInParam({"size": 1.0, "rate": 1.0, "kind": "a"}, -sign * 1e9, 0.1)
    figure = plot_frontier(PARAMS, [*observe(sign), bad], CARBSParams(better_direction_sign=sign))
    assert max(map(abs, figure.axes[0].get_ylim())) < 10
