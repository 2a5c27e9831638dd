"""The report's section on laws over sizes."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from carbs import CarbsError, CARBSParams, CategoricalSpace, LogSpace, Param
from carbs.scaling import ScalingLaws
from carbs.spaces.search_space import as_space
from wandb_carbs.record import RunRecord
from wandb_carbs.report import make_report
from wandb_carbs.report.data import ReportData
from wandb_carbs.report.section import Section
from wandb_carbs.report.sizes import left_out, sizes
from wandb_carbs.sweep.definition import SweepDefinition
from wandb_carbs.sweep.history import SweepHistory
from wandb_carbs.sweep.judged import judge
from wandb_carbs.sweep.path import SweepPath

START = datetime(2025, 1, 1, tzinfo=timezone.utc)
PARAMS = (
    Param("n<b>", LogSpace(min=1e6, max=1e9)),
    Param("d", LogSpace(min=1e8, max=1e11)),
    Param("rate", LogSpace(min=1e-5, max=1e-1)),
    Param("opt", CategoricalSpace(("adam", "sgd"))),
)


def a_sweep(number: int) -> SweepHistory:
    """Return a sweep of runs at random sizes; the best rate falls with the square root of the model's size."""
    rng = np.random.default_rng(0)
    records = []
    for place in range(number):
        n, d, rate = 10 ** rng.uniform(6, 9), 10 ** rng.uniform(8, 11), 10 ** rng.uniform(-5, -1)
        off = math.log10(rate / (10 * n**-0.5))
        loss = 1.7 + 30 * n**-0.25 + 100 * d**-0.25 + 0.2 * off**2 + 0.002 * rng.standard_normal()
        values = {"n<b>": n, "d": d, "rate": rate, "opt": "adam"}
        summary: dict[str, Any] = {"carbs.state": "success", "carbs.objective": loss, "carbs.cost": n * d / 1e14}
        summary["carbs.suggestion"] = json.dumps(values)
        records.append(RunRecord(f"id{place}", f"run-{place}", "finished", START, START, values, summary))
    definition = SweepDefinition(PARAMS, CARBSParams(better_direction_sign=-1))
    judged = judge(records, as_space(PARAMS), START + timedelta(hours=1))
    return SweepHistory(SweepPath("team", "project", "s1"), definition, tuple(judged))


@pytest.fixture(scope="module")
def history() -> SweepHistory:
    return a_sweep(40)


@pytest.fixture(scope="module")
def section(history: SweepHistory) -> Section:
    return sizes(ReportData(history, ["n<b>", "d"]))


def test_a_line_for_each_hyperparameter_with_a_law_and_the_objective(section: Section) -> None:
    assert section.table is not None
    assert list(section.table.heads) == ["of", "law", "exponent of n<b>", "exponent of d", "scales"]
    rate, objective = section.table.lines
    assert [rate[0].value, objective[0].value] == ["rate", "objective"]
    assert rate[2].value.startswith("-0.")
    assert " to " in rate[2].value
    assert rate[4].value == "yes"
    assert objective[1].value.startswith("loss = ")
    assert not any("nearest to the frontier" in note for note in section.notes)


def test_figures_of_the_objective_and_of_what_scales(section: Section) -> None:
    names = [figure.name for figure in section.figures]
    assert names[:2] == ["objective over n<b>", "objective over d"]
    assert "rate over n<b>" in names
    for captioned in section.figures:
        law = captioned.figure["data"][-1]
        assert len(law["x"]) == len(law["y"])
        assert captioned.figure["layout"]["shapes"][0]["x0"] < max(law["x"])  # they go on beyond the sizes seen


def test_names_are_escaped(section: Section) -> None:
    assert "&lt;b&gt;" in str(section.figures[0].caption) + json.dumps(section.figures[0].figure)
    assert "<b>n<b>" not in "".join(str(figure.caption) for figure in section.figures)


def test_runs_that_very_many_leave_out_are_said(history: SweepHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The laws over the cost and over the sizes say so alike."""
    monkeypatch.setattr("carbs.scaling.line._MAX_RUNS", 30)
    data = ReportData(history, ["n<b>", "d"])
    note = "Note: of 40 runs, the laws use the 30 nearest to the frontier."
    assert note in sizes(data).notes
    assert isinstance(data.laws, ScalingLaws)
    assert note in left_out(data, data.laws)


def test_too_little_is_said() -> None:
    section = sizes(ReportData(a_sweep(6), ["d"]))
    assert section.text.startswith("There are none: too few runs for scaling laws")


def test_the_section_is_there_if_sizes_are_named() -> None:
    report = make_report(a_sweep(16), scale=["d"])
    assert "sizes/objective over d" in report.figures
    assert '<section id="sizes">' in report.page
    assert '<section id="sizes">' not in make_report(a_sweep(4)).page


def test_what_is_no_size_is_refused(history: SweepHistory) -> None:
    with pytest.raises(CarbsError, match="scale='opt' must name a numeric hyperparameter"):
        make_report(history, scale=["opt"])
