"""Launchers of processes, such as `torchrun`, `accelerate launch` and shells: how the process behind them ended."""

from __future__ import annotations

import re
import signal

_TRACEBACK = "Traceback (most recent call last)"
# torchrun's; and that of accelerate, and of programs that start another one by `subprocess.run(…, check=True)`.
_RAISED = re.compile(r"^(?:[A-Za-z_]\w*\.)*(ChildFailedError|CalledProcessError):", re.MULTILINE)
_STATUS = re.compile(r"returned non-zero exit status (\d+)")
_SIGNAL = re.compile(r"died with <Signals\.\w+: (\d+)>")
_FIRST_FAILURE = re.compile(r"^Root Cause.*?^\s*exitcode\s*:\s*(-?\d+)", re.MULTILINE | re.DOTALL)
# torchrun's log of what it does with the processes.
_LOG = re.compile(r"^[IWE]\d{4} [^\n]*\btorch/distributed/[^\n]*\n?", re.MULTILINE)
# Lightning's first process, which starts the others, and kills itself when one of them has failed.
_CHILD_FAILED = re.compile(
    r"^\[rank: \d+\] Child process with PID \d+ terminated with code (-?\d+)\.[^\n]*\n?", re.MULTILINE
)
# torch puts it before each line of the exception that ends a process of a distributed training.
_RANK = re.compile(r"^\[rank\d+\]: ")
# A shell says by which signal a command has ended, though it goes on: bash with the line of its script, dash without.
_SIGNALS = {
    str(signal.strsignal(number)): number
    for number in (
        *(signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT),
        *(signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGHUP),
    )
}
_NAMES = "|".join(map(re.escape, _SIGNALS))
_SAID_BY_SHELL = re.compile(
    rf"^(?:.+: line \d+: +\d+ (?P<bash>{_NAMES}).*|(?P<dash>{_NAMES})(?: \(core dumped\))?)\s*$", re.MULTILINE
)


def behind_launcher(exit_code: int, words: str) -> tuple[int, str]:
    """Return how the process ended that a launcher had started, where the launcher has an end of its own.

    torchrun and others raise an exception: it hides the process's exit code and is said after the process's own words.
    Lightning kills itself.

    Args:
        exit_code: The launcher's; a negative number for a signal.
        words: The end of its standard error.

    Returns:
        The process's exit code and words, those of the first one to fail where several of a distributed training did;
        what was given where there is no launcher.
    """
    code, own = _without_launcher(exit_code, words)
    return code, _of_first_rank(own)


def _without_launcher(exit_code: int, words: str) -> tuple[int, str]:
    if exit_code == -signal.SIGKILL and (child := _CHILD_FAILED.search(words)):
        return int(child[1]), _CHILD_FAILED.sub("", words)
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
    elif killed := _SIGNAL.search(told):
        exit_code = -int(killed[1])
    return exit_code, _LOG.sub("", words[: max(begin, 0)])


def _of_first_rank(words: str) -> str:
    """Leave out all that is said after the first process that an exception ended, and what others say before.

    The others have lost their peer; the SDK says the exception of its process once more, without the rank.
    """
    lines = words.split("\n")
    ranks = [match[0] if (match := _RANK.match(line)) else "" for line in lines]
    first = next(filter(None, ranks), "")
    if not first:
        return words
    end = len(ranks) - ranks[::-1].index(first)
    kept = zip(lines[:end], ranks[:end], strict=True)
    return "\n".join(line.removeprefix(rank) for line, rank in kept if rank in ("", first))


def behind_shell(words: str) -> int:
    """Return how a process ended by a signal of which a shell says so, and goes on: its exit code is another one.

    Args:
        words: The end of the shell's standard error.

    Returns:
        The process's exit code, a negative number; 0 if no shell says so, or in another language than English.
    """
    found = list(_SAID_BY_SHELL.finditer(words))
    return -_SIGNALS[found[-1]["bash"] or found[-1]["dash"]] if found else 0
