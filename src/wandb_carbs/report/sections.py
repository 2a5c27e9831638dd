"""The report's sections: what each says, with which figures."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np
from markupsafe import Markup

from carbs.insight import Calibration, Dependence, Insight
from carbs.scaling import ObjectiveLaw, ParamLaw, ScalingLaws
from wandb_carbs.figures import drawing, importance, parallel
from wandb_carbs.plain import number
from wandb_carbs.record import PREDICTED_COST_KEY, PREDICTED_OBJECTIVE_KEY, Standing
from wandb_carbs.report import figures, tables
from wandb_carbs.report.data import ReportData, or_reason
from wandb_carbs.report.parallel import axes as space_axes
from wandb_carbs.report.section import Captioned, Section
from wandb_carbs.report.sizes import TITLE as SIZES
from wandb_carbs.report.sizes import left_out, sizes
from wandb_carbs.sweep.judged import JudgedRun

# Where along the frontier, in shares of its log cost, dependences are shown.
_SHARES = (0.15, 0.5, 0.85)


def all_sections(data: ReportData) -> list[Section]:
    """Return all sections in order; where there is too little to show, a section says so."""
    insight = data.insight
    if not isinstance(insight, Insight):
        text = f"Nothing is predicted yet: {insight}."
        shown = [Captioned("objective", "", figures.frontier(data))] if data.runs(Standing.OBSERVATION) else []
        return [Section("frontier", "Frontier", text, shown, _notes(data)), _runs(data)]
    by_param: Callable[[], dict[str, list[tuple[float, Dependence]]]] = functools.cache(
        lambda: {name: _dependences(insight, name) for name in data.carbs.space.names}
    )
    return [
        _or_note("frontier", "Frontier", lambda: _frontier(data, insight)),
        _or_note("progress", "Progress", lambda: _progress(data)),
        _or_note("scaling", "Scaling laws", lambda: _scaling(data, insight)),
        *([_or_note("sizes", SIZES, lambda: sizes(data))] if data.scale else []),
        _or_note("importance", "Importance", lambda: _importance(insight)),
        _or_note("dependence", "Partial dependence along the cost", lambda: _dependence(data, insight, by_param())),
        _or_note("calibration", "Calibration", lambda: _calibration(data)),
        _or_note("failures", "Failures", lambda: _failures(data, insight, by_param)),
        _runs(data),
        _or_note("best", "Best configuration at each cost", lambda: _best(data, insight)),
    ]


def _or_note(key: str, title: str, make: Callable[[], Section]) -> Section:
    """Return a section, or one that says why there is nothing to show."""
    made = or_reason(make)
    return Section(key, title, f"This cannot be drawn: {made}.") if isinstance(made, str) else made


def _frontier(data: ReportData, insight: Insight) -> Section:
    text = (
        "Blue: the frontier by observed cost and objective. Green: the best objective that the model predicts at each "
        "cost, among the configurations that were run; the band is its uncertainty, without the noise of a single run."
    )
    if np.any(insight.groups.count > 1):
        text += " Circles are means of repeated configurations."
    if data.is_log and np.any(insight.believe(insight.groups.X[insight.members]).objective_low <= 0):
        text += " Predictions below zero are drawn at the lower edge, since the axis is logarithmic."
    figure = Captioned("objective", "", figures.frontier(data, insight))
    return Section("frontier", "Frontier", text, [figure], _notes(data))


def _notes(data: ReportData) -> list[str]:
    start = data.history.definition.start
    started = [f"The search {start}."] if start else []
    return [*started, *(f"Note: {doubt}." for doubt in data.doubts)]


def _progress(data: ReportData) -> Section:
    shown = [Captioned("by cost", "over spent cost", figures.progress(data, by_time=False))]
    if np.any(np.isfinite(data.progress.hours)):
        shown.append(Captioned("by time", "over wall time", figures.progress(data, by_time=True)))
    text = (
        "Hypervolume is the area, in objective times decades of cost, between the frontier and the corner of the "
        "median objective and the largest cost: it grows with every improvement at any cost."
    )
    return Section("progress", "Progress", text, shown)


def _scaling(data: ReportData, insight: Insight) -> Section:
    laws = data.laws
    if not isinstance(laws, ScalingLaws):
        return Section("scaling", "Scaling laws", f"There are none: {laws}.")
    shown = [
        Captioned(
            "objective", _objective_caption(laws.objective), figures.objective_scaling(laws.objective, data, insight)
        )
    ]
    shown += [Captioned(law.name, _law_caption(law), figures.scaling(law, insight)) for law in laws.params]
    reach = f"{number(laws.reach.low)} to {number(laws.reach.high)}"
    text = (
        "How the best value of each hyperparameter changes with the cost, from all runs and not only those on the "
        f"frontier. The laws rest on costs from {reach} (dotted line), where no hyperparameter that drives "
        "the cost is at its bounds. Grey where there is no evidence of scaling."
    )
    return Section("scaling", "Scaling laws", text, shown, left_out(data, laws))


def _objective_caption(law: ObjectiveLaw) -> Markup:
    if law.reason:
        return Markup("<b>objective</b>: no law, because {}").format(law.reason)
    low, high = law.exponent_interval
    limit, exponent = f"{-law.sign * law.limit:.4g}", tables.with_ends(-law.exponent, (-high, -low))
    return Markup("<b>objective</b>: limit {}, exponent {}").format(limit, exponent)


def _law_caption(law: ParamLaw) -> Markup:
    exponent = tables.rate_of(law.space, tables.with_ends(law.exponent, law.interval), "cost")
    if not law.is_scaling:
        return Markup("<b>{}</b>: no evidence of scaling<br>{}").format(law.name, exponent)
    base, is_power, power = law.formula.partition(" * cost^")
    formula = Markup("{} · cost<sup>{}</sup>").format(base, power) if is_power else law.formula
    return Markup("<b>{}</b><br>{}").format(formula, exponent)


def _importance(insight: Insight) -> Section:
    text = (
        "Sobol' total-effect indices in the model: the share of the variance, over the configurations that were run, "
        "to which a hyperparameter contributes. Hover for length scales: how far it must move to matter, in units of "
        "half its range."
    )
    return Section(
        "importance", "Importance", text, [Captioned("effects", "", importance.figure(insight.importance()))]
    )


def _dependences(insight: Insight, name: str) -> list[tuple[float, Dependence]]:
    log_cost = insight.groups.log_cost[insight.members]
    costs = np.exp(log_cost[0] + np.array(_SHARES) * (log_cost[-1] - log_cost[0])).tolist()
    return [(cost, insight.dependence(name, cost)) for cost in costs]


def _dependence(data: ReportData, insight: Insight, by_param: dict[str, list[tuple[float, Dependence]]]) -> Section:
    shown = [
        Captioned(name, Markup("<b>{}</b>").format(name), figures.dependence(name, space, by_param[name], data))
        for name, space in zip(insight.space.names, insight.space.spaces, strict=True)
    ]
    text = (
        "The objective that the model expects if one hyperparameter is changed and the others stay as in the best "
        "configuration up to a cost (the dot), at three costs along the frontier. The cost may change with it."
    )
    return Section("dependence", "Partial dependence along the cost", text, shown)


def _calibration(data: ReportData) -> Section:
    found = [
        (label, color, data.calibration(key), key == PREDICTED_COST_KEY)
        for label, color, key in (
            ("objective", "@frontier", PREDICTED_OBJECTIVE_KEY),
            ("cost", "@law", PREDICTED_COST_KEY),
        )
    ]
    found = [entry for entry in found if len(entry[2].seen)]
    if not found:
        return Section("calibration", "Calibration", "No run recorded what the optimizer had predicted for it.")
    shown = [
        Captioned(
            label,
            _calibration_caption(label, calibration),
            figures.calibration(calibration.without_outliers(), label, is_log=is_log),
        )
        for label, _, calibration, is_log in found
    ]
    held = [
        f"{label} {100 * float(calibration.coverage(np.array([0.9]))[0]):.0f} % of {len(calibration.seen)}"
        for label, _, calibration, _ in found
    ]
    drawn = figures.coverage([(label, color, calibration) for label, color, calibration, _ in found])
    shown.append(Captioned("coverage", "how often intervals held what was seen", drawn))
    text = (
        "What the optimizer predicted before each run against what was then seen; a run's own noise is added to what "
        f"was recorded. The 90 % intervals held: {'; '.join(held)}."
    )
    return Section("calibration", "Calibration", text, shown)


def _calibration_caption(label: str, calibration: Calibration) -> str:
    left_out = len(calibration.seen) - len(calibration.without_outliers().seen)
    return f"{label}, predicted and seen" + (f"; {left_out} far out left out" if left_out else "")


def _failures(
    data: ReportData, insight: Insight, by_param: Callable[[], dict[str, list[tuple[float, Dependence]]]]
) -> Section:
    failed = data.runs(Standing.FAILURE)
    if not failed:
        return Section("failures", "Failures", "No run failed.")
    shown = [
        Captioned(name, Markup("<b>{}</b>").format(name), figures.success(name, space, by_param()[name], failed))
        for name, space in zip(insight.space.names, insight.space.spaces, strict=True)
    ]
    text = "Where the model expects runs to succeed, as one hyperparameter changes; crosses are runs that failed."
    return Section("failures", "Failures", text, shown, table=tables.failures(data, insight, failed))


def _runs(data: ReportData) -> Section:
    """Return the table of all runs, and a figure with a line for each observation, or for the best of very many."""
    shown = data.runs(Standing.OBSERVATION)
    lines = []
    if len(shown) > 1:
        figure = _configurations(data, shown)
        lines.append(Captioned("configurations", figure.get("note", ""), figure))
    text = "Each line is a run, from its cost over its hyperparameters to its objective." if lines else ""
    return Section("runs", "Runs", text, lines, table=tables.runs(data))


def _configurations(data: ReportData, shown: Sequence[JudgedRun]) -> drawing.Figure:
    points = parallel.best_of([figures.point_of(run, data) for run in shown], maximize=data.sign > 0)
    spaces = dict(zip(data.carbs.space.names, data.carbs.space.spaces, strict=True))
    titles = {"cost": data.cost_title, "objective": data.objective_title}
    axes = space_axes(points, spaces)
    return parallel.figure(points, axes, maximize=data.sign > 0, total=len(shown), **titles)


def _best(data: ReportData, insight: Insight) -> Section:
    text = "The frontier's configurations as YAML. The model expects each to be the best up to its cost."
    listing = tables.best_as_yaml(insight, data.history.constants)
    return Section("best", "Best configuration at each cost", text, listing=listing)
