"""A training program as a child process: started, watched, asked to end, made to end."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from wandb_carbs.agent.keeper import RECORDED, message

logger = logging.getLogger("wandb_carbs")

# Of each end of the program's standard error.
_KEPT_BYTES = 64 * 1024
# Something that the program has started may hold its standard error open for longer than the program lives.
_TAIL_SECONDS = 1.0


class Program:
    """A running program.

    It has a process group of its own, so that Ctrl-C reaches the agent alone, and no standard input, as under W&B's own
    agent. Its standard error goes through this process, which keeps the end of it. Should this process be killed, the
    program goes on: a keeper beside it reads what it writes, and gives the end of it to another command. The same holds
    for a program that has ended with an exit code, until `release` is called.

    Args:
        command: The program and its arguments.
        environment: All of its variables.
        when_ended: Called, from another thread, when the program has ended.
        after_agent: The command that gets the last words by its standard input, should this process be killed.

    Raises:
        OSError: If it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        when_ended: Callable[[], None],
        after_agent: Sequence[str] = (),
    ) -> None:
        self._kernel_kills = out_of_memory_kills()
        self._started = time.monotonic()
        self._process = _start(command, environment)
        assert self._process.stderr is not None
        self._keeper = _Keeper(self._process.stderr, after_agent)
        self._head, self._tail = bytearray(), bytearray()
        self._ended: float | None = None
        self._code: int | None = None
        self._is_read, self._is_released = threading.Event(), threading.Event()
        self.asked_at: float | None = None
        self.asked_why = ""
        self._is_group_asked = False
        threading.Thread(target=self._read, args=(self._process.stderr,), daemon=True).start()
        self._waiter = threading.Thread(target=self._wait, args=(when_ended,), daemon=True)
        self._waiter.start()

    @property
    def exit_code(self) -> int | None:
        """How it ended: a negative number for a signal; None while it runs."""
        return self._code

    @property
    def seconds(self) -> float:
        """How long it has run, or ran."""
        return (self._ended or time.monotonic()) - self._started

    @property
    def first_words(self) -> str:
        """The beginning of its standard error."""
        self._is_read.wait(_TAIL_SECONDS)
        return bytes(self._head).decode(errors="replace")

    @property
    def last_words(self) -> str:
        """The end of its standard error."""
        self._is_read.wait(_TAIL_SECONDS)
        return bytes(self._tail).decode(errors="replace")

    @property
    def was_out_of_memory(self) -> bool:
        """Whether the kernel killed a process for lack of memory in the meantime."""
        return out_of_memory_kills() > self._kernel_kills

    def ask_to_end(self, why: str) -> None:
        """Send SIGTERM, once; it may take its time."""
        if self.asked_at is None:
            self.asked_at, self.asked_why = time.monotonic(), why
            self.send(signal.SIGTERM)

    def kill(self, why: str) -> None:
        """End it at once, with everything that it has started in its group."""
        self.asked_why = self.asked_why or why
        if self.asked_at is None:
            self.asked_at = time.monotonic()
        self.kill_group()

    def kill_group(self) -> None:
        """End whatever is left of its group: a worker that lives on would keep its memory."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def is_leaving(self, patience: float) -> bool:
        """Tell whether something of a program that was asked to end is left, and has not had its time yet.

        A shell that is asked to end leaves its training behind, which has not been asked.

        Args:
            patience: Seconds from the question on.
        """
        if self.asked_at is None or time.monotonic() > self.asked_at + patience:
            return False
        try:
            os.killpg(self._process.pid, 0 if self._is_group_asked else signal.SIGTERM)
        except (ProcessLookupError, PermissionError):
            return False
        self._is_group_asked = True
        return True

    def send(self, number: int) -> None:
        """Send a signal to the program alone."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def wait(self) -> None:
        """Wait until it has ended."""
        self._waiter.join()

    def release(self) -> None:
        """Let the keeper go: how the program ended is recorded."""
        self._keeper.tell(RECORDED)
        self._is_released.set()

    def _wait(self, when_ended: Callable[[], None]) -> None:
        code = self._process.wait()
        self._ended = time.monotonic()
        if code != 0:
            self._is_read.wait(_TAIL_SECONDS)
            self._keeper.tell(message(code, bytes(self._tail)))
        self._code = code  # nobody acts on it before the keeper has it
        when_ended()

    def _read(self, stream: IO[bytes]) -> None:
        with stream, contextlib.suppress(OSError, ValueError):
            while chunk := os.read(stream.fileno(), _KEPT_BYTES):
                self._head += chunk[: _KEPT_BYTES - len(self._head)]
                self._tail += chunk
                del self._tail[:-_KEPT_BYTES]
                # The program must not wait for a terminal that is gone.
                with contextlib.suppress(OSError, ValueError):
                    _pass_on(chunk)
        # The stream has ended before the keeper is let go, so that it finds nothing to read.
        self._is_read.set()
        self._is_released.wait()
        self._keeper.let_go()


