"""Launchers of processes, such as `torchrun` and `accelerate launch`: how the process behind them ended."""

from __future__ import annotations

import re

_TRACEBACK = "Traceback (most recent call last)"
# torchrun's; and that of accelerate, and of programs that start another one by `subprocess.run(…, check=True)`.
_RAISED = re.compile(r"^(?:[A-Za-z_]\w*\.)*(ChildFailedError|CalledProcessError):", re.MULTILINE)
_STATUS = re.compile(r"returned non-zero exit status (\d+)")
_SIGNAL = re.compile(r"died with <Signals\.\w+: (\d+)>")
_FIRST_FAILURE = re.compile(r"^Root Cause.*?^\s*exitcode\s*:\s*(-?\d+)", re.MULTILINE | re.DOTALL)
# torchrun's log of what it does with the processes.
_LOG = re.compile(r"^[IWE]\d{4} [^\n]*\btorch/distributed/[^\n]*\n?", re.MULTILINE)


def behind_launcher(exit_code: int, words: str) -> tuple[int, str]:
    """Return how the process ended that a launcher had started, where the launcher has raised an exception of its own.

    That exception hides the process's exit code and is said after the process's own words.

    Args:
        exit_code: The launcher's; a negative number for a signal.
        words: The end of its standard error.

    Returns:
        The process's exit code and words; what was given where there is no launcher.
    """
    found = list(_RAISED.finditer(words))
    if not found:
        return exit_code, words
    raised, told = found[-1], words[found[-1].end() :]
    is_torchrun = raised[1] == "ChildFailedError"
    if not is_torchrun and _TRACEBACK in told:
        return exit_code, words
    begin = words.rfind(_TRACEBACK, 0, raised.start())
    if is_torchrun and (first := _FIRST_FAILURE.search(told)):
        exit_code = int(first[1])
    elif status := _STATUS.search(told):
        exit_code = int(status[1])
    elif signal := _SIGNAL.search(told):
        exit_code = -int(signal[1])
    return exit_code, _LOG.sub("", words[: max(begin, 0)])
