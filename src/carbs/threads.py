"""BLAS in one thread, while the models are at work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS to one thread within the context, and give the caller's setting back.

    For matrices of a few hundred rows more threads save little, and cost ten times as much once other processes use the
    cores, as training does. The setting is the process's: of contexts that overlap in several of its threads, the first
    sets it and the last gives it back.
    """
    _hold.enter()
    try:
        yield
    finally:
        _hold.leave()


class _Hold:
    """The process's one limit, while any context is open."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open = 0
        self._limit = ExitStack()

    def enter(self) -> None:
        with self._lock:
            if not self._open:
                self._limit.enter_context(_controller().limit(limits=1, user_api="blas"))
            self._open += 1

    def leave(self) -> None:
        with self._lock:
            self._open -= 1
            if not self._open:
                self._limit.close()


_hold = _Hold()


@cache
def _controller() -> ThreadpoolController:
    # It looks through all libraries of the process; what numpy and scipy need is loaded by now.
    return ThreadpoolController()
