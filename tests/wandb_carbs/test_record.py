"""The standing of runs by their records."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from wandb_carbs.record import RunRecord, Standing, classify

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=timezone.utc)
GOOD = {"carbs.state": "success", "carbs.objective": 0.5, "carbs.cost": 2}


def record(
    state: str, summary: dict[str, Any], heartbeat: float | None = 10, created: float | None = 1000
) -> RunRecord:
    def ago(seconds: float | None) -> datetime | None:
        return None if seconds is None else NOW - timedelta(seconds=seconds)

    return RunRecord("id", "name", state, ago(created), ago(heartbeat), {}, summary)


def standing(state: str, summary: dict[str, Any], **times: float | None) -> Standing:
    return classify(record(state, summary, **times), NOW).standing


@pytest.mark.parametrize("state", ["running", "finished", "crashed", "killed", "failed", "preempted", "whatever"])
@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        (GOOD, Standing.OBSERVATION),
        ({"carbs.state": "failure"}, Standing.FAILURE),
        ({"carbs.state": "abandoned"}, Standing.ABANDONED),
        ({"carbs.state": "odd"}, Standing.SKIPPED),
        ({"carbs.state": 3}, Standing.SKIPPED),
        ({"carbs.state": ["success"]}, Standing.SKIPPED),
    ],
)
def test_final_states_count_whatever_wandb_says(state: str, summary: dict[str, Any], expected: Standing) -> None:
    assert standing(state, summary) is expected


@pytest.mark.parametrize("change", [{"carbs.state": "x" * 9999}, {"carbs.cost": ["x"] * 9999}])
def test_long_nonsense_is_named_in_short(change: dict[str, Any]) -> None:
    verdict = classify(record("finished", {**GOOD, **change}), NOW)
    assert verdict.standing is Standing.SKIPPED
    assert len(verdict.reason) < 200


@pytest.mark.parametrize("state", ["failure", "abandoned"])
def test_reason_can_be_printed_and_written(state: str) -> None:
    """Names of files that are no text come with letters that no file can hold."""
    summary = {"carbs.state": state, "carbs.reason": "FileNotFoundError: data\udce9"}
    assert classify(record("finished", summary), NOW).reason == "FileNotFoundError: data\\udce9"
    assert classify(record("finished", {**summary, "carbs.reason": 3}), NOW).reason == ""


@pytest.mark.parametrize("state", ["running", "pending", "preempting", "new-in-2030"])
def test_fresh_and_alive(state: str) -> None:
    assert standing(state, {"carbs.state": "running"}) is Standing.RUNNING
    assert standing(state, {"carbs.state": "initializing"}) is Standing.STARTING
    assert standing(state, {}, created=290) is Standing.STARTING


def test_run_that_has_long_been_silent_is_not_part_of_the_search() -> None:
    """Each run that is about to suggest costs the others a draw; a foreign one would do so for as long as it runs."""
    verdict = classify(record("running", {"loss": 1}, created=310), NOW)
    assert verdict.standing is Standing.SKIPPED
    assert "carbs.state" in verdict.reason
    assert standing("running", {"carbs.state": "initializing"}, created=310) is Standing.STARTING
    assert standing("running", {"carbs.suggestion": "{}"}, created=310) is Standing.STARTING
    assert standing("running", {}, created=None) is Standing.STARTING


@pytest.mark.parametrize("state", ["running", "pending", "new-in-2030"])
@pytest.mark.parametrize("summary", [{"carbs.state": "running"}, {"carbs.state": "initializing"}, {}])
def test_stale_is_abandoned(state: str, summary: dict[str, Any]) -> None:
    assert standing(state, summary, heartbeat=301) is Standing.ABANDONED
    assert standing(state, summary, heartbeat=None, created=None) is Standing.ABANDONED
    assert standing(state, summary, heartbeat=None, created=10) is not Standing.ABANDONED


@pytest.mark.parametrize("state", ["crashed", "killed", "preempted", "failed"])
@pytest.mark.parametrize("summary", [{"carbs.state": "running"}, {"carbs.state": "initializing"}, {}])
def test_gone_is_abandoned(state: str, summary: dict[str, Any]) -> None:
    assert standing(state, summary) is Standing.ABANDONED


def test_a_program_that_has_just_ended_leaves_the_outcome_to_its_agent() -> None:
    """Until then no other run takes its configuration."""
    summary = {"carbs.state": "running", "carbs.begun": 1.0}
    for state in ("finished", "killed", "failed"):
        assert standing(state, summary) is Standing.RUNNING
        assert standing(state, summary, heartbeat=301) is Standing.ABANDONED
        assert standing(state, {**summary, "carbs.state": "abandoned"}) is Standing.ABANDONED
    for state in ("crashed", "preempted"):
        assert standing(state, summary) is Standing.ABANDONED


def test_finished_without_reporting() -> None:
    assert standing("finished", {"carbs.state": "running"}) is Standing.ABANDONED
    assert standing("finished", {"carbs.state": "initializing"}) is Standing.ABANDONED
    assert standing("finished", {}) is Standing.SKIPPED


@pytest.mark.parametrize(
    "change",
    [
        {"carbs.objective": None},
        {"carbs.objective": "0.5"},
        {"carbs.objective": True},
        {"carbs.objective": float("nan")},
        {"carbs.objective": float("inf")},
        {"carbs.objective": {"max": 1}},
        {"carbs.objective": 10**400},
        {"carbs.cost": None},
        {"carbs.cost": "NaN"},
        {"carbs.cost": 0},
        {"carbs.cost": -1.0},
        {"carbs.cost": 10**400},
    ],
)
def test_malformed_success_is_skipped_with_its_reason(change: dict[str, Any]) -> None:
    verdict = classify(record("finished", {**GOOD, **change}), NOW)
    assert verdict.standing is Standing.SKIPPED
    assert next(iter(change)) in verdict.reason


def test_staleness_is_configurable() -> None:
    run = record("running", {"carbs.state": "running"}, heartbeat=20)
    assert classify(run, NOW, stale_seconds=10).standing is Standing.ABANDONED


def test_order_breaks_ties_by_id() -> None:
    one, two = (RunRecord(i, i, "running", NOW, NOW, {}, {}) for i in "ab")
    late = RunRecord("0", "0", "running", None, None, {}, {})
    assert sorted([late, two, one], key=lambda run: run.order) == [one, two, late]


@pytest.mark.parametrize(
    ("state", "summary", "was_stopped"),
    [
        ("killed", {}, True),
        ("crashed", {"carbs.stopped": '{"why": "stopped in W&B"}'}, True),
        ("running", {"carbs.stopped": ""}, False),  # it was started again
        ("preempted", {}, False),
    ],
)
def test_a_run_was_stopped_if_wandb_or_its_agent_says_so(
    state: str,
    summary: dict[str, str],
    was_stopped: bool,
) -> None:
    assert RunRecord("r", "r", state, None, None, {}, summary).was_stopped == was_stopped
