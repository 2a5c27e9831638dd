"""Time by W&B's clock."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from wandb_carbs.clock import parse_timestamp, server_time, time_of_ages
from wandb_carbs.record import RunRecord

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=timezone.utc)


def record(
    state: str, summary: dict[str, Any], heartbeat: float | None = 10, created: float | None = 1000
) -> RunRecord:
    def ago(seconds: float | None) -> datetime | None:
        return None if seconds is None else NOW - timedelta(seconds=seconds)

    return RunRecord("id", "name", state, ago(created), ago(heartbeat), {}, summary)


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


def test_ages_count_from_now_though_the_only_living_run_died_without_a_word() -> None:
    runs = [record("running", {}, heartbeat=100)]
    assert time_of_ages(runs, NOW) == NOW
    for error in (-3600, 3600):  # a wrong clock of this machine
        assert time_of_ages(runs, NOW + timedelta(seconds=error)) == NOW - timedelta(seconds=100)
    assert time_of_ages([], NOW) == NOW
