"""What an exception in a training run says about its hyperparameters."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

from wandb_carbs.errors import WandbConnectionError
from wandb_carbs.record import ABANDONED, FAILURE

OUT_OF_MEMORY = "out_of_memory"
NAN = "nan"

# torch, JAX (XLA), cuBLAS/cuDNN, numpy and the host say it in these words.
_OUT_OF_MEMORY_TEXT = re.compile(
    r"out of memory|RESOURCE_EXHAUSTED|can't allocate memory|cannot allocate memory|unable to allocate|_ALLOC_FAILED",
    re.IGNORECASE,
)
_NAN_TEXT = re.compile(r"\bnan\b|\bnot a number\b", re.IGNORECASE)


def judge_exception(error: BaseException) -> tuple[str, str]:
    """Tell how to record a run that an exception ended.

    Args:
        error: The exception.

    Returns:
        The state, `failure` if the hyperparameters can have caused it and `abandoned` if not; and the reason.
    """
    if not isinstance(error, Exception):  # KeyboardInterrupt, SystemExit, GeneratorExit
        return ABANDONED, f"interrupted: {type(error).__name__}"
    if type(error) is Exception and not error.args:
        # What wandb.agent throws into the function when the run is stopped from outside.
        return ABANDONED, "stopped"
    chain = list(_causes(error))
    if any(_is_out_of_memory(cause) for cause in chain):
        return FAILURE, OUT_OF_MEMORY
    if any(isinstance(cause, WandbConnectionError) for cause in chain):
        return ABANDONED, "connection to W&B lost"
    if isinstance(error, FloatingPointError) or _NAN_TEXT.search(str(error)):
        return FAILURE, NAN
    return FAILURE, f"exception: {type(error).__name__}"


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
