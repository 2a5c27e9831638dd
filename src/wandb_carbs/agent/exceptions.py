"""Exceptions in a training run, and whether its hyperparameters can have caused them."""

from __future__ import annotations

import errno
import itertools
import re
from collections.abc import Iterator

from wandb_carbs.errors import WandbConnectionError
from wandb_carbs.record import ABANDONED, FAILURE

# Of words that are no traceback, so many lines before the end may name the cause.
_LAST_LINES = 20

OUT_OF_MEMORY = "out_of_memory"
NAN = "nan"

# torch, JAX (XLA), cuBLAS/cuDNN, numpy and the host say it in these words.
_OUT_OF_MEMORY_TEXT = re.compile(
    r"out of memory|RESOURCE_EXHAUSTED|can't allocate memory|cannot allocate memory|unable to allocate|_ALLOC_FAILED",
    re.IGNORECASE,
)
_TRACEBACK = "Traceback (most recent call last)"
_FROM_ANOTHER = re.compile(
    "The above exception was the direct cause of the following exception"
    "|During handling of the above exception, another exception occurred"
)
_NAN_TEXT = re.compile(r"\bnan\b|\bnot a number\b", re.IGNORECASE)
# The last line of a traceback: the exception's type, perhaps with its module, and its message.
_EXCEPTION_LINE = re.compile(r"^(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)(?:: (.*))?$")


def judge_exception(error: BaseException) -> tuple[str, str]:
    """Judge how to record a run that an exception ended.

    Args:
        error: The exception.

    Returns:
        The state, `failure` if the hyperparameters can have caused it and `abandoned` if not; and the reason.
    """
    if not isinstance(error, Exception):  # KeyboardInterrupt, SystemExit, GeneratorExit
        return ABANDONED, f"interrupted: {type(error).__name__}"
    if type(error) is Exception and not error.args:
        # wandb.agent throws this into the function when the run is stopped from outside.
        return ABANDONED, "stopped"
    chain = list(_causes(error))
    if any(_is_out_of_memory(cause) for cause in chain):
        return FAILURE, OUT_OF_MEMORY
    if any(isinstance(cause, WandbConnectionError) for cause in chain):
        return ABANDONED, "connection to W&B lost"
    text = str(error)
    # Of another process, as torch.multiprocessing.spawn raises it.
    known = judge_words(text) if _TRACEBACK in text else ""
    if known in (OUT_OF_MEMORY, NAN):
        return FAILURE, known
    if isinstance(error, FloatingPointError) or (not known and _NAN_TEXT.search(text)):
        return FAILURE, NAN
    return FAILURE, f"exception: {type(error).__name__}"


def judge_words(text: str) -> str:
    """Judge from the last words of a program why it ended.

    Args:
        text: The end of its standard error.

    Returns:
        `out_of_memory`, `nan`, the exception that ended it, or nothing where the words do not say.
    """
    match = _last_exception(text)
    if match is None:
        # Programs in other languages, and runtimes that end the process themselves.
        lines = _lines(text)[-_LAST_LINES:]
        return OUT_OF_MEMORY if any(_OUT_OF_MEMORY_TEXT.search(line) for line in lines) else ""
    if match[1] in ("MemoryError", "OutOfMemoryError") or _OUT_OF_MEMORY_TEXT.search(match[0]):
        return OUT_OF_MEMORY
    if match[1] == "FloatingPointError" or _NAN_TEXT.search(match[2] or ""):
        return NAN
    return f"exception: {match[1]}"


def exception_line(text: str) -> str:
    """Return the line of the exception that ended a program, with its message; empty if no exception did.

    Args:
        text: The end of its standard error.
    """
    match = _last_exception(text)
    return match[0] if match else ""


def exception_lines(text: str) -> list[str]:
    """Return the lines of the exception that ended a program, of those that caused it, and all that comes after them.

    Args:
        text: The end of its standard error.
    """
    lines = text.splitlines()
    begins = [place for place, line in enumerate(lines) if _TRACEBACK in line]
    parts: list[str] = []
    end = len(lines)
    # An exception may have been raised from another one, which Python prints before it.
    while begins and (end == len(lines) or any(map(_FROM_ANOTHER.search, lines[begins[-1] : end]))):
        begin = begins.pop()
        # The places in the code are indented, or in a frame that rich draws.
        said = itertools.dropwhile(lambda line: line[:1] in ("", *" \t│╭╰┃┏┗"), lines[begin + 1 : end])
        parts, end = [*said, *parts], begin
    return parts


def text_of(reason: object) -> str:
    """Put a reason that a user gave into words.

    Args:
        reason: Anything.

    Returns:
        Its text; of an exception the type and message, or what `judge_exception` recognises in it.
    """
    if reason is None:
        return ""
    name = type(reason).__name__
    try:
        text = str(reason)
        if not isinstance(reason, BaseException):
            return text
        known = judge_exception(reason)[1]
    except Exception:  # noqa: BLE001 - a reason that has no words must not cost the record
        return name
    if known in (OUT_OF_MEMORY, NAN):
        return known
    return f"{name}: {text}" if text else name


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def _last_exception(text: str) -> re.Match[str] | None:
    for line in reversed(_lines(text)):
        match = _EXCEPTION_LINE.fullmatch(line)
        if match and match[1].endswith(("Error", "Exception", "Exit", "Interrupt", "Warning")):
            return match
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    # By name, since neither torch nor JAX is imported here.
    if any(base.__name__ == "OutOfMemoryError" for base in type(error).__mro__):
        return True
    return isinstance(error, RuntimeError) and _OUT_OF_MEMORY_TEXT.search(str(error)) is not None
