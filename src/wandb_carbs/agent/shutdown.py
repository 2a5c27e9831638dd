"""How an agent ends when it is told to: by Ctrl-C in three steps, by SIGTERM in two."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from enum import IntEnum
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from wandb_carbs.exit_codes import of_signal

if TYPE_CHECKING:
    from typing_extensions import Self

# Sent on where signals are forwarded; the agent itself goes on.
_MESSAGES = ("SIGUSR1", "SIGUSR2", "SIGCONT", "SIGWINCH")
_TERMINATING = ("SIGTERM", "SIGHUP", "SIGQUIT")


class Stage(IntEnum):
    """How far an agent is on its way out."""

    WORKING = 0
    WAITING = 1
    TERMINATING = 2
    KILLING = 3


class Shutdown:
    """The signals that end an agent, while it is entered as a context.

    The first Ctrl-C waits for the program to end, the second asks it to (SIGTERM), the third ends it (SIGKILL). A
    SIGTERM, or the end of the terminal, begins with the second step: whoever sends it will not wait for a training.

    Args:
        wake: Set whenever something has happened.
        is_idle: Tells whether no program runs: then a second signal ends this process at once, whatever it waits for.
        forward: Sends a signal to the programs; None if they are not to get it.
        press: Ends the programs as the stage says. It is called at once, since this process may be waiting for W&B.

    Attributes:
        stage: How far the agent is on its way out.
        why: The signal's name; empty if there was none.
        exit_code: The exit code that this calls for.
    """

    def __init__(
        self,
        wake: threading.Event,
        is_idle: Callable[[], bool],
        forward: Callable[[int], None] | None = None,
        press: Callable[[], None] = lambda: None,
    ) -> None:
        self.stage = Stage.WORKING
        self.why = ""
        self.exit_code = 0
        self._wake = wake
        self._is_idle = is_idle
        self._forward = forward
        self._press = press
        self._former: dict[int, Any] = {}
        self._shown = Stage.WORKING

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            names = ("SIGINT", *_TERMINATING, *(_MESSAGES if self._forward else ()))
            for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
                former = signal.getsignal(number)
                # nohup, and shells for what runs in the background, have signals ignored.
                if former is not signal.SIG_IGN and former is not None:
                    self._former[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, former in self._former.items():
            signal.signal(number, former)

    def leave(self) -> None:
        """Take no new run."""
        self.stage = max(self.stage, Stage.WAITING)
        self._wake.set()

    def _handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's signature
        name = signal.Signals(number).name
        if self._forward is not None:
            self._forward(number)
        if name not in _MESSAGES:
            self.why = "Ctrl-C" if name == "SIGINT" else name
            self.exit_code = of_signal(number)
            least = Stage.WAITING if name == "SIGINT" else Stage.TERMINATING
            self.stage = max(least, Stage(min(self.stage + 1, Stage.KILLING)))
        self._wake.set()
        if self.stage >= Stage.TERMINATING:
            self._press()
            if self._is_idle():
                raise KeyboardInterrupt

    def news(self) -> str:
        """Return, once for each stage, what a signal has changed; a handler must not print."""
        if self.stage is self._shown or not self.why:
            return ""
        self._shown = self.stage
        if self.stage is Stage.WAITING:
            return "Ctrl-C: waiting for the program to end; again to ask it to end, a third time to kill it"
        if self.stage is Stage.TERMINATING:
            return f"{self.why}: the program is asked to end; again to kill it"
        return f"{self.why}: the program is killed"
