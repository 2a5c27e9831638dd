"""The contents of a report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from carbs import CarbsError, ObservationInParam
from carbs.pareto import hypervolume
from wandb_carbs.record import PREDICTED_COST_KEY, PREDICTED_OBJECTIVE_KEY, Standing, Verdict
from wandb_carbs.report.data import TOO_EXTREME, ReportData, or_reason
from wandb_carbs.sweep.history import SweepHistory, carbs_from_sweep
from wandb_carbs.sweep.progress import Progress
from wandb_carbs.sweep.rows import find_frontier


def test_progress_follows_the_direction(history: SweepHistory) -> None:
    """Where the objective is minimised, the best falls; spent cost and hypervolume grow."""
    progress = ReportData(history).progress
    assert np.all(np.diff(progress.best) <= 0)
    assert np.all(np.diff(progress.spent) > 0)
    assert np.all(np.diff(progress.hypervolume) >= -1e-12)
    assert progress.hypervolume[-1] > 0
    assert np.all(np.diff(progress.hours) >= 0)


def test_hypervolume_is_that_of_all_runs_so_far(history: SweepHistory) -> None:
    data = ReportData(history)
    summaries = [run.record.summary for run in data.runs(Standing.OBSERVATION)]
    objective = data.sign * np.array([float(summary["carbs.objective"]) for summary in summaries])
    log_cost = np.log10([float(summary["carbs.cost"]) for summary in summaries])
    ends = (float(np.median(objective)), float(np.max(log_cost)))
    # The runs of this history ended in the order in which they are.
    direct = [hypervolume(objective[:number], log_cost[:number], *ends) for number in range(1, len(summaries) + 1)]
    assert data.progress.hypervolume.tolist() == direct


def test_calibration_compares_what_was_recorded(history: SweepHistory) -> None:
    """Only runs with a recorded prediction count; costs are compared in logarithms."""
    data = ReportData(history)
    with_prediction = [run for run in history.runs if PREDICTED_OBJECTIVE_KEY in run.record.summary]
    observed = [run for run in with_prediction if "carbs.cost" in run.record.summary]
    objective, cost = data.calibration(PREDICTED_OBJECTIVE_KEY), data.calibration(PREDICTED_COST_KEY)
    assert len(objective.seen) == len(cost.seen) == len(observed) > 10
    assert cost.seen == pytest.approx(np.log([run.record.summary["carbs.cost"] for run in observed]))


def test_damaged_points_are_counted_and_a_stopped_run_is_no_result(history: SweepHistory) -> None:
    first, second, *others = history.runs
    assert first.suggestion is not None
    point = ObservationInParam({**first.suggestion, "size": 10.0}, 0.001, 0.5)  # better than all ends
    stopped = replace(first, verdict=Verdict(Standing.ABANDONED), suggestion=None, points=(point,))
    asked = replace(history, definition=replace(history.definition, progress=Progress("size")))
    data = ReportData(replace(asked, runs=(stopped, replace(second, problem="damaged"), *others)))
    assert data.doubts[0].startswith("the points on the way of 1 of 40 runs are malformed, and are skipped")
    assert point.output in [seen.output for seen in data.carbs.success_observations]
    results = carbs_from_sweep(data.history.ended).success_observations
    assert len(results) == len(data.carbs.success_observations) - 1
    assert min(seen.output for seen in results) == data.progress.best[-1] > point.output
    assert [row.objective for row in find_frontier(data.history)][-1] == data.progress.best[-1]


def test_runs_that_leave_no_points_on_their_ways_are_noted(history: SweepHistory) -> None:
    asked = replace(history, definition=replace(history.definition, progress=Progress("size")))
    words = "runs has left points on its way, though the sweep's progress is size"
    assert words in ReportData(asked).doubts[0]
    first, *others = asked.runs
    point = ObservationInParam({**(first.suggestion or {}), "size": 10.0}, 2.0, 0.5)
    alike = (replace(run, suggestion=run.suggestion and {**run.suggestion, "size": 10.0}) for run in asked.runs)
    shortest = replace(asked, runs=tuple(alike))
    for fine in (history, replace(asked, runs=(replace(first, points=(point,)), *others)), shortest):
        assert not any(words in doubt for doubt in ReportData(fine).doubts)
    [size] = (param for param in asked.definition.params if param.name == "size")
    length = replace(size, search_center=None, fixed=10.0)
    params = (length if param is size else param for param in asked.definition.params)
    equally_long = replace(shortest, definition=replace(asked.definition, params=tuple(params)))
    assert words in ReportData(equally_long).doubts[0]


def test_reasons_are_given_in_place_of_what_cannot_be_computed() -> None:
    def refuse() -> int:
        raise CarbsError("too few runs")

    def overflow() -> int:
        raise OverflowError

    assert or_reason(lambda: 3) == 3
    assert or_reason(refuse) == "too few runs"
    assert or_reason(overflow) == TOO_EXTREME


def test_bugs_are_no_reasons() -> None:
    def fail() -> int:
        raise KeyError("x")

    with pytest.raises(KeyError):
        or_reason(fail)
