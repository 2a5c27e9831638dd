"""The programs that an agent runs now: signals for them, and how they are made to end."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass

from wandb_carbs.agent.endings import setting
from wandb_carbs.agent.program import Program
from wandb_carbs.agent.program_run import ProgramRun
from wandb_carbs.agent.shutdown import Stage

# As W&B's own agent.
_KILL_SECONDS = 30.0


@dataclass(frozen=True)
class Running:
    """A program that runs.

    Attributes:
        run: Its run.
        program: The program.
    """

    run: ProgramRun
    program: Program


def press(running: Iterable[Running], stage: Stage, why: str) -> None:
    """Ask programs to end, and end those that have been asked for long enough; a handler of signals calls this.

    Args:
        running: The programs.
        stage: How far the agent's own end has come.
        why: What to say of them.
    """
    for entry in running:
        if stage >= Stage.KILLING:
            entry.program.kill(why)
        elif stage >= Stage.TERMINATING:
            entry.program.ask_to_end(why)
        asked = entry.program.asked_at
        if asked is not None and time.monotonic() > asked + kill_delay():
            entry.program.kill(entry.program.asked_why)


def forward(running: Iterable[Running], number: int) -> None:
    """Send programs a signal that the agent has got."""
    for entry in running:
        if number == signal.SIGTERM:
            entry.program.ask_to_end("SIGTERM")  # which is not repeated when the agent asks it to
        else:
            entry.program.send(number)


def kill_delay() -> float:
    """Return how many seconds a program has that was asked to end."""
    return setting("WANDB_AGENT_KILL_DELAY", _KILL_SECONDS)
