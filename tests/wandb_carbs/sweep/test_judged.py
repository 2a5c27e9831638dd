"""A run counts as what its record says, and so do the points on its way."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from carbs import CARBS
from live_sweep import PARAMS
from wandb_carbs import SweepPath
from wandb_carbs.record import RunRecord
from wandb_carbs.sweep.history import feed
from wandb_carbs.sweep.judged import count, judge, replaced_suggestions

if TYPE_CHECKING:
    import pytest

GOOD = {"carbs.state": "success", "carbs.objective": 0.5, "carbs.cost": 2.0}


def test_runs_skipped_for_one_reason_are_one_warning_for_each_agent(caplog: pytest.LogCaptureFixture) -> None:
    now = datetime.now(timezone.utc)
    records = [RunRecord(f"id{i}", f"run-{i}", "finished", now, now, {"lr": 0.01}, {"loss": 1.0}) for i in range(7)]
    space, warned = CARBS(params=PARAMS).space, set[str]()
    assert count(judge(records[:6], space, now, warned=warned))["skipped"] == 6
    assert count(judge(records, space, now, warned=warned))["skipped"] == 7
    first, second = [entry.getMessage() for entry in caplog.records]
    assert first.startswith("Skipping runs run-0 (id0), run-1 (id1), ")
    assert first.endswith(", run-4 (id4) and 1 more: no suggestion was taken (no carbs.state), so nothing is learnt")
    assert second.startswith("Skipping run run-6 (id6): no suggestion was taken")


def test_a_run_that_counts_as_another_configuration_says_which_one_it_was_to_run() -> None:
    now = datetime.now(timezone.utc)
    keys = {**GOOD, "carbs.suggestion": json.dumps({"lr": 0.01, "batch": 32})}
    summaries: dict[str, dict[str, Any]] = {
        "shorter": {**keys, "carbs.suggested": '{"lr": 0.01, "batch": 128}'},
        "failed": {**keys, "carbs.state": "failure", "carbs.suggested": '{"lr": 0.02, "batch": 128}'},
        "whole": keys,
        "outside": {**keys, "carbs.suggested": '{"lr": 0.01, "batch": 1000}'},
        "odd": {**keys, "carbs.suggested": "[128]"},
        "lost": {**keys, "carbs.state": "abandoned", "carbs.suggested": '{"lr": 0.01, "batch": 128}'},
    }
    records = [RunRecord(id_, id_, "finished", now, now, {}, summary) for id_, summary in summaries.items()]
    space = CARBS(params=PARAMS).space
    assert replaced_suggestions(judge(records, space, now), space) == {
        "shorter": {"lr": 0.01, "batch": 128},
        "failed": {"lr": 0.02, "batch": 128},
    }


def test_points_on_the_way_count_whatever_the_run_counts_as(caplog: pytest.LogCaptureFixture) -> None:
    """And a record of them that is damaged is skipped alone: its run still counts."""
    now = datetime.now(timezone.utc)
    way, values = "[[64, 0.4, 3.0], [32, 0.3, 2.0]]", {"lr": 0.01, "batch": 128}
    end = {"carbs.suggestion": json.dumps(values), "carbs.curve": way}
    summaries: dict[str, dict[str, Any]] = {
        "whole": {**GOOD, **end},
        "failed": {**end, "carbs.state": "failure"},
        "stopped": {**end, "carbs.state": "abandoned", "carbs.reason": "stopped"},
        "again": {**end, "carbs.state": "running"},
        "outside": {**GOOD, **end, "carbs.curve": "[[8, 0.4, 3.0]]"},
        "odd": {**GOOD, **end, "carbs.curve": [[32, 0.3, 2.0]]},
        "empty": {**GOOD, **end, "carbs.curve": "[]"},
        "unread": {"carbs.state": "abandoned", "carbs.curve": way},
        "skipped": {**GOOD, **end, "carbs.cost": 0},
    }
    records = [
        RunRecord(name, name, "running" if name == "again" else "finished", now, now, {}, summary)
        for name, summary in summaries.items()
    ]
    carbs, path, warned = CARBS(params=PARAMS), SweepPath("team", "project", "s"), set[str]()
    for _ in range(2):
        runs = judge(records, carbs.space, now, progress="batch", warned=warned)
        feed(carbs, path, runs)
    seen = [(end.input["batch"], [point.input["batch"] for point in end.points]) for end in carbs.success_observations]
    assert sorted(seen, key=str) == [(128, [32, 64]), (128, []), (128, []), (128, []), (64, [32]), (64, [32])]
    [failure] = carbs.failure_observations
    assert [(point.input, point.output, point.cost) for point in failure.points] == [
        ({"lr": 0.01, "batch": 32}, 0.3, 2.0),
        ({"lr": 0.01, "batch": 64}, 0.4, 3.0),
    ]
    assert carbs.outstanding_suggestions["again"] == values
    counts = {name: number for name, number in count(runs).items() if number}
    assert counts == {"observation": 4, "failure": 1, "running": 1, "abandoned": 2, "skipped": 1}
    assert {run.record.id for run in runs if run.problem} == {"outside", "odd", "unread"}
    warnings = [entry.getMessage() for entry in caplog.records]
    assert len(warnings) == 4
    assert "Skipping points on the way of run odd (odd): [[32, 0.3, 2.0]] is no list of at most 8 points" in warnings[2]
    assert all(not run.points for run in judge(records, carbs.space, now, warned=warned))
