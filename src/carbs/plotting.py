"""Static figures of a search, for papers and slides (needs matplotlib: the extra `plot`)."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from carbs.arrays import Array
from carbs.config import CARBSParams
from carbs.errors import CarbsError
from carbs.history import ObservationInParam
from carbs.insight import Calibration, Insight
from carbs.intervals import HALF_WIDTH
from carbs.pareto import frontier
from carbs.scaling import ObjectiveLaw, ParamLaw, ScalingLaws
from carbs.spaces.kinds import LogitSpace, LogSpace, Pow2Space
from carbs.spaces.search_space import Param, SearchSpace
from carbs.spaces.ticks import logit_ticks, tick_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: distinct for colour-blind readers and in print.
_RUN, _FRONTIER, _FAILED, _LAW = "#8c8c8c", "#0072b2", "#d55e00", "#009e73"
# Matplotlib's settings for these figures, and for those that are to look like them.
STYLE: dict[Any, Any] = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
    "font.size": 9,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}
# Objectives along the frontier that differ by this factor are shown by their logarithm.
_DECADE = 10.0
_LEVELS = np.linspace(0.05, 0.95, 19)
_PANEL = (3.3, 2.5)  # inches
# Letters of a name above a panel.
_MAX_NAME = 26
# Dots of so many runs and more get smaller.
_MANY = 300
# Numbers between these are short when they are written out.
_SHORT = (1e-3, 1e5)


_P = ParamSpec("_P")


def _styled(draw: Callable[_P, Figure]) -> Callable[_P, Figure]:
    """Draw in this module's style, and leave the caller's as it is."""

    @functools.wraps(draw)
    def styled(*args: _P.args, **kwargs: _P.kwargs) -> Figure:
        try:
            import matplotlib as mpl  # noqa: PLC0415 - an extra, and slow to import
        except ModuleNotFoundError as error:
            raise CarbsError("figures need matplotlib; install it with: pip install 'wandb-carbs[plot]'") from error
        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return styled


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra, and slow to import

    return Figure(figsize=(width, height), layout="constrained", dpi=150)


@_styled
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
    figure = _figure(6.5, 4.0)
    insight = Insight(space, observations, config)
    groups = insight.groups
    believed = insight.believe(groups.X[insight.members])
    cost = np.exp(groups.log_cost)
    axes = figure.add_subplot()
    outputs = np.array([run.output for run in insight.successes])
    costs = np.array([run.cost for run in insight.successes])
    axes.scatter(costs, outputs, 12 * math.sqrt(min(1.0, _MANY / len(costs))), _RUN, label="runs")
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
        color=_LAW,
        alpha=0.18,
        linewidth=0,
        step="post",
        label="90 % interval",
    )
    stairs: dict[str, Any] = {"drawstyle": "steps-post", "markersize": 3.5, "linewidth": 1.3}
    axes.plot(member_cost, believed.objective, "-", color=_LAW, label="frontier, as predicted", **stairs)
    best = frontier(insight.sign * outputs, costs)
    # Up to the largest cost: what is best at one cost is best above it, too.
    x, y = np.append(costs[best], np.max(costs)), np.append(outputs[best], outputs[best[-1]])
    marked = list(range(len(best)))
    axes.plot(x, y, "o-", color=_FRONTIER, label="frontier, as observed", markevery=marked, **stairs)
    failed = [run.input for run in insight.failures]
    if failed:
        expected = insight.believe(insight.space.encode(failed)).cost
        axes.plot(
            expected,
            np.full(len(failed), 0.01),
            "|",
            color=_FAILED,
            markersize=9,
            transform=axes.get_xaxis_transform(),
            label="failed",
        )
    axes.set_xscale("log")
    _show_the_good(axes, insight)
    _write_out(axes)
    axes.set(xlabel=cost_label, ylabel=objective_label)
    axes.legend(loc="best")
    return figure


@_styled
def plot_scaling(
    laws: ScalingLaws,
    space: SearchSpace | Sequence[Param],
    observations: Sequence[ObservationInParam],
    config: CARBSParams | None = None,
    *,
    cost: float | None = None,
    cost_label: str = "cost",
) -> Figure:
    """Draw the law of every hyperparameter and of the objective, with 90 % bands, in one panel each.

    Args:
        laws: The result of `carbs.scaling.scaling_laws`.
        space: The search space, or its parameters.
        observations: The runs; the configurations of the smoothed frontier are drawn strong, the others faint.
        config: The optimizer's options; only the direction of the objective is used.
        cost: Cost up to which to draw the predictions; None for ten times the largest that the laws rest on.
        cost_label: Label of the horizontal axes.

    Raises:
        CarbsError: If `cost` is too far from the costs seen, or matplotlib is not installed.
    """
    insight = Insight(space, observations, config)
    end = min(10 * laws.reach.high, laws.reach.limit) if cost is None else cost
    laws.reach.check(end)
    number = len(laws.params) + 1
    num_columns = min(number, 3 if number <= 6 else 4)
    num_rows = math.ceil(number / num_columns)
    figure = _figure(_PANEL[0] * num_columns, _PANEL[1] * num_rows)
    panels = figure.subplots(num_rows, num_columns, squeeze=False, sharex=True).ravel()
    costs = np.geomspace(laws.reach.low, max(end, laws.reach.high), 60)
    run_cost = np.array([run.cost for run in insight.successes])
    member_cost = np.exp(insight.groups.log_cost[insight.members])
    members = [insight.configuration(int(index)) for index in insight.members]
    _draw_objective(panels[0], laws.objective, costs)
    panels[0].scatter(run_cost, [run.output for run in insight.successes], 5, _RUN, alpha=0.5)
    panels[0].scatter(member_cost, insight.sign * insight.groups.y[insight.members], 9, _FRONTIER)
    _show_the_good(panels[0], insight)
    for axes, law in zip(panels[1:], laws.params, strict=False):
        axes.scatter(run_cost, [run.input[law.name] for run in insight.successes], 5, _RUN, alpha=0.5)
        axes.scatter(member_cost, [member[law.name] for member in members], 9, _FRONTIER)
        _draw_law(axes, law, costs)
    for axes in panels[:number]:
        axes.set_xscale("log")
        axes.axvline(laws.reach.high, color="black", linewidth=0.6, linestyle=":")
    for axes in panels[number:]:
        axes.set_visible(False)
    for axes in panels[max(number - num_columns, 0) : number]:
        axes.set_xlabel(cost_label)
        axes.tick_params(labelbottom=True)
    return figure


@_styled
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
    figure = _figure(6.5, 3.2)
    left, right = figure.subplots(1, 2)
    left.errorbar(
        calibration.predicted,
        calibration.seen,
        xerr=HALF_WIDTH * calibration.deviation,
        fmt="o",
        color=_FRONTIER,
        ecolor=_FRONTIER,
        elinewidth=0.7,
        markersize=3,
        alpha=0.7,
    )
    left.axline((float(np.median(calibration.seen)),) * 2, slope=1, color="black", linewidth=0.8)
    left.set(xlabel=f"predicted {label}, 90 %", ylabel=f"seen {label}")
    right.plot([0, 1], [0, 1], color="black", linewidth=0.8)
    right.plot(_LEVELS, calibration.coverage(_LEVELS), "o-", color=_FRONTIER, markersize=3)
    right.set(xlabel="level of the interval", ylabel="share that it held", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    right.set_title(f"{len(calibration.seen)} predictions")
    return figure


def _show_the_good(axes: Axes, insight: Insight) -> None:
    """Leave runs far worse than the smoothed frontier out of the picture: failed training would squeeze the rest.

    Objectives that differ by decades along the observed frontier are shown by their logarithms.
    """
    seen, costs = (np.array([getattr(run, key) for run in insight.successes]) for key in ("output", "cost"))
    members = seen[frontier(insight.sign * seen, costs)]
    if np.min(seen) > 0 and np.max(members) >= _DECADE * np.min(members):
        axes.set_yscale("log")
    scale, inverse = (np.log10, lambda value: 10**value) if axes.get_yscale() == "log" else (np.array, float)
    outputs = scale(seen)
    on_frontier = scale(insight.sign * insight.groups.y[insight.members])
    best, worst = (np.max, np.min) if insight.sign > 0 else (np.min, np.max)
    reach = 1.25 * (worst(on_frontier) - best(on_frontier))
    far = best(outputs) + (reach or 1.0)
    near = best(outputs) - 0.06 * (reach or 1.0)
    axes.set_ylim(*sorted(float(inverse(end)) for end in (far, near)))


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


def _brief(name: str) -> str:
    """Return a name that fits above a panel: of a long one the end, which says more than its beginning."""
    return name if len(name) <= _MAX_NAME else f"…{name[1 - _MAX_NAME :]}"


def _draw_law(axes: Axes, law: ParamLaw, costs: Array) -> None:
    predictions = [law.predict(float(cost)) for cost in costs]
    color = _LAW if law.is_scaling else _RUN
    axes.fill_between(costs, [p.low for p in predictions], [p.high for p in predictions], color=color, alpha=0.2, lw=0)
    axes.plot(costs, [p.value for p in predictions], color=color, linewidth=1.4)
    if isinstance(law.space, (LogSpace, Pow2Space)):
        axes.set_yscale("log")
    elif isinstance(law.space, LogitSpace):
        axes.set_yscale("logit")
        ticks = logit_ticks(*axes.get_ylim())
        axes.set_yticks(ticks, [tick_text(tick) for tick in ticks])
        axes.set_yticks([], minor=True)
    half = (law.interval[1] - law.interval[0]) / 2
    note = "" if law.is_scaling else "\n(no evidence of scaling)"
    axes.set_title(f"{_brief(law.name)}: {law.exponent:.3g} ± {half:.3g}{note}", fontsize=8.5)


def _draw_objective(axes: Axes, law: ObjectiveLaw, costs: Array) -> None:
    if law.reason:
        axes.set_title(f"objective: no law\n({law.reason})", fontsize=8.5)
        return
    predictions = [law.predict(cost) for cost in costs.tolist()]
    axes.fill_between(costs, [p.low for p in predictions], [p.high for p in predictions], color=_LAW, alpha=0.2, lw=0)
    axes.plot(costs, [p.value for p in predictions], color=_LAW, linewidth=1.4)
    sign = "-" if law.sign > 0 else "+"
    axes.set_title(f"objective: {-law.sign * law.limit:.3g} {sign} c cost^{-law.exponent:.3f}", fontsize=8.5)
