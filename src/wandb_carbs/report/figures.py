"""The report's figures, as the plain dictionaries that plotly draws.

A colour is named by its role, "@frontier"; the page replaces it by the one of the light or the dark theme. Texts from
users are escaped, because plotly reads markup in them.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from carbs.insight import Calibration, Dependence, Insight
from carbs.scaling import ObjectiveLaw, ParamLaw
from carbs.spaces import Array, CategoricalSpace, LogSpace, NumericSpace, Pow2Space, Space
from wandb_carbs.history import JudgedRun
from wandb_carbs.report.data import Progress, ReportData
from wandb_carbs.state import COST_KEY, OBJECTIVE_KEY, Standing

Figure: TypeAlias = dict[str, Any]

_LEVELS = np.linspace(0.05, 0.95, 19)
_HALF_WIDTH = 1.6449  # of a 90 % interval, in standard deviations
_NUM_COSTS = 40


def frontier(data: ReportData, insight: Insight) -> Figure:
    """Draw the runs, and the frontier as the model believes it."""
    groups, members = insight.groups, insight.members
    believed = insight.believe(groups.X[members])
    cost = np.exp(groups.log_cost)
    repeated = groups.count > 1
    observed = data.runs(Standing.OBSERVATION)
    traces = [
        *_band(cost[members], believed.objective_low, believed.objective_high, "90 % believed", "@frontier"),
        {
            **_marks([run.record.summary[COST_KEY] for run in observed], _objectives(observed), "@run", 6),
            "name": "runs",
            "text": [describe(run, data) for run in observed],
            "hovertemplate": "%{text}<extra></extra>",
        },
        {
            **_marks(cost[repeated], insight.sign * groups.y[repeated], "@text", 11),
            "name": "means of repeats",
            "hovertemplate": "%{y:.5g} at %{x:.4g}, %{text} runs<extra></extra>",
            "text": [int(count) for count in groups.count[repeated]],
        },
        {**_line(cost[members], believed.objective, "@frontier"), "name": "frontier", "mode": "lines+markers"},
    ]
    traces[2]["marker"]["symbol"] = "circle-open"
    figure = _figure(traces, "cost", "objective", log_x=True, height=460)
    figure["layout"]["yaxis"]["range"] = _interesting(insight)
    return figure


def progress(progress: Progress, *, by_time: bool) -> Figure:
    """Draw best objective and hypervolume over the spent cost, or over the wall time."""
    x = progress.hours if by_time else progress.spent
    traces = [
        {**_line(x, progress.best, "@frontier"), "name": "best objective"},
        {**_line(x, progress.hypervolume, "@law"), "name": "hypervolume", "yaxis": "y2"},
    ]
    for trace in traces:
        trace["line"]["shape"] = "hv"
    figure = _figure(traces, "hours since the first run" if by_time else "spent cost", "best objective")
    figure["layout"]["yaxis2"] = {**_axis("hypervolume"), "overlaying": "y", "side": "right", "showgrid": False}
    figure["layout"]["margin"]["r"] = 60
    return figure


def scaling(law: ParamLaw, insight: Insight) -> Figure:
    """Draw a hyperparameter's law with its band, up to ten times the costs that it rests on."""
    costs = np.geomspace(law.reach.low, min(10 * law.reach.high, law.reach.limit), _NUM_COSTS)
    predictions = [law.predict(float(cost)) for cost in costs]
    color = "@law" if law.is_scaling else "@run"
    values = [run.input[law.name] for run in insight.successes]
    members = [insight.configuration(int(index))[law.name] for index in insight.members]
    traces = [
        *_band(costs, [p.low for p in predictions], [p.high for p in predictions], "90 %", color),
        {**_marks([run.cost for run in insight.successes], values, "@run", 4), "name": "runs", "opacity": 0.6},
        {**_marks(np.exp(insight.groups.log_cost[insight.members]), members, "@frontier", 6), "name": "frontier"},
        {**_line(costs, [p.value for p in predictions], color), "name": "law"},
    ]
    figure = _figure(traces, "cost", law.name, log_x=True, log_y=_is_log(law.space), height=300)
    figure["layout"]["showlegend"] = False
    _mark_reach(figure, law.reach.high)
    return figure


