"""The report as one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from carbs.scaling import checked_scale
from wandb_carbs.errors import WandbCarbsError
from wandb_carbs.figures.palette import DARK, LIGHT, style_sheet
from wandb_carbs.plain import number, plural
from wandb_carbs.record import Standing
from wandb_carbs.report.data import ReportData
from wandb_carbs.report.section import Captioned, Section
from wandb_carbs.report.sections import all_sections
from wandb_carbs.sweep.history import SweepHistory
from wandb_carbs.sweep.rows import find_frontier

if TYPE_CHECKING:
    from jinja2 import Template

# The page must never load anything, whatever text found its way into it.
_POLICY = Markup("default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:")


@dataclass(frozen=True)
class Report:
    """A sweep's report.

    Attributes:
        history: The sweep.
        title: Its heading.
        sections: Its parts.
        page: All of it as one HTML page, with everything inlined.
    """

    history: SweepHistory
    title: str
    sections: tuple[Section, ...]
    page: str

    @cached_property
    def figures(self) -> dict[str, Captioned]:
        """The figures by names like `scaling/learning_rate`."""
        named: dict[str, Captioned] = {}
        for section in self.sections:
            for figure in section.figures:
                name = f"{section.key}/{figure.name}"
                while name in named:  # a hyperparameter may be called as another figure is
                    name += "_"
                named[name] = figure
        return named


def write_report(history: SweepHistory, path: Path, *, scale: Sequence[str] = ()) -> Report:
    """Write a sweep's report to a file, and return it.

    Args:
        history: The sweep, as `wandb_carbs.load_sweep` reads it.
        path: The HTML file.
        scale: Names of the hyperparameters that are sizes, such as those of model and data: with them the report has a
            section of laws over sizes.

    Raises:
        CarbsError: If `scale` names anything but numeric hyperparameters.
        WandbCarbsError: If plotly or Jinja2 is not installed.
        OSError: If the file cannot be written.
    """
    report = make_report(history, scale=scale)
    path.write_text(report.page, encoding="utf-8")
    return report


def make_report(history: SweepHistory, *, scale: Sequence[str] = ()) -> Report:
    """Return a sweep's report.

    Args:
        history: The sweep.
        scale: Names of the hyperparameters that are sizes.

    Raises:
        CarbsError: If `scale` names anything but numeric hyperparameters.
        WandbCarbsError: If plotly or Jinja2 is not installed.
    """
    data = ReportData(history, scale)
    if scale:
        checked_scale(data.carbs.space, scale)
    template, plotly = _template(), _plotly()
    shown = tuple(all_sections(data))
    title = history.labels.name or f"Sweep {history.path}"
    page = template.render(
        policy=_POLICY,
        colors=Markup(style_sheet()),  # noqa: S704 - our own
        palettes={"light": LIGHT, "dark": DARK},
        title=title,
        url=history.labels.url,
        subtitle=_subtitle(data),
        tiles=list(_tiles(data)),
        sections=shown,
        plotly=Markup(plotly) if any(section.figures for section in shown) else "",  # noqa: S704 - plotly's own
    )
    return Report(history, title, shown, page)


def _subtitle(data: ReportData) -> str:
    direction = "maximised" if data.sign > 0 else "minimised"
    count = len(data.carbs.space.params)
    made = f"{datetime.now(timezone.utc):%-d %B %Y, %H:%M} UTC"
    what = f"{count} {plural('hyperparameter', count)}, {data.objective_title} is {direction}; bands hold 90 %"
    return f"{data.history.path}, {made}: {what}"


def _tiles(data: ReportData) -> Iterator[tuple[str, str]]:
    """Yield the names and values of the most important figures."""
    progress = data.progress
    yield plural("run", len(data.history.runs)), str(len(data.history.runs))
    for name, count in data.history.counts.items():
        if count:
            yield plural(name, count), str(count)
    if len(progress.spent):
        best = find_frontier(data.history)[-1]
        yield "spent cost", number(progress.spent[-1])
        yield f"best {data.objective_title}", number(best.objective or 0.0, 5)
        yield "cost of the best", number(best.cost or 0.0)
    elif not data.runs(Standing.FAILURE):
        yield "observed so far", "nothing"


@cache
def _template() -> Template:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise _missing("Jinja2") from error
    loader = PackageLoader("wandb_carbs.report", "templates")
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("report.html")


def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise _missing("plotly") from error
    script: str = get_plotlyjs()
    return script


def _missing(name: str) -> WandbCarbsError:
    return WandbCarbsError(f"a report needs {name}; install it with: pip install 'wandb-carbs[report]'")
