"""An agent stops where every program ends badly for reasons that are not its values."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from wandb_carbs.agent.endings import Endings, setting
from wandb_carbs.agent.outcome import Outcome
from wandb_carbs.record import ABANDONED, FAILURE, REASON_KEY, STATE_KEY, SUCCESS

if TYPE_CHECKING:
    from collections.abc import Sequence

GOOD = Outcome({STATE_KEY: SUCCESS})
FAILED = Outcome({STATE_KEY: FAILURE, REASON_KEY: "exception: ValueError"})
TOO_BIG = Outcome({STATE_KEY: FAILURE, REASON_KEY: "out_of_memory"})
SILENT = Outcome({STATE_KEY: ABANDONED, REASON_KEY: "loss was not logged"}, tolerated=3)
USAGE = Outcome({STATE_KEY: ABANDONED, REASON_KEY: "refused its arguments"}, tolerated=1)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WANDB_AGENT_DISABLE_FLAPPING", "WANDB_AGENT_MAX_INITIAL_FAILURES"):
        monkeypatch.delenv(name, raising=False)


def judged(
    endings: Endings, *outcomes: Outcome, code: int = 1, asked: bool = False, causes: Sequence[str] = ()
) -> list[str]:
    found = []
    for place, outcome in enumerate(outcomes):
        cause = causes[place % len(causes)] if causes else ""
        found.append(endings.judge(code if outcome is not GOOD else 0, outcome, asked=asked, cause=cause))
    return found


def old() -> Endings:
    return Endings(started=time.monotonic() - 1000)


def test_three_failures_in_the_first_minute_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(Endings(), FAILED, GOOD, FAILED) == ["", "", ""]
    found = judged(Endings(), FAILED, FAILED, FAILED, causes=["a", "b"])
    assert found[:2] == ["", ""]
    assert found[2].startswith("3 programs failed within 60 s")
    assert found[2].endswith(": 2x a; 1x b")
    monkeypatch.setenv("WANDB_AGENT_DISABLE_FLAPPING", "true")
    assert judged(Endings(), FAILED, FAILED, FAILED)[-1] == ""


def test_later_three_failures_of_one_cause_stop_an_agent_that_had_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = ["FileNotFoundError: 'data.csv' (exit code 1)"]
    first, second, third = judged(old(), *[FAILED] * 3, causes=lost)
    assert (first, second) == ("", "")
    assert third.startswith("all 3 programs failed in the same way")
    assert third.endswith(f": {lost[0]}")
    assert judged(old(), TOO_BIG, *[FAILED] * 3, causes=lost)[-1] == third
    assert judged(old(), GOOD, *[FAILED] * 7, causes=lost)[-1] == ""
    monkeypatch.setenv("WANDB_AGENT_DISABLE_FLAPPING", "true")
    assert judged(old(), *[FAILED] * 3, causes=lost)[-1] == ""


def test_later_five_failures_stop_an_agent_that_had_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(old(), TOO_BIG, *[FAILED] * 5, causes=["a", "b"])[-2:] == [
        "",
        "5 programs failed, and none succeeded (WANDB_AGENT_MAX_INITIAL_FAILURES=5): 3x b; 2x a",
    ]
    assert judged(old(), GOOD, *[FAILED] * 7)[-1] == ""
    monkeypatch.setenv("WANDB_AGENT_MAX_INITIAL_FAILURES", "2")
    assert judged(old(), FAILED, FAILED)[-1].startswith("2 programs failed, and none succeeded")


def test_a_limit_counts_all_failures_in_a_row_as_that_of_wandb_agent_does() -> None:
    def limited() -> Endings:
        return Endings(2, started=time.monotonic() - 1000)

    assert judged(limited(), GOOD, FAILED, GOOD, FAILED) == [""] * 4
    assert judged(limited(), GOOD, FAILED, TOO_BIG)[-1] == (
        "2 programs in a row failed (--max-consecutive-failed-runs), the last one with: out_of_memory"
    )
    assert judged(limited(), GOOD, FAILED, FAILED, code=-11)[-1].startswith("2 programs in a row failed")


def test_failures_that_the_search_learns_from_and_ends_that_were_asked_for_do_not_count() -> None:
    assert judged(Endings(), *[TOO_BIG] * 9)[-1] == ""
    assert judged(Endings(), *[FAILED] * 9, asked=True)[-1] == ""
    assert judged(Endings(), *[FAILED] * 9, code=-9)[-1] == ""
    stopped = Outcome({STATE_KEY: ABANDONED, REASON_KEY: "stopped"})  # in W&B: its program was interrupted there
    assert judged(Endings(limit=3), *[stopped] * 9) == [""] * 9


def test_ends_that_every_other_run_would_have_stop_the_agent() -> None:
    assert judged(Endings(), USAGE) == ["the next run would end like this one"]
    assert judged(old(), SILENT, SILENT, GOOD, SILENT, SILENT, code=0)[-1] == ""
    assert judged(old(), SILENT, SILENT, SILENT, code=0)[-1] == "the next run would end like this one"


def test_a_setting_that_is_no_number_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_AGENT_KILL_DELAY", "soon")
    assert setting("WANDB_AGENT_KILL_DELAY", 30.0) == 30.0
    monkeypatch.setenv("WANDB_AGENT_KILL_DELAY", "2.5")
    assert setting("WANDB_AGENT_KILL_DELAY", 30.0) == 2.5
