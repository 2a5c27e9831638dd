"""An agent stops where every program ends badly for reasons that are not its values."""

from __future__ import annotations

import time

import pytest

from wandb_carbs.agent.endings import Endings, setting
from wandb_carbs.agent.outcome import Outcome
from wandb_carbs.record import ABANDONED, FAILURE, REASON_KEY, STATE_KEY, SUCCESS

GOOD = Outcome({STATE_KEY: SUCCESS})
FAILED = Outcome({STATE_KEY: FAILURE, REASON_KEY: "exception: ValueError"})
TOO_BIG = Outcome({STATE_KEY: FAILURE, REASON_KEY: "out_of_memory"})
SILENT = Outcome({STATE_KEY: ABANDONED, REASON_KEY: "loss was not logged"}, tolerated=3)
USAGE = Outcome({STATE_KEY: ABANDONED, REASON_KEY: "refused its arguments"}, tolerated=1)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WANDB_AGENT_DISABLE_FLAPPING", "WANDB_AGENT_MAX_INITIAL_FAILURES"):
        monkeypatch.delenv(name, raising=False)


def judged(endings: Endings, *outcomes: Outcome, code: int = 1, asked: bool = False) -> list[str]:
    found = []
    for outcome in outcomes:
        endings.finished += 1
        found.append(endings.judge(code if outcome is not GOOD else 0, outcome, asked=asked))
    return found


def old() -> Endings:
    return Endings(started=time.monotonic() - 1000)


def test_three_failures_in_the_first_minute_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = judged(Endings(), FAILED, GOOD, FAILED)
    assert (first, second, third) == ("", "", "")
    assert judged(Endings(), FAILED, FAILED, FAILED)[-1].startswith("3 programs failed within 60 s")
    monkeypatch.setenv("WANDB_AGENT_DISABLE_FLAPPING", "true")
    assert judged(Endings(), FAILED, FAILED, FAILED)[-1] == ""


def test_later_five_failures_stop_an_agent_that_had_no_other_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(old(), *[FAILED] * 5)[-2:] == [
        "",
        "all 5 programs failed (WANDB_AGENT_MAX_INITIAL_FAILURES changes the limit)",
    ]
    assert judged(old(), GOOD, *[FAILED] * 7)[-1] == ""
    monkeypatch.setenv("WANDB_AGENT_MAX_INITIAL_FAILURES", "2")
    assert judged(old(), FAILED, FAILED)[-1].startswith("all 2 programs failed")


def test_failures_that_the_search_learns_from_and_ends_that_were_asked_for_do_not_count() -> None:
    assert judged(Endings(), *[TOO_BIG] * 9)[-1] == ""
    assert judged(Endings(), *[FAILED] * 9, asked=True)[-1] == ""
    assert judged(Endings(), *[FAILED] * 9, code=-9)[-1] == ""


def test_ends_that_every_other_run_would_have_stop_the_agent() -> None:
    assert judged(Endings(), USAGE) == ["the next run would end like this one"]
    assert judged(old(), SILENT, SILENT, GOOD, SILENT, SILENT, code=0)[-1] == ""
    assert judged(old(), SILENT, SILENT, SILENT, code=0)[-1] == "the next run would end like this one"


def test_a_setting_that_is_no_number_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_AGENT_KILL_DELAY", "soon")
    assert setting("WANDB_AGENT_KILL_DELAY", 30.0) == 30.0
    monkeypatch.setenv("WANDB_AGENT_KILL_DELAY", "2.5")
    assert setting("WANDB_AGENT_KILL_DELAY", 30.0) == 2.5
