"""The sections of a report."""

from __future__ import annotations

import re

import pytest

from carbs.scaling import ScalingLaws
from wandb_carbs.figures import parallel
from wandb_carbs.record import Standing
from wandb_carbs.report import make_report
from wandb_carbs.report.data import ReportData
from wandb_carbs.report.sections import all_sections
from wandb_carbs.sweep.history import SweepHistory


@pytest.mark.parametrize("number", [0, 2, 6])
def test_young_sweeps_say_what_is_missing(number: int, history: SweepHistory) -> None:
    """With too few runs to believe anything, or to find scaling laws, the page says so and shows the rest."""
    young = SweepHistory(history.path, history.definition, history.runs[:number])
    whole = make_report(young).page
    page = whole[: whole.index("</main>")]
    # Without a figure there is no need of plotly, which is most of a page.
    assert (len(whole) < 50_000) == (number == 0)
    assert ("Nothing is predicted yet" in page) == (number < 3)
    assert ("too few runs for scaling laws" in page) == (number >= 3)
    assert '<section id="runs">' in page


def test_captions_say_first_where_there_is_no_evidence(history: SweepHistory) -> None:
    """A formula stands only for a law, and its figure is not grey."""
    data = ReportData(history)
    laws = data.laws
    assert isinstance(laws, ScalingLaws)
    (scaling,) = (section for section in all_sections(data) if section.key == "scaling")
    by_name = {figure.name: figure for figure in scaling.figures}
    for law in laws.params:
        figure = by_name[law.name]
        colors = {trace["line"]["color"] for trace in figure.figure["data"] if trace.get("name") == "law"}
        assert colors == {"@law" if law.is_scaling else "@run"}
        assert ("no evidence of scaling" in figure.caption) == (not law.is_scaling)
        assert bool(re.search(r" = ", figure.caption)) == law.is_scaling


def test_runs_that_the_figure_leaves_out_are_said(history: SweepHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "MAX_LINES", 5)
    data = ReportData(history)
    (runs,) = (section for section in all_sections(data) if section.key == "runs")
    total = len(data.runs(Standing.OBSERVATION))
    assert [figure.caption for figure in runs.figures] == [f"The best 5 of {total} runs."]
