"""Several agents on one machine, one for each GPU."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any

from wandb_carbs.exit_codes import as_shell

_FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")


def run_agents(arguments: Sequence[str], gpus: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one agent process for each GPU, and wait for all of them.

    Every signal that this process gets goes to all of them; each is in a process group of its own, so that none gets
    Ctrl-C twice.

    Args:
        arguments: Arguments of `wandb-carbs agent`.
        gpus: Each agent's `CUDA_VISIBLE_DEVICES`.
        environment: The other variables.

    Returns:
        The highest exit code.
    """
    processes: list[subprocess.Popen[bytes]] = []

    def forward(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
        for process in processes:
            if process.poll() is None:
                process.send_signal(number)

    former: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        former = {number: signal.signal(number, forward) for number in (getattr(signal, n) for n in _FORWARDED)}
    try:
        # One by one into the list, so that a signal that comes meanwhile reaches those that run.
        for gpu in gpus:
            processes.append(_start(arguments, {**environment, "CUDA_VISIBLE_DEVICES": gpu}))  # noqa: PERF401
        return max(as_shell(process.wait()) for process in processes)
    finally:
        for process in processes:
            if process.poll() is None:
                process.terminate()
        for number, handler in former.items():
            signal.signal(number, handler)


def parse_gpus(text: str) -> list[str]:
    """Read "0,1,2" or "0 1 2", or "0-3".

    Raises:
        ValueError: If it names none, or one twice.
    """
    names: list[str] = []
    for part in text.replace(",", " ").split():
        first, dash, last = part.partition("-")
        if dash and first.isdigit() and last.isdigit() and int(first) <= int(last):
            names += [str(number) for number in range(int(first), int(last) + 1)]
        else:
            names.append(part)
    if not names or len(set(names)) < len(names):
        raise ValueError(f"{text!r} must name each GPU once, like 0,1,2,3")
    return names


def _start(arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    # A session of its own, and with it a group; the terminal's Ctrl-C comes through `forward`.
    return subprocess.Popen(  # noqa: S603 - this program itself
        [sys.executable, "-m", "wandb_carbs.cli", "agent", *arguments],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
