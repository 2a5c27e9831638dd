"""Scaling laws, a panel for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from carbs.arrays import Array
from carbs.config import CARBSParams
from carbs.history import ObservationInParam
from carbs.insight import Insight
from carbs.plotting.style import FRONTIER, LAW, RUN, new_figure, show_the_good, styled
from carbs.scaling import ObjectiveLaw, ParamLaw, ScalingLaws
from carbs.spaces.kinds import LogitSpace, LogSpace, Pow2Space
from carbs.spaces.search_space import Param, SearchSpace
from carbs.spaces.ticks import logit_ticks, tick_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL = (3.3, 2.5)  # inches
# Letters of a name above a panel.
_MAX_NAME = 26


@styled
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
    figure = new_figure(_PANEL[0] * num_columns, _PANEL[1] * num_rows)
    panels = figure.subplots(num_rows, num_columns, squeeze=False, sharex=True).ravel()
    costs = np.geomspace(laws.reach.low, max(end, laws.reach.high), 60)
    run_cost = np.array([run.cost for run in insight.successes])
    member_cost = np.exp(insight.groups.log_cost[insight.members])
    members = [insight.configuration(int(index)) for index in insight.members]
    _draw_objective(panels[0], laws.objective, costs)
    panels[0].scatter(run_cost, [run.output for run in insight.successes], 5, RUN, alpha=0.5)
    panels[0].scatter(member_cost, insight.sign * insight.groups.y[insight.members], 9, FRONTIER)
    show_the_good(panels[0], insight)
    for axes, law in zip(panels[1:], laws.params, strict=False):
        axes.scatter(run_cost, [run.input[law.name] for run in insight.successes], 5, RUN, alpha=0.5)
        axes.scatter(member_cost, [member[law.name] for member in members], 9, FRONTIER)
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


def _brief(name: str) -> str:
    """Return a name that fits above a panel: of a long one the end, which says more than its beginning."""
    return name if len(name) <= _MAX_NAME else f"…{name[1 - _MAX_NAME :]}"


def _draw_law(axes: Axes, law: ParamLaw, costs: Array) -> None:
    predictions = [law.predict(float(cost)) for cost in costs]
    color = LAW if law.is_scaling else RUN
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
    axes.fill_between(costs, [p.low for p in predictions], [p.high for p in predictions], color=LAW, alpha=0.2, lw=0)
    axes.plot(costs, [p.value for p in predictions], color=LAW, linewidth=1.4)
    sign = "-" if law.sign > 0 else "+"
    axes.set_title(f"objective: {-law.sign * law.limit:.3g} {sign} c cost^{-law.exponent:.3f}", fontsize=8.5)
