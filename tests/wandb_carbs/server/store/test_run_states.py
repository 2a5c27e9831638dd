"""The states of runs: how they end, live again, and expire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filtered import Clock
from stored import make_run, run_row
from wandb_carbs.server.store import run_states
from wandb_carbs.server.store.database import MICROSECONDS, Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("state", "code", "stopped", "ending"),
    [
        ("running", 0, False, "finished"),
        ("running", 0, True, "finished"),
        ("running", 1, False, "failed"),
        ("running", 255, True, "killed"),
        ("running", None, False, "crashed"),
        ("running", None, True, "killed"),
        ("preempting", 1, False, "preempted"),
        ("preempting", None, True, "preempted"),
        ("preempting", 0, False, "finished"),
    ],
)
def test_ending_follows_the_exit_code_and_what_was_asked(
    state: str, code: int | None, stopped: bool, ending: str
) -> None:
    assert run_states.ending(state, code, stop_requested=stopped) == ending


def test_silent_run_has_crashed_and_lives_again_when_it_speaks(tmp_path: Path) -> None:
    clock = Clock()
    store = Store(tmp_path / "db", clock)
    make_run(store, "r")
    clock.time += run_states.HEARTBEAT_TIMEOUT / MICROSECONDS - 1
    run_states.expire(store)
    assert run_row(store)["state"] == "running"
    clock.time += 1
    run_states.expire(store)
    assert run_row(store)["state"] == "crashed"
    make_run(store, "r")
    assert run_row(store)["state"] == "running"
    store.close()


def test_run_that_its_agent_no_longer_has_ends_after_a_while(tmp_path: Path) -> None:
    clock = Clock()
    store = Store(tmp_path / "db", clock)
    make_run(store, "r")
    clock.time += run_states.ABSENCE_GRACE / MICROSECONDS
    with store.transaction() as db:
        db.execute("UPDATE runs SET absent_at = ?", (store.now(),))
    run_states.expire(store)
    assert run_row(store)["state"] == "running"
    clock.time += run_states.ABSENCE_GRACE / MICROSECONDS
    run_states.expire(store)
    assert run_row(store)["state"] == "crashed"
    store.close()


def test_nobodys_silence_counts_from_before_the_start(tmp_path: Path) -> None:
    clock = Clock()
    store = Store(tmp_path / "db", clock)
    make_run(store, "r")
    store.close()
    clock.time += 3600
    store = Store(tmp_path / "db", clock)
    run_states.expire(store)
    assert run_row(store)["state"] == "running"
    store.close()
