"""BLAS in one thread, while the models are at work."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[Any]:
    """Hold BLAS to one thread within the context, and give the caller's setting back.

    For matrices of a few hundred rows more threads save little, and cost ten times as much once other processes use the
    cores, as training does.
    """
    limits: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limits


@cache
def _controller() -> ThreadpoolController:
    # It looks through all libraries of the process; what numpy and scipy need is loaded by now.
    return ThreadpoolController()
