"""The last words of a program: those of its lines that say why it ended."""

from __future__ import annotations

import re

from wandb_carbs.agent.exceptions import exception_line
from wandb_carbs.agent.launchers import behind_launcher

# The end of a traceback: two places in the code and the exception.
_SHOWN_LINES = 5
_LINE_LENGTH = 300
# The SDK's own lines come after those of the program.
_SDK = re.compile(r"wandb: |wandb:$")
# Python's marks under a line of a traceback, since 3.11.
_MARKS = re.compile(r"\s*[~^]+")
_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def last_lines(words: str) -> list[str]:
    """Return the last few lines that are the program's own.

    Args:
        words: The end of its standard error.
    """
    lines = (_shown(line) for line in words.split("\n"))
    own = [line for line in lines if line.strip() and not _SDK.match(line) and not _MARKS.fullmatch(line)]
    return own[-_SHOWN_LINES:]


def ending_of(exit_code: int, words: str) -> tuple[str, list[str]]:
    """Return how a program ended, and its last few lines: those of the process that a launcher had started, if it did.

    Args:
        exit_code: Its exit code; a negative number for a signal.
        words: The end of its standard error.
    """
    code, own = behind_launcher(exit_code, words)
    return f"exit code {code}" if code > 0 else f"signal {-code}", last_lines(own) or last_lines(words)


def after_sdk(words: str) -> str:
    """Return what a program said after the SDK's own lines, with which a run is finished; all of it without them.

    Args:
        words: The end of its standard error.
    """
    lines = words.split("\n")
    last = max((number for number, line in enumerate(lines) if _SDK.match(_shown(line))), default=-1)
    return "\n".join(lines[last + 1 :])


def cause_of(exit_code: int, words: str, reason: str) -> str:
    """Say in one line why a program failed: the exception that ended it, or else its last line, with its exit code.

    Args:
        exit_code: Its exit code; a negative number for a signal.
        words: The end of its standard error.
        reason: The reason that is recorded.
    """
    code, words = behind_launcher(exit_code, words)
    found = exception_line(words) or next(reversed(last_lines(words)), "")
    return f"{_shown(found).strip()} (exit code {code})" if found else reason


def _shown(line: str) -> str:
    """Return what a terminal shows of a line at last: a progress bar writes over itself."""
    parts = [part for part in _STYLE.sub("", line).rstrip().split("\r") if part.strip()]
    return parts[-1].rstrip()[:_LINE_LENGTH] if parts else ""