def objective_scaling(law: ObjectiveLaw, insight: Insight) -> Figure:
    """Draw the objective's law with its band; no further than it may be extrapolated."""
    end = law.reach.high if law.reason else min(10 * law.reach.high, law.reach.limit)
    costs = np.geomspace(law.reach.low, end, _NUM_COSTS)
    predictions = [law.predict(float(cost)) for cost in costs]
    outputs = [run.output for run in insight.successes]
    traces = [
        *_band(costs, [p.low for p in predictions], [p.high for p in predictions], "90 %", "@law"),
        {**_marks([run.cost for run in insight.successes], outputs, "@run", 4), "name": "runs", "opacity": 0.6},
        {**_line(costs, [p.value for p in predictions], "@law"), "name": "law"},
    ]
    figure = _figure(traces, "cost", "objective", log_x=True, height=300)
    figure["layout"]["showlegend"] = False
    figure["layout"]["yaxis"]["range"] = _interesting(insight)
    _mark_reach(figure, law.reach.high)
    return figure


def importance(insight: Insight) -> Figure:
    """Draw the total effects of the hyperparameters on objective and cost."""
    found = sorted(insight.importance(), key=lambda item: item.objective)
    names = [html.escape(item.name) for item in found]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": label,
            "y": names,
            "x": [getattr(item, key) for item in found],
            "marker": {"color": color},
            "customdata": [item.length_scale for item in found],
            "hovertemplate": "%{y}: %{x:.1%}, length scale %{customdata:.2g}<extra></extra>",
        }
        for label, key, color in (("objective", "objective", "@frontier"), ("cost", "cost", "@law"))
    ]
    figure = _figure(traces, "share of the variance that is gone without it", "", height=120 + 34 * len(found))
    figure["layout"]["xaxis"]["tickformat"] = ".0%"
    figure["layout"]["yaxis"]["automargin"] = True
    return figure


def dependence(name: str, space: Space, by_cost: Sequence[tuple[float, Dependence]]) -> Figure:
    """Draw how the believed objective changes with a hyperparameter, at some costs."""
    traces = []
    for (cost, found), color in zip(by_cost, ("@low", "@middle", "@high"), strict=False):
        x = [_text(value) for value in found.values] if isinstance(space, CategoricalSpace) else found.values
        believed = found.believed
        traces += _band(x, believed.objective_low, believed.objective_high, "90 %", color)
        traces.append({**_line(x, believed.objective, color), "name": f"from cost {cost:.3g}"})
        held = found.held[name]
        position = found.values.index(held) if held in found.values else None
        if position is None:
            position = int(np.argmin([abs(float(value) - float(held)) for value in found.values]))
        traces.append({**_marks([x[position]], [believed.objective[position]], color, 9), "showlegend": False})
    figure = _figure(traces, name, "objective", log_x=_is_log(space), height=300)
    if isinstance(space, CategoricalSpace):
        figure["layout"]["xaxis"]["type"] = "category"
    return figure


def success(
    name: str, space: Space, by_cost: Sequence[tuple[float, Dependence]], failed: Sequence[JudgedRun]
) -> Figure:
    """Draw the believed probability of success over a hyperparameter, and where runs failed."""
    is_category = isinstance(space, CategoricalSpace)
    traces = []
    for (cost, found), color in zip(by_cost, ("@low", "@middle", "@high"), strict=False):
        x = [_text(value) for value in found.values] if is_category else found.values
        traces.append({**_line(x, found.believed.success, color), "name": f"from cost {cost:.3g}"})
    values = [run.suggestion[name] for run in failed if run.suggestion is not None]
    shown = [_text(value) for value in values] if is_category else values
    mark = {**_marks(shown, [0.0] * len(shown), "@failed", 10), "name": "failed runs"}
    mark["marker"]["symbol"] = "x-thin-open"
    figure = _figure([*traces, mark], name, "probability of success", log_x=_is_log(space), height=280)
    figure["layout"]["yaxis"]["range"] = [-0.04, 1.04]
    if is_category:
        figure["layout"]["xaxis"]["type"] = "category"
    return figure


def calibration(found: Calibration, label: str, *, is_log: bool = False) -> Figure:
    """Draw predictions against what was seen; logarithms are drawn as what they are the logarithms of."""
    predicted, seen, half = found.predicted, found.seen, _HALF_WIDTH * found.deviation
    low, high = predicted - half, predicted + half
    if is_log:
        predicted, seen, low, high = (np.exp(values) for values in (predicted, seen, low, high))
    mark = {**_marks(predicted, seen, "@frontier", 6), "name": "runs"}
    mark["error_x"] = {
        "type": "data",
        "symmetric": False,
        "array": _plain(high - predicted),
        "arrayminus": _plain(predicted - low),
        "color": "@frontier",
        "thickness": 1,
        "width": 0,
    }
    ends = [float(min(np.min(seen), np.min(predicted))), float(max(np.max(seen), np.max(predicted)))]
    figure = _figure(
        [{**_line(ends, ends, "@text"), "hoverinfo": "skip"}, mark],
        f"predicted {label}",
        f"seen {label}",
        log_x=is_log,
        log_y=is_log,
    )
    figure["layout"]["showlegend"] = False
    return figure


