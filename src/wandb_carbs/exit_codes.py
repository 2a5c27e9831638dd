"""Exit codes of processes that a signal has ended: Python's are negative, a shell's are 128 and the signal's number."""

from __future__ import annotations

import signal

_SHELL = 128


def of_signal(number: int) -> int:
    """Return the exit code by which a shell reports a signal."""
    return _SHELL + number


def as_shell(code: int) -> int:
    """Return an exit code of `subprocess` as a shell reports it."""
    return of_signal(-code) if code < 0 else code


def signal_of(code: int) -> str:
    """Return the name of the signal that an exit code of either kind stands for; empty if it stands for none."""
    number = -code if code < 0 else code - _SHELL
    try:
        return signal.Signals(number).name if number > 0 else ""
    except ValueError:
        return ""


INTERRUPTED, TERMINATED = of_signal(signal.SIGINT), of_signal(signal.SIGTERM)
