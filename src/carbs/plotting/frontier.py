"""Runs by cost and objective, and the frontier among them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from carbs.config import CARBSParams
from carbs.history import ObservationInParam
from carbs.insight import Insight
from carbs.pareto import frontier
from carbs.plotting.style import FAILED, FRONTIER, LAW, RUN, new_figure, show_the_good, styled
from carbs.spaces.search_space import Param, SearchSpace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Dots of so many runs and more get smaller.
_MANY = 300
# Numbers between these are short when they are written out.
_SHORT = (1e-3, 1e5)


@styled
def plot_frontier(
    space: SearchSpace | Sequence[Param],
    observations: Sequence[ObservationInParam],
    config: CARBSParams | None = None,
    *,
    objective_label: str = "objective",
    cost_label: str = "cost",
) -> Figure:
    """Draw all runs, their frontier, and the frontier by predicted objective and observed cost with its 90 % band.

    Args:
        space: The search space, or its parameters.
        observations: The runs; failures are ticks at the lower edge, at their predicted cost.
        config: The optimizer's options; only the direction of the objective is used.
        objective_label: Label of the vertical axis.
        cost_label: Label of the horizontal axis.

    Raises:
        CarbsError: If an observation is invalid, fewer than three different configurations succeeded, or matplotlib is
            not installed.
    """
    figure = new_figure(6.5, 4.0)
    insight = Insight(space, observations, config)
    groups = insight.groups
    believed = insight.believe(groups.X[insight.members])
    cost = np.exp(groups.log_cost)
    axes = figure.add_subplot()
    outputs = np.array([run.output for run in insight.successes])
    costs = np.array([run.cost for run in insight.successes])
    axes.scatter(costs, outputs, 12 * math.sqrt(min(1.0, _MANY / len(costs))), RUN, label="runs")
    repeated = groups.count > 1
    if np.any(repeated):
        means = insight.sign * groups.y[repeated]
        ring: dict[str, Any] = {"facecolors": "none", "edgecolors": "black", "linewidths": 0.8}
        axes.scatter(cost[repeated], means, 46, label="means of repeats", **ring)
    member_cost = cost[insight.members]
    axes.fill_between(
        member_cost,
        believed.objective_low,
        believed.objective_high,
        color=LAW,
        alpha=0.18,
        linewidth=0,
        step="post",
        label="90 % interval",
    )
    stairs: dict[str, Any] = {"drawstyle": "steps-post", "markersize": 3.5, "linewidth": 1.3}
    axes.plot(member_cost, believed.objective, "-", color=LAW, label="frontier, as predicted", **stairs)
    best = frontier(insight.sign * outputs, costs)
    # Up to the largest cost: what is best at one cost is best above it, too.
    x, y = np.append(costs[best], np.max(costs)), np.append(outputs[best], outputs[best[-1]])
    marked = list(range(len(best)))
    axes.plot(x, y, "o-", color=FRONTIER, label="frontier, as observed", markevery=marked, **stairs)
    failed = [run.input for run in insight.failures]
    if failed:
        expected = insight.believe(insight.space.encode(failed)).cost
        axes.plot(
            expected,
            np.full(len(failed), 0.01),
            "|",
            color=FAILED,
            markersize=9,
            transform=axes.get_xaxis_transform(),
            label="failed",
        )
    axes.set_xscale("log")
    show_the_good(axes, insight)
    _write_out(axes)
    axes.set(xlabel=cost_label, ylabel=objective_label)
    axes.legend(loc="best")
    return figure


def _write_out(axes: Axes) -> None:
    """Write numbers on logarithmic axes as they are, 60 rather than 6 x 10^1, where they are short."""
    from matplotlib.ticker import LogFormatterSciNotation  # noqa: PLC0415 - as above

    class WrittenOut(LogFormatterSciNotation):
        def __call__(self, x: float, pos: int | None = None) -> str:
            return f"{x:g}" if super().__call__(x, pos) else ""

    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        if axis.get_scale() == "log" and low >= _SHORT[0] and high <= _SHORT[1]:
            axis.set_major_formatter(WrittenOut())
            axis.set_minor_formatter(WrittenOut(labelOnlyBase=False, minor_thresholds=(1.5, 0.6)))