def coverage(calibrations: Sequence[tuple[str, str, Calibration]]) -> Figure:
    """Draw how often intervals held what was seen; (label, colour, calibration) each."""
    traces: list[Figure] = [{**_line([0, 1], [0, 1], "@text"), "showlegend": False, "hoverinfo": "skip"}]
    traces += [
        {**_line(_LEVELS, found.coverage(_LEVELS), color), "name": label, "mode": "lines+markers"}
        for label, color, found in calibrations
    ]
    return _figure(traces, "level of the interval", "share that it held")


def describe(run: JudgedRun, data: ReportData) -> str:
    """Describe a run for a hover label."""
    summary = run.record.summary
    values = run.suggestion or {}
    lines = [
        f"<b>{html.escape(run.record.name)}</b>",
        f"objective {summary[OBJECTIVE_KEY]:.5g}, cost {summary[COST_KEY]:.4g}",
        *(f"{html.escape(name)}: {_text(values[name])}" for name in data.carbs.space.names if name in values),
    ]
    return "<br>".join(lines)


def _text(value: Any) -> str:
    return html.escape(f"{value:.4g}" if isinstance(value, float) else str(value))


def _objectives(runs: Sequence[JudgedRun]) -> list[float]:
    return [run.record.summary[OBJECTIVE_KEY] for run in runs]


def _is_log(space: Space | NumericSpace) -> bool:
    return isinstance(space, (LogSpace, Pow2Space))


def _interesting(insight: Insight) -> list[float]:
    """Return the range of objectives around the frontier: what is far worse would squeeze it."""
    members = insight.sign * insight.groups.y[insight.members]
    best = float(members[-1])
    reach = 1.25 * (float(members[0]) - best) or -insight.sign * max(abs(best), 1.0)
    return sorted([best + reach, best - 0.08 * reach])


def _mark_reach(figure: Figure, cost: float) -> None:
    line = {"color": "@text", "width": 1, "dash": "dot"}
    figure["layout"]["shapes"] = [
        {"type": "line", "x0": cost, "x1": cost, "yref": "paper", "y0": 0, "y1": 1, "line": line}
    ]


def _band(x: Any, low: Any, high: Any, name: str, color: str) -> list[Figure]:
    """Return two traces that fill what is between them."""
    shared = {"type": "scatter", "mode": "lines", "x": _plain(x), "line": {"width": 0}, "hoverinfo": "skip"}
    return [
        {**shared, "y": _plain(low), "showlegend": False},
        {
            **shared,
            "y": _plain(high),
            "name": name,
            "fill": "tonexty",
            "fillcolor": f"{color}-band",
            "showlegend": False,
        },
    ]


def _line(x: Any, y: Any, color: str) -> Figure:
    return {"type": "scatter", "mode": "lines", "x": _plain(x), "y": _plain(y), "line": {"color": color, "width": 2}}


def _marks(x: Any, y: Any, color: str, size: float) -> Figure:
    marker = {"color": color, "size": size}
    return {"type": "scatter", "mode": "markers", "x": _plain(x), "y": _plain(y), "marker": marker}


def _axis(title: str, *, log: bool = False) -> Figure:
    axis: Figure = {"title": {"text": html.escape(title)}, "gridcolor": "@grid", "zeroline": False, "automargin": True}
    if log:
        axis |= {"type": "log", "exponentformat": "power"}
    return axis


def _figure(
    traces: Sequence[Figure], x: str, y: str, *, log_x: bool = False, log_y: bool = False, height: int = 340
) -> Figure:
    layout = {
        "height": height,
        "xaxis": _axis(x, log=log_x),
        "yaxis": _axis(y, log=log_y),
        "margin": {"l": 60, "r": 16, "t": 30, "b": 50},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "@text", "family": "system-ui, sans-serif", "size": 12},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "hoverlabel": {"align": "left"},
    }
    return {"data": list(traces), "layout": layout}


def _plain(values: Array | Sequence[Any] | Any) -> list[Any]:
    """Return what JSON can hold; what is not finite becomes a gap."""
    listed = values.tolist() if isinstance(values, np.ndarray) else list(values)
    return [
        None if isinstance(value, float) and not math.isfinite(value) else getattr(value, "item", lambda v=value: v)()
        for value in listed
    ]
