"""The programs of an agent are told to end, step by step."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

from wandb_carbs.agent.running import Running, forward, kill_delay, press
from wandb_carbs.agent.shutdown import Stage


class Heard:
    """Stands for a program, and notes what it is told."""

    def __init__(self, asked_at: float | None = None) -> None:
        self.asked_at, self.asked_why = asked_at, "stopped"
        self.heard: list[Any] = []

    def ask_to_end(self, why: str) -> None:
        self.heard.append(f"end: {why}")

    def kill(self, why: str) -> None:
        self.heard.append(f"kill: {why}")

    def send(self, number: int) -> None:
        self.heard.append(number)


def of(program: Any) -> list[Running]:
    run: Any = None
    return [Running(run, program)]


@pytest.mark.parametrize(
    ("stage", "heard"),
    [
        (Stage.WORKING, []),
        (Stage.WAITING, []),
        (Stage.TERMINATING, ["end: Ctrl-C"]),
        (Stage.KILLING, ["kill: Ctrl-C"]),
    ],
)
def test_each_stage_presses_harder(stage: Stage, heard: list[str]) -> None:
    program = Heard()
    press(of(program), stage, "Ctrl-C")
    assert program.heard == heard


@pytest.mark.parametrize(("ago", "heard"), [(0.0, []), (9e5, ["kill: stopped"])])
def test_a_program_that_was_asked_has_its_time(ago: float, heard: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_AGENT_KILL_DELAY", "1000")
    program = Heard(asked_at=time.monotonic() - ago)
    press(of(program), Stage.WORKING, "")
    assert program.heard == heard


def test_the_delay_is_that_of_wandb_unless_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_AGENT_KILL_DELAY", raising=False)
    assert kill_delay() == 30.0


def test_a_forwarded_sigterm_asks_and_other_signals_pass() -> None:
    program = Heard()
    for number in (signal.SIGTERM, signal.SIGUSR1):
        forward(of(program), number)
    assert program.heard == ["end: SIGTERM", signal.SIGUSR1]
