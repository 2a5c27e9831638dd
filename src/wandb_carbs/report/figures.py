"""The report's figures, as the plain dictionaries that plotly draws."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from carbs.arrays import Array
from carbs.insight import Calibration, Dependence, Insight
from carbs.intervals import HALF_WIDTH
from carbs.scaling import ObjectiveLaw, ParamLaw, Prediction
from carbs.spaces.categorical import ChoiceSpace
from carbs.spaces.kinds import LogSpace, Pow2Space
from carbs.spaces.numeric import NumericSpace
from carbs.spaces.space import Space
from wandb_carbs.figures import drawing
from wandb_carbs.figures import frontier as picture
from wandb_carbs.plain import number
from wandb_carbs.record import COST_KEY, OBJECTIVE_KEY, Standing
from wandb_carbs.report.data import ReportData
from wandb_carbs.report.logit import on_logit_axis
from wandb_carbs.sweep.judged import JudgedRun

_LEVELS = np.linspace(0.05, 0.95, 19)
_NUM_COSTS = 40
# Colour and dash of lines at a low, a middle and a high cost: lines that lie on one another stay visible.
_BY_COST = (("@low", "solid"), ("@middle", "dash"), ("@high", "dot"))
# Units of time, by their hours.
_UNITS = (("days", 24.0), ("hours", 1.0), ("minutes", 1 / 60), ("seconds", 1 / 3600))
# Of a logarithmic axis, above what is drawn.
_ROOM_ABOVE = 0.06
_MAX_NAME = 16  # letters of a choice's name on an axis


def frontier(data: ReportData, insight: Insight | None = None) -> drawing.Figure:
    """Draw the runs, their frontier, and where there is a model the frontier as it believes it, each as stairs."""
    points = [point_of(run, data) for run in data.runs(Standing.OBSERVATION)]
    titles = data.objective_title, data.cost_title
    if insight is None:
        return picture.figure(points, *titles, maximize=data.sign > 0)
    groups, members = insight.groups, insight.members
    believed = insight.believe(groups.X[members])
    cost = np.exp(groups.log_cost)
    under = drawing.band(cost[members], believed.objective_low, believed.objective_high, "90 % interval", "@law")
    for trace in under:
        trace["line"]["shape"] = "hv"
    stairs = drawing.line(cost[members], believed.objective, "@law", shape="hv")
    smoothed = {**stairs, "name": "frontier, as predicted"}
    over: list[drawing.Figure] = [{**smoothed, "hovertemplate": "%{y:.5g} predicted at %{x:.4g}<extra></extra>"}]
    repeated = groups.count > 1
    if np.any(repeated):
        mark = {
            **drawing.marks(cost[repeated], insight.sign * groups.y[repeated], "@text", 11, symbol="circle-open"),
            "name": "means of repeats",
            "text": [int(count) for count in groups.count[repeated]],
            "hovertemplate": "%{y:.5g} at %{x:.4g}, %{text} runs<extra></extra>",
        }
        over.append(mark)
    return picture.figure(points, *titles, maximize=data.sign > 0, under=under, over=over)


def progress(data: ReportData, *, by_time: bool) -> drawing.Figure:
    """Draw best objective and hypervolume over the spent cost, or over the wall time."""
    progress = data.progress
    x, title = _since_the_first(progress.hours) if by_time else (progress.spent, f"spent {data.cost_title}")
    best = f"best {data.objective_title}"
    traces = [
        {**drawing.line(x, progress.best, "@frontier", shape="hv"), "name": best},
        {**drawing.line(x, progress.hypervolume, "@law", shape="hv"), "name": "hypervolume", "yaxis": "y2"},
    ]
    shown = picture.shown_progress(progress.best.tolist(), is_log=data.is_log)
    figure = drawing.figure(traces, title, drawing.brief(best))
    figure["layout"]["yaxis"] = drawing.axis(drawing.brief(best), traces[0]["y"], log=data.is_log, shown=shown)
    figure["layout"]["yaxis2"] = {
        **drawing.axis("hypervolume"),
        "overlaying": "y",
        "side": "right",
        "showgrid": False,
        "tickmode": "auto",
    }
    figure["layout"]["margin"]["r"] = 60
    return figure


def _since_the_first(hours: Array) -> tuple[Array, str]:
    """Return times in a unit that has few digits, and the title of their axis."""
    longest = float(np.max(hours[np.isfinite(hours)], initial=0.0))
    unit, size = next((each for each in _UNITS if longest >= 2 * each[1]), _UNITS[-1])
    return hours / size, f"{unit} since the first run"


def scaling(law: ParamLaw, insight: Insight) -> drawing.Figure:
    """Draw a hyperparameter's law with its band, up to ten times the costs that it rests on."""
    costs = np.geomspace(law.reach.low, min(10 * law.reach.high, law.reach.limit), _NUM_COSTS)
    predictions = [law.predict(float(cost)) for cost in costs]
    color = "@law" if law.is_scaling else "@run"
    values = [run.input[law.name] for run in insight.successes]
    members = [insight.configuration(int(index))[law.name] for index in insight.members]
    member_costs = np.exp(insight.groups.log_cost[insight.members])
    *band, line = law_traces(costs, predictions, color)
    smoothed = {**drawing.marks(member_costs, members, "@frontier", 6), "name": "smoothed frontier"}
    traces = [*band, runs([run.cost for run in insight.successes], values), smoothed, line]
    figure = law_figure(traces, "cost", law.name, law.reach.high, log_y=is_log(law.space))
    return on_logit_axis(figure, "y", law.space)


