"""The report's figures, as what plotly is asked to draw."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from carbs import LogitSpace
from carbs.insight import Calibration
from carbs.scaling import ObjectiveLaw, Reach, scaling_laws
from simulated import HOSTILE, PARAMS
from wandb_carbs.record import OBJECTIVE_KEY, Standing
from wandb_carbs.report import figures
from wandb_carbs.report.data import ReportData
from wandb_carbs.sweep.history import SweepHistory


@pytest.fixture(scope="module")
def data(history: SweepHistory) -> ReportData:
    return ReportData(history)


def traces_of(figure: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [trace for trace in figure["data"] if trace.get("name") == name]


def test_the_frontier_is_drawn_as_stairs_through_every_run(data: ReportData) -> None:
    assert not isinstance(data.insight, str)
    drawn = figures.frontier(data, data.insight)
    (predicted,) = traces_of(drawn, "frontier, as predicted")
    assert predicted["line"]["shape"] == "hv"
    assert list(predicted["x"]) == sorted(predicted["x"])
    points = [trace for trace in drawn["data"] if trace.get("mode") == "markers"]
    assert sum(len(trace["x"]) for trace in points) >= len(data.runs(Standing.OBSERVATION))


def test_the_frontier_is_drawn_before_there_is_a_model(data: ReportData) -> None:
    drawn = figures.frontier(data)
    assert traces_of(drawn, "runs on the frontier")
    assert traces_of(drawn, "frontier, as observed")
    assert not traces_of(drawn, "frontier, as predicted")


def test_objectives_are_logarithmic_everywhere_or_nowhere(data: ReportData) -> None:
    """Those that fall by decades along the frontier are, in every figure."""
    runs = tuple(
        replace(run, record=replace(run.record, summary={**run.record.summary, OBJECTIVE_KEY: 10**objective}))
        if (objective := run.record.summary.get(OBJECTIVE_KEY))
        else run
        for run in data.history.runs
    )
    decades = ReportData(SweepHistory(data.history.path, data.history.definition, runs))
    for each, expected in ((data, None), (decades, "log")):
        insight = each.insight
        assert not isinstance(insight, str)
        law = ObjectiveLaw(0.0, 1.0, 0.5, (0.0, 0.0), (0.1, 1.0), "none", Reach(1.0, 100.0), -1, np.empty((0, 3)))
        by_cost = [(100.0, insight.dependence("rate", 100.0))]
        drawn = [
            figures.frontier(each, insight),
            figures.progress(each, by_time=False),
            figures.objective_scaling(law, each, insight),
            figures.dependence("rate", PARAMS[1].space, by_cost, each),
        ]
        assert [figure["layout"]["yaxis"].get("type") for figure in drawn] == [expected] * 4
        if expected:
            # Bands that reach below zero are raised to where the axis ends.
            least = min(run.output for run in each.carbs.success_observations)
            assert 10 ** drawn[3]["layout"]["yaxis"]["range"][0] == pytest.approx(least / 2)


@pytest.mark.parametrize(
    ("share", "unit"), [(24.0, "days"), (1.0, "hours"), (1 / 60, "minutes"), (1 / 3600, "seconds")]
)
def test_wall_time_has_a_unit_of_few_digits(data: ReportData, share: float, unit: str) -> None:
    hours = data.progress.hours
    assert np.max(hours) > 0
    young = ReportData(data.history)
    young.__dict__["progress"] = replace(data.progress, hours=hours / np.max(hours) * 3 * share)
    drawn = figures.progress(young, by_time=True)
    assert drawn["layout"]["xaxis"]["title"]["text"] == f"{unit} since the first run"
    assert max(drawn["data"][0]["x"]) == pytest.approx(3.0)


def test_calibration_draws_every_prediction_against_what_was_seen() -> None:
    found = Calibration(np.log([1.0, 10.0]), np.array([0.1, 0.2]), np.log([2.0, 5.0]))
    drawn = figures.calibration(found, "cost", is_log=True)
    (runs,) = traces_of(drawn, "runs")
    assert list(runs["x"]) == pytest.approx([1.0, 10.0])
    assert list(runs["y"]) == pytest.approx([2.0, 5.0])
    assert runs["error_x"]["array"][1] == pytest.approx(10.0 * (np.exp(1.6449 * 0.2) - 1))
    assert drawn["layout"]["xaxis"]["type"] == drawn["layout"]["yaxis"]["type"] == "log"


def test_coverage_is_drawn_from_level_to_share() -> None:
    found = Calibration(np.zeros(3), np.ones(3), np.array([0.0, 1.0, 9.0]))
    drawn = figures.coverage([("objective", "@frontier", found)])
    (held,) = traces_of(drawn, "objective")
    assert list(held["x"]) == sorted(held["x"])
    # An interval of 0.05 holds the exact prediction alone; one of 0.95 reaches to two deviations, but not to nine.
    assert (held["y"][0], held["y"][-1]) == (1 / 3, 2 / 3)


def test_lines_of_several_costs_can_be_told_apart_and_choices_are_escaped(data: ReportData) -> None:
    insight = data.insight
    assert not isinstance(insight, str)
    by_cost = [(cost, insight.dependence("kind<b>", cost)) for cost in (10.0, 100.0, 1000.0)]
    drawn = figures.dependence("kind<b>", PARAMS[2].space, by_cost, data)
    lines = [trace for trace in drawn["data"] if str(trace.get("name")).startswith("from cost")]
    assert len({(trace["line"]["color"], trace["line"]["dash"]) for trace in lines}) == 3
    assert drawn["layout"]["xaxis"]["type"] == "category"
    assert HOSTILE not in str(drawn)


def test_failed_runs_are_marked_below_the_probability_of_success(data: ReportData) -> None:
    insight = data.insight
    assert not isinstance(insight, str)
    failed = data.runs(Standing.FAILURE)
    drawn = figures.success("rate", PARAMS[1].space, [(100.0, insight.dependence("rate", 100.0))], failed)
    (marks,) = traces_of(drawn, "failed runs")
    assert len(marks["x"]) == len(failed) > 0
    assert set(marks["y"]) == {0.0}


def test_a_logit_space_has_a_logit_axis_in_every_figure(data: ReportData) -> None:
    insight = data.insight
    assert not isinstance(insight, str)
    space, by_cost = LogitSpace(1e-4, 1.0), [(100.0, insight.dependence("rate", 100.0))]
    laws = scaling_laws(PARAMS, data.carbs.success_observations, data.carbs.config)
    law = replace(next(law for law in laws.params if law.name == "rate"), space=space)
    axes = [
        figures.dependence("rate", space, by_cost, data)["layout"]["xaxis"],
        figures.success("rate", space, by_cost, data.runs(Standing.FAILURE))["layout"]["xaxis"],
        figures.scaling(law, insight)["layout"]["yaxis"],
    ]
    for axis in axes:
        assert axis.get("type") is None
        assert {"0.01", "0.1"} <= set(axis["ticktext"])


def test_laws_reach_to_ten_times_the_costs_that_they_rest_on(data: ReportData) -> None:
    insight = data.insight
    assert not isinstance(insight, str)
    laws = scaling_laws(PARAMS, data.carbs.success_observations, data.carbs.config)
    law = next(law for law in laws.params if law.name == "size")
    drawn = figures.scaling(law, insight)
    farthest = max(max(trace["x"]) for trace in drawn["data"] if trace.get("mode") == "lines")
    assert farthest == pytest.approx(min(10 * law.reach.high, law.reach.limit))
    assert drawn["layout"]["shapes"], "where the runs end is marked"
