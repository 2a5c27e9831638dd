"""The report as one HTML file that needs no network: its parts, and how they are put together."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from wandb_carbs.errors import WandbCarbsError
from wandb_carbs.record import Standing
from wandb_carbs.report.data import ReportData
from wandb_carbs.report.sections import Captioned, Section, all_sections
from wandb_carbs.sweep.history import SweepHistory

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{css}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p class="muted">{subtitle}</p>
{tiles}
<nav>{links}</nav>
</header>
<main>
{sections}
</main>
<script>{plotly}</script>
<script>{script}</script>
</body>
</html>
"""
# The page must never load anything, whatever text found its way into it.
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"


@dataclass(frozen=True)
class Report:
    """A sweep's report.

    Attributes:
        history: The sweep.
        sections: Its parts.
        page: All of it as one HTML page, with everything inlined.
    """

    history: SweepHistory
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


def write_report(history: SweepHistory, path: Path) -> Report:
    """Write a sweep's report to a file, and return it.

    Args:
        history: The sweep, as `wandb_carbs.load_sweep` reads it.
        path: The HTML file.

    Raises:
        WandbCarbsError: If plotly is not installed.
        OSError: If the file cannot be written.
    """
    report = make_report(history)
    path.write_text(report.page, encoding="utf-8")
    return report


def make_report(history: SweepHistory) -> Report:
    """Return a sweep's report.

    Args:
        history: The sweep.

    Raises:
        WandbCarbsError: If plotly is not installed.
    """
    data = ReportData(history)
    plotly = _plotly()
    shown = tuple(all_sections(data))
    page = _PAGE.format(
        policy=_POLICY,
        title=html.escape(f"Sweep {history.path}"),
        css=asset("report.css"),
        subtitle=_subtitle(data),
        tiles=_tiles(data),
        links="".join(f'<a href="#{section.key}">{section.title}</a>' for section in shown),
        sections="\n".join(_section(section) for section in shown),
        plotly=plotly,
        script=asset("report.js"),
    )
    return Report(history, shown, page)


def _section(section: Section) -> str:
    figures = "".join(_figure(figure) for figure in section.figures)
    body = f'<div class="{"grid" if len(section.figures) > 1 else "single"}">{figures}</div>' if figures else ""
    text = f'<p class="muted">{section.text}</p>' if section.text else ""
    return f'<section id="{section.key}"><h2>{section.title}</h2>{text}{body}{section.after}</section>'


def _figure(figure: Captioned) -> str:
    height = figure.figure["layout"]["height"]
    return (
        f'<figure data-figure><figcaption>{figure.caption}</figcaption><div style="min-height:{height}px"></div>'
        f'<script type="application/json">{_json(figure.figure)}</script></figure>'
    )


def _json(value: Any) -> str:
    """Write JSON that can stand in a script element: no text in it can end the element."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _subtitle(data: ReportData) -> str:
    direction = "maximised" if data.sign > 0 else "minimised"
    number = len(data.carbs.space.params)
    return f"{number} hyperparameters, the objective is {direction}; intervals and bands hold 90 %"


def _tiles(data: ReportData) -> str:
    progress = data.progress
    counts = data.history.counts
    tiles: list[tuple[str, str]] = [("runs", str(len(data.history.runs)))]
    tiles += [(f"{name}s" if name in ("observation", "failure") else name, str(n)) for name, n in counts.items() if n]
    if len(progress.spent):
        best = np.argmax(data.sign * np.array([run.output for run in data.carbs.success_observations]))
        run = data.carbs.success_observations[int(best)]
        tiles += [("spent cost", f"{progress.spent[-1]:.4g}"), ("best objective", f"{run.output:.5g}")]
        tiles += [("cost of the best", f"{run.cost:.4g}")]
    elif not data.runs(Standing.FAILURE):
        tiles += [("observed so far", "nothing")]
    return _wrap("tiles", (f'<div class="tile"><b>{value}</b>{name}</div>' for name, value in tiles))


def _wrap(name: str, parts: Iterable[str]) -> str:
    return f'<div class="{name}">{"".join(parts)}</div>'


def asset(name: str) -> str:
    """Return a file that the page is made of."""
    return files("wandb_carbs.report").joinpath(name).read_text(encoding="utf-8")


def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise WandbCarbsError("a report needs plotly; install it with: pip install 'wandb-carbs[report]'") from error
    script: str = get_plotlyjs()
    return script