def objective_scaling(law: ObjectiveLaw, data: ReportData, insight: Insight) -> drawing.Figure:
    """Draw the objective's law with its band, or only the runs if there is no law."""
    outputs = [run.output for run in insight.successes]
    traces = [runs([run.cost for run in insight.successes], outputs)]
    if not law.reason:
        costs = np.geomspace(law.reach.low, min(10 * law.reach.high, law.reach.limit), _NUM_COSTS)
        predictions = [law.predict(float(cost)) for cost in costs]
        traces += law_traces(costs, predictions)
    best = (insight.sign * insight.groups.y[insight.members]).tolist()
    return objective_figure(traces, data, "cost", law.reach.high, best)


def objective_figure(
    traces: Sequence[drawing.Figure], data: ReportData, x: str, largest: float, best: Sequence[float]
) -> drawing.Figure:
    """Return a law's figure of the objective, around its `best` values: runs that are far worse would squeeze it."""
    scale, inverse = (math.log10, lambda value: 10**value) if data.is_log and min(best) > 0 else (float, float)
    shown, _ = picture.window([], list(map(scale, best)), maximize=data.sign > 0)
    is_log = scale is math.log10
    if is_log:
        traces = [drawing.raised(trace, inverse(shown[0])) for trace in traces]
    return law_figure(traces, x, data.objective_title, largest, log_y=is_log, shown_y=shown)


def runs(x: Sequence[Any], y: Sequence[Any]) -> drawing.Figure:
    """Return the runs behind a law, as small dots."""
    return {**drawing.marks(x, y, "@run", 4), "name": "runs", "opacity": 0.6}


def law_traces(x: Any, predictions: Sequence[Prediction], color: str = "@law") -> list[drawing.Figure]:
    """Return the 90 % band of a law, and above it the law."""
    band = drawing.band(x, [p.low for p in predictions], [p.high for p in predictions], "90 %", color)
    return [*band, {**drawing.line(x, [p.value for p in predictions], color), "name": "law"}]


def law_figure(
    traces: Sequence[drawing.Figure],
    x: str,
    y: str,
    largest: float,
    *,
    log_y: bool = False,
    shown_y: Sequence[float] | None = None,
) -> drawing.Figure:
    """Return a figure over cost or a size, with a dotted line at the largest one that a law rests on."""
    figure = drawing.figure(traces, x, drawing.brief(y), log_x=True, log_y=log_y, shown_y=shown_y, height=300)
    figure["layout"]["showlegend"] = False
    figure["layout"]["shapes"] = [drawing.dotted(largest)]
    return figure


def dependence(
    name: str, space: Space, by_cost: Sequence[tuple[float, Dependence]], data: ReportData
) -> drawing.Figure:
    """Draw how the predicted objective changes with a hyperparameter, at some costs."""
    bands, lines, dots = [], [], []
    for (cost, found), (color, dash) in zip(by_cost, _BY_COST, strict=False):
        x = [drawing.text(value) for value in found.values] if isinstance(space, ChoiceSpace) else found.values
        believed = found.believed
        bands += drawing.band(x, believed.objective_low, believed.objective_high, "90 %", color)
        lines.append({**drawing.line(x, believed.objective, color, dash=dash), "name": f"from cost {number(cost)}"})
        held = found.held[name]
        position = found.values.index(held) if held in found.values else None
        if position is None:
            position = int(np.argmin([abs(float(value) - float(held)) for value in found.values]))
        dots.append({**drawing.marks([x[position]], [believed.objective[position]], color, 9), "showlegend": False})
    traces, shown = [*bands, *lines, *dots], None
    if data.is_log:
        low = min(run.output for run in data.carbs.success_observations) / 2
        traces = [drawing.raised(trace, low) for trace in traces]
        # From where bands that reach below zero are drawn: they go on to the lower edge.
        high = max(value for trace in traces for value in trace["y"] if value is not None)
        shown = [math.log10(low), math.log10(high) + _ROOM_ABOVE * math.log10(high / low)]
    titles = name, drawing.brief(data.objective_title)
    figure = drawing.figure(traces, *titles, log_x=is_log(space), log_y=data.is_log, shown_y=shown, height=300)
    _name_choices(figure, space)
    return on_logit_axis(figure, "x", space)