class _Keeper:
    """The process that has the program's standard error, should this one be killed.

    Args:
        stream: The standard error.
        after_agent: The command that gets its end.
    """

    def __init__(self, stream: IO[bytes], after_agent: Sequence[str]) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this package's own file
                [
                    *(sys.executable, "-I", "-S", str(Path(__file__).with_name("keeper.py"))),
                    *(str(stream.fileno()), *after_agent),
                ],
                env=_without_service(os.environ),
                stdin=subprocess.PIPE,
                pass_fds=[stream.fileno()],
                # Signals that are meant for the agent's group or the program's must not end it.
                start_new_session=True,
            )
        except OSError as error:
            logger.warning("Should this agent be killed, its program ends, too: %s", error)

    def tell(self, text: bytes) -> None:
        """Write a message to it; it may be gone."""
        with contextlib.suppress(OSError, ValueError):
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.write(text)
                self._process.stdin.flush()

    def let_go(self) -> None:
        """Let it end, and wait until it has."""
        if self._process is not None:
            self._process.communicate()


def _start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    if sys.version_info >= (3, 11):
        return subprocess.Popen(  # noqa: S603 - the user's own command
            list(command), env=dict(environment), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, process_group=0
        )
    return subprocess.Popen(  # noqa: S603 - as above
        list(command),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=os.setpgrp,  # noqa: PLW1509 - nothing else is run between fork and exec
    )


def _pass_on(chunk: bytes) -> None:
    binary = getattr(sys.stderr, "buffer", None)
    if binary is None:  # a notebook's, or a test's
        sys.stderr.write(chunk.decode(errors="replace"))
    else:
        binary.write(chunk)
    sys.stderr.flush()


def environment_for(
    base: Mapping[str, str], *, entity: str, project: str, sweep_id: str, run_id: str, parameters: Path
) -> dict[str, str]:
    """Return the variables by which the SDK joins the run: those that W&B's own agent sets.

    Args:
        base: The agent's own variables.
        entity: Owner of the project.
        project: The sweep's project.
        sweep_id: The sweep.
        run_id: The run.
        parameters: File of the run's values.
    """
    return {
        **_without_service(base),
        "WANDB_ENTITY": entity,
        "WANDB_PROJECT": project,
        "WANDB_SWEEP_ID": sweep_id,
        "WANDB_RUN_ID": run_id,
        "WANDB_SWEEP_PARAM_PATH": str(parameters),
        "WANDB_DIR": str(Path(base.get("WANDB_DIR") or Path.cwd()).absolute()),
    }


def _without_service(variables: Mapping[str, str]) -> dict[str, str]:
    """Leave out this process's connection to its SDK's service, which ends with it; a program may have another SDK."""
    return {name: value for name, value in variables.items() if name != "WANDB_SERVICE"}


def out_of_memory_kills() -> int:
    """Count the processes of this container, or control group, that the kernel killed for lack of memory."""
    try:
        groups = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        place = next(line[3:] for line in groups if line.startswith("0::"))
        events = Path(f"/sys/fs/cgroup{place.strip()}/memory.events").read_text(encoding="utf-8")
        return sum(int(line.split()[1]) for line in events.splitlines() if line.startswith("oom_kill "))
    except (OSError, StopIteration, ValueError, IndexError):
        return 0
