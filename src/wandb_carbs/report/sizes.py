"""The report's section on laws over sizes: how all else changes with the sizes that a user will train."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from carbs.scaling import ScalingLaws, SizeLaw, SizeLaws
from wandb_carbs.figures import drawing
from wandb_carbs.plain import number, plural
from wandb_carbs.report import figures
from wandb_carbs.report.data import ReportData
from wandb_carbs.report.logit import on_logit_axis
from wandb_carbs.report.section import Captioned, Section
from wandb_carbs.report.tables import Cell, Table, rate_of, with_ends

TITLE = "Scaling laws over sizes"
_NUM_SIZES = 40


def sizes(data: ReportData) -> Section:
    """Return the section on the laws over the sizes of `data`."""
    laws = data.size_laws
    if not isinstance(laws, SizeLaws):
        return Section("sizes", TITLE, f"There are none: {laws}.")
    shown = [
        Captioned(f"objective over {size}", Markup("<b>{}</b> over {}").format(data.objective_title, size), drawn)
        for size, drawn in ((size, _objective(data, laws, size)) for size in laws.scale)
    ]
    shown += [
        Captioned(f"{law.name} over {size}", _caption(law, size), _law(data, law, size))
        for law in laws.params
        for size in laws.scale
        if law.is_scaling[size]
    ]
    ranges = ", ".join(
        f"{size} from {number(laws.reach.low[size])} to {number(laws.reach.high[size])}" for size in laws.scale
    )
    reach = ", ".join(f"{size}={number(limit)}" for size, limit in laws.reach.limit.items())
    text = (
        f"How the objective and the best value of every other hyperparameter change with {_listed(laws.scale)}, "
        f"whatever a run cost. The laws rest on {ranges} (dotted line) and reach up to {reach}. In the figures a law "
        "has the other sizes at their middle values, and dots are runs of all sizes. Exponents have 90 % intervals. "
        "A hyperparameter without a figure shows no evidence of scaling: keep it constant. For the size that you will "
        "train: wandb-carbs best SWEEP --at …"
    )
    return Section("sizes", TITLE, text, shown, left_out(data, laws), _table(laws, data.objective_title))


def left_out(data: ReportData, laws: ScalingLaws | SizeLaws) -> list[str]:
    """Return notes on the runs that laws do not rest on."""
    diverged, total = len(laws.diverged), len(data.carbs.success_observations)
    notes = [f"Note: {diverged} {plural('run', diverged)} diverged, left out."] if diverged else []
    if laws.num_unused:
        notes.append(f"Note: of {total} runs, the laws use the {total - laws.num_unused} nearest to the frontier.")
    return notes


def _table(laws: SizeLaws, objective: str) -> Table:
    lines = [
        [
            Cell(law.name),
            Cell(law.formula),
            *(Cell(with_ends(law.exponents[size], law.intervals[size])) for size in laws.scale),
            Cell("yes" if any(law.is_scaling.values()) else "no"),
        ]
        for law in laws.params
    ]
    exponents = [Cell(f"{-laws.objective.exponents[size]:.3f}") for size in laws.scale]
    lines.append([Cell(objective), Cell(laws.objective.formula), *exponents, Cell("")])
    return Table(["of", "law", *(f"exponent of {size}" for size in laws.scale), "scales"], lines)


def _caption(law: SizeLaw, size: str) -> Markup:
    exponent = with_ends(law.exponents[size], law.intervals[size])
    return Markup("<b>{}</b> over {}<br>{}").format(law.name, size, rate_of(law.space, exponent, size))


def _along(laws: SizeLaws | SizeLaw, size: str) -> list[dict[str, float]]:
    """Return sizes along one of them, up to ten times those seen; the others have their middle values."""
    low, high = laws.reach.low, laws.reach.high
    middle = {name: float(np.sqrt(low[name] * high[name])) for name in low}
    end = min(10 * high[size], laws.reach.limit[size])
    return [{**middle, size: value} for value in np.geomspace(low[size], end, _NUM_SIZES).tolist()]


def _law(data: ReportData, law: SizeLaw, size: str) -> drawing.Figure:
    along = _along(law, size)
    runs = data.carbs.success_observations
    seen = figures.runs([run.input[size] for run in runs], [run.input[law.name] for run in runs])
    traces = figures.law_traces([at[size] for at in along], [law.predict(**at) for at in along])
    is_log = figures.is_log(law.space)
    figure = figures.law_figure([seen, *traces], size, law.name, law.reach.high[size], log_y=is_log)
    return on_logit_axis(figure, "y", law.space)


def _objective(data: ReportData, laws: SizeLaws, size: str) -> drawing.Figure:
    along = _along(laws, size)
    predictions = [laws.objective.predict(**at) for at in along]
    runs = data.carbs.success_observations
    seen = figures.runs([run.input[size] for run in runs], [run.output for run in runs])
    traces = figures.law_traces([at[size] for at in along], predictions)
    near = [prediction.value for prediction in predictions]
    return figures.objective_figure([seen, *traces], data, size, laws.reach.high[size], near)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
