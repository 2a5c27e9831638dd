"""The demo's agent processes: started together, heard together, and all gone at the end."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

# One BLAS thread each: several agents share the cores, and BLAS threads that wait for one another get nothing done.
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMEXPR")}
# Seconds that an agent and what it started get to end by themselves before they are killed.
_GRACE = 3.0


@dataclass(frozen=True)
class Message:
    """A message of an agent.

    Attributes:
        agent: Its number, from 1.
        body: The message; its key `event` says of what kind. "exit", with the exit `code`, is the last.
    """

    agent: int
    body: dict[str, Any]


class Agents:
    """A context manager that runs agents and leaves no process behind.

    Args:
        number: How many.
        arguments: Command line of `wandb_carbs.demo.agent`, before the agent's number.
        env: Their whole environment.
        log_dir: Folder for what they print.
    """

    def __init__(self, number: int, arguments: list[str], env: Mapping[str, str], log_dir: Path) -> None:
        self._number = number
        self._arguments = arguments
        self._env = {**env, **_ONE_THREAD}
        self._log_dir = log_dir
        self._processes: list[subprocess.Popen[str]] = []
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def log_file(self, agent: int) -> Path:
        """Return the file that holds what an agent printed."""
        return self._log_dir / f"agent-{agent}.log"

    def messages(self) -> Iterator[Message]:
        """Yield messages as they come, until every agent has ended."""
        running = len(self._processes)
        while running:
            message = self._messages.get()
            running -= message.body["event"] == "exit"
            yield message

    def __enter__(self) -> Self:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        try:
            for agent in range(1, self._number + 1):
                self._start(agent)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _start(self, agent: int) -> None:
        with self.log_file(agent).open("w", encoding="utf-8") as log:
            process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "wandb_carbs.demo.agent", *self._arguments, str(agent)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
                env=self._env,
                # Ctrl-C in the terminal is for the demo, which then ends its agents in order.
                start_new_session=True,
            )
        self._processes.append(process)
        threading.Thread(target=self._listen, args=(agent, process), daemon=True).start()

    def _listen(self, agent: int, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self._messages.put(Message(agent, json.loads(line)))
        self._messages.put(Message(agent, {"event": "exit", "code": process.wait()}))

    def _stop(self) -> None:
        """End all agents and everything they started, impatient users notwithstanding."""
        with _no_interrupts():
            family = [handle for process in self._processes for handle in _open_family(process.pid)]
            for process in self._processes:
                _close(process.stdin)  # the agent ends
            _end(family)
            for process in self._processes:
                process.wait()


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _open_family(root: int) -> list[int]:
    """Open handles of a process and all its descendants.

    The SDK starts its service in a session of its own, so no process group holds them all; and unlike a number, a
    handle still means the same process when that process has ended and its number is used again.
    """
    handles = []
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(OSError):  # it has ended meanwhile
            handles.append(os.pidfd_open(pid))
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                waiting += [int(child) for child in children.read_text(encoding="utf-8").split()]
    return handles


def _end(handles: list[int]) -> None:
    """Wait for processes to end, and kill those that do not."""
    deadline = time.monotonic() + _GRACE
    for handle in handles:
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            poller.poll(_GRACE * 1000)
        os.close(handle)


def _close(stream: IO[str] | None) -> None:
    if stream is not None:
        with contextlib.suppress(BrokenPipeError):
            stream.close()