def success(
    name: str, space: Space, by_cost: Sequence[tuple[float, Dependence]], failed: Sequence[JudgedRun]
) -> drawing.Figure:
    """Draw the believed probability of success over a hyperparameter, and where runs failed."""
    is_category = isinstance(space, ChoiceSpace)
    traces = []
    for (cost, found), (color, dash) in zip(by_cost, _BY_COST, strict=False):
        x = [drawing.text(value) for value in found.values] if is_category else found.values
        line = drawing.line(x, found.believed.success, color, dash=dash)
        traces.append({**line, "name": f"from cost {number(cost)}"})
    values = [run.suggestion[name] for run in failed if run.suggestion is not None]
    shown = [drawing.text(value) for value in values] if is_category else values
    mark = {**drawing.marks(shown, [0.0] * len(shown), "@failed", 10, symbol="x-thin-open"), "name": "failed runs"}
    title, ends = "probability of success", (-0.04, 1.04)
    figure = drawing.figure([*traces, mark], name, title, log_x=is_log(space), shown_y=ends, height=280)
    _name_choices(figure, space)
    return on_logit_axis(figure, "x", space)


def calibration(found: Calibration, label: str, *, is_log: bool = False) -> drawing.Figure:
    """Draw predictions against what was seen; logarithms are drawn as what they are the logarithms of.

    Args:
        found: The predictions, at least one, without outliers.
        label: Name of the predicted quantity.
        is_log: Whether it is predicted by its logarithm.
    """
    predicted, seen, half = found.predicted, found.seen, HALF_WIDTH * found.deviation
    low, high = predicted - half, predicted + half
    if is_log:
        predicted, seen, low, high = (np.exp(values) for values in (predicted, seen, low, high))
    mark = {**drawing.marks(predicted, seen, "@frontier", 6), "name": "runs"}
    mark["error_x"] = {
        "type": "data",
        "symmetric": False,
        "array": drawing.plain(high - predicted),
        "arrayminus": drawing.plain(predicted - low),
        "color": "@frontier",
        "thickness": 1,
        "width": 0,
    }
    ends = [float(min(np.min(seen), np.min(predicted))), float(max(np.max(seen), np.max(predicted)))]
    figure = drawing.figure(
        [{**drawing.line(ends, ends, "@text"), "hoverinfo": "skip"}, mark],
        f"predicted {label}",
        f"seen {label}",
        log_x=is_log,
        log_y=is_log,
    )
    figure["layout"]["showlegend"] = False
    return figure


def coverage(calibrations: Sequence[tuple[str, str, Calibration]]) -> drawing.Figure:
    """Draw how often intervals held what was seen; (label, colour, calibration) each."""
    traces: list[drawing.Figure] = [{**drawing.line([0, 1], [0, 1], "@text"), "showlegend": False, "hoverinfo": "skip"}]
    traces += [
        {**drawing.line(_LEVELS, found.coverage(_LEVELS), color), "name": label, "mode": "lines+markers"}
        for label, color, found in calibrations
    ]
    return drawing.figure(traces, "level of the interval", "share that it held")


def point_of(run: JudgedRun, data: ReportData) -> picture.Point:
    """Return an observation as a point of the picture, with its configuration."""
    summary, values = run.record.summary, run.suggestion or {}
    config = {name: values[name] for name in data.carbs.space.names if name in values}
    return picture.Point(run.record.name, summary[COST_KEY], summary[OBJECTIVE_KEY], config)


def _name_choices(figure: drawing.Figure, space: Space) -> None:
    """Make the horizontal axis one of choices, whose names may be long."""
    if not isinstance(space, ChoiceSpace):
        return
    names = [str(choice) for choice in space.choices]
    short = [name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…" for name in names]
    figure["layout"]["xaxis"] |= {
        "type": "category",
        "tickmode": "array",
        "tickvals": [drawing.text(choice) for choice in space.choices],
        "ticktext": [html.escape(name) for name in short],
    }


def is_log(space: Space | NumericSpace) -> bool:
    """Tell whether values of a space are drawn by their logarithms."""
    return isinstance(space, (LogSpace, Pow2Space))
