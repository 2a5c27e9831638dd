"""What a run's record counts as."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from wandb_carbs.clock import parse_timestamp, server_time
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


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-01T12:00:00Z",
        "2026-05-01T12:00:00z",
        "2026-05-01T12:00:00",
        "2026-05-01 12:00:00",
        "2026-05-01T12:00:00.000Z",
        "2026-05-01T12:00:00.000000000+00:00",
        "2026-05-01T14:00:00+02:00",
        "2026-05-01T14:00:00+0200",
        "2026-05-01T14:00:00+02",
        "2026-05-01T06:30:00-05:30",
        "20260501T120000Z",
        "2026-05-01T12:00Z",
    ],
)
def test_timestamps(text: str) -> None:
    assert parse_timestamp(text) == NOW


def test_fraction_of_a_second() -> None:
    assert parse_timestamp("2026-05-01T12:00:00.5Z") == NOW + timedelta(microseconds=500_000)
    assert parse_timestamp("2026-05-01T12:00:00.1234567Z") == NOW + timedelta(microseconds=123_456)


@pytest.mark.parametrize(
    "text", [None, 3, "", "yesterday", "2026-13-01T12:00:00Z", "2026-05-01", "0001-01-01T00:00:00+23:00"]
)
def test_what_is_no_time(text: Any) -> None:
    assert parse_timestamp(text) is None


def test_order_breaks_ties_by_id() -> None:
    one, two = (RunRecord(i, i, "running", NOW, NOW, {}, {}) for i in "ab")
    late = RunRecord("0", "0", "running", None, None, {}, {})
    assert sorted([late, two, one], key=lambda run: run.order) == [one, two, late]


def test_the_servers_clock_is_the_latest_time_that_it_put_on_a_living_run() -> None:
    runs = [record("running", {}, heartbeat=50), record("running", {}, heartbeat=20), record("crashed", {})]
    for error in (-3600, 0, 3600):
        assert server_time(runs, NOW + timedelta(seconds=error)) == NOW - timedelta(seconds=20)
    assert server_time([], NOW) == server_time([record("finished", {})], NOW) == NOW


def test_the_servers_clock_is_that_of_the_readers_own_run() -> None:
    own = record("running", {}, heartbeat=3)
    assert server_time([record("running", {}, heartbeat=-100)], NOW, own) == NOW - timedelta(seconds=3)
    assert server_time([], NOW, record("running", {}, heartbeat=None, created=None)) == NOW


def test_impossible_heartbeats_do_not_tell_the_time() -> None:
    century = 100 * 365 * 86400.0
    runs = [record("running", {}, heartbeat=-century), record("running", {}, heartbeat=20)]
    assert server_time(runs, NOW) == NOW - timedelta(seconds=20)
    assert server_time(runs[:1], NOW) == NOW
