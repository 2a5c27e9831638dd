"""Exceptions: which of them the hyperparameters caused."""

from __future__ import annotations

import errno

import numpy as np
import pytest

from wandb_carbs import WandbConnectionError
from wandb_carbs.agent.exceptions import judge_exception, text_of


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


class XlaRuntimeError(RuntimeError):
    """Named as JAX's."""


class SpawnedError(Exception):
    """As torch's ProcessRaisedException."""


def spawned(line: str) -> SpawnedError:
    """Return what torch.multiprocessing.spawn raises of a process that an exception has ended."""
    begin = "\n\n-- Process 1 terminated with the following error:\nTraceback (most recent call last):\n"
    return SpawnedError(f'{begin}  File "train.py", line 5, in train\n    check(nan)\n{line}\n')


def caused_by(cause: BaseException) -> RuntimeError:
    error = RuntimeError("training failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (OutOfMemoryError("CUDA"), "failure", "out_of_memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "failure", "out_of_memory"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"), "failure", "out_of_memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "failure", "out_of_memory"),
        (XlaRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying"), "failure", "out_of_memory"),
        (MemoryError(), "failure", "out_of_memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "failure", "out_of_memory"),
        (caused_by(MemoryError()), "failure", "out_of_memory"),
        (FloatingPointError("overflow"), "failure", "nan"),
        (ValueError("Input contains NaN."), "failure", "nan"),
        (spawned("torch.OutOfMemoryError: CUDA out of memory."), "failure", "out_of_memory"),
        (spawned("FloatingPointError: loss is NaN"), "failure", "nan"),
        (spawned("KeyError: 'lr'"), "failure", "exception: SpawnedError"),
        (ValueError("unknown finance"), "failure", "exception: ValueError"),
        (AssertionError(), "failure", "exception: AssertionError"),
        (Exception("said so"), "failure", "exception: Exception"),
        (Exception(), "abandoned", "stopped"),
        (WandbConnectionError("gone"), "abandoned", "connection to W&B lost"),
        (caused_by(WandbConnectionError("gone")), "abandoned", "connection to W&B lost"),
        (KeyboardInterrupt(), "abandoned", "interrupted: KeyboardInterrupt"),
        (SystemExit(0), "abandoned", "interrupted: SystemExit"),
        (GeneratorExit(), "abandoned", "interrupted: GeneratorExit"),
    ],
)
def test_judgement(error: BaseException, state: str, reason: str) -> None:
    assert judge_exception(error) == (state, reason)


class UnspeakableError(Exception):
    """Has no text."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("diverged", "diverged"),
        ("", ""),
        (None, ""),
        (ValueError("bad shape"), "ValueError: bad shape"),
        (KeyError("lr"), "KeyError: 'lr'"),
        (ValueError(), "ValueError"),
        (UnspeakableError(), "UnspeakableError"),
        (MemoryError(), "out_of_memory"),
        (ValueError("loss is nan"), "nan"),
        (ValueError, "<class 'ValueError'>"),
        (np.array([1, 2]), "[1 2]"),
        (3, "3"),
    ],
)
def test_any_reason_has_a_text(reason: object, text: str) -> None:
    assert text_of(reason) == text


def test_circular_causes_end() -> None:
    one, two = RuntimeError("one"), RuntimeError("two")
    one.__cause__, two.__cause__ = two, one
    assert judge_exception(one) == ("failure", "exception: RuntimeError")
