"""Messages of the demo's agents on a terminal, and without one."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from wandb_carbs.demo.display import Display
from wandb_carbs.demo.processes import Message

SUGGESTION = {"learning_rate": 0.0123456, "epochs": 10}
MESSAGES: list[dict[str, Any]] = [
    {"event": "ready"},
    {"event": "suggested", "run": "a", "suggestion": SUGGESTION},
    {"event": "progress", "epoch": 5, "loss": 0.75},
    {"event": "done", "run": "a", "objective": 0.5, "cost": 1.25},
    {"event": "suggested", "run": "b", "suggestion": SUGGESTION},
    {"event": "failed", "run": "b", "error": "ValueError: [bold]no"},
    {"event": "random", "objective": 0.7, "cost": 0.5},
    {"event": "compared"},
    {"event": "exit", "code": 0},
]


def shown(width: int, *, terminal: bool) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, markup=False)
    with Display(console, 1, 2) as display:
        for body in MESSAGES:
            display.show(Message(1, body))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_each_run_that_ends_is_a_line() -> None:
    """Where there is no terminal, nothing else is, and the lines are whole."""
    assert shown(1000, terminal=False).splitlines() == [
        "run  agent     loss  seconds  learning_rate  epochs",
        "1/2      1   0.5000     1.25         0.0123      10",
        "2/2      1  failed: ValueError: [bold]no         0.0123      10",
    ]


def test_terminal_shows_the_best_and_breaks_no_line() -> None:
    text = shown(40, terminal=True)
    assert "best loss 0.5000" in shown(100, terminal=True)
    assert "1/2      1   0.5000     1.25         0.…" in text


def test_terminal_keeps_no_line_of_an_agent_that_has_ended() -> None:
    """What stays is the runs and the last progress bar."""
    last = shown(100, terminal=True).rpartition("\x1b[2K")[2]
    assert "2/2" in last
    assert "ended" not in last


def test_terminal_that_cannot_move_its_cursor_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert shown(1000, terminal=True) == shown(1000, terminal=False)


def test_agents_say_what_they_do() -> None:
    """The live lines follow the messages: the run's epochs, then random search, then the end."""
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    other, seen = Console(file=io.StringIO(), width=100), []
    with Display(console, 1, 2) as display:
        for body in MESSAGES:
            display.show(Message(1, body))
            with other.capture() as capture:
                other.print(display.render())
            seen.append(capture.get().splitlines()[0])
    assert "asking" in seen[0]
    assert "epoch 5/10" in seen[2]
    assert "loss 0.7500" in seen[2]
    assert "asking" in seen[3]
    assert "random search" in seen[6]
    assert "ended" in seen[8]
