"""SIGTERM, which schedulers and spot machines send before they kill: say so to W&B, then do what was done before.

Only the main thread may install a handler, but `wandb.agent` calls its function in another, while the main thread waits
in C. So the handler is there from the import of this package on, if SIGTERM then has its default action; without a run
that watches, it does just that. Where somebody else's handler is in place, a run that starts in the main thread puts
this one before it, and takes it away again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

logger = logging.getLogger("wandb_carbs")

_PATIENCE = 10.0
# Weak: a run that ended without a word must not be kept by this. The tuple is replaced as a whole, under the lock, so
# that the handler, which may interrupt that, reads it without one.
_watchers: tuple[weakref.WeakMethod[Callable[[], None]], ...] = ()
_lock = threading.RLock()
_previous: Any = signal.SIG_DFL


@contextlib.contextmanager
def raising(error: BaseException) -> Iterator[None]:
    """Let SIGTERM raise `error` in the main thread, so that the stack unwinds as after Ctrl-C."""

    def end(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
        raise error

    previous = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def watch(callback: Callable[[], None]) -> None:
    """Call a bound method at SIGTERM, before what SIGTERM did so far."""
    global _previous, _watchers  # noqa: PLW0603 - a process has one handler
    with _lock:
        _watchers = (*_watchers, weakref.WeakMethod(callback))
        current = signal.getsignal(signal.SIGTERM)
        # A process that ignores SIGTERM lives on; a handler from C (None) cannot be called from here.
        if _is_main() and current not in (_handle, signal.SIG_IGN, None):
            _previous = current
            signal.signal(signal.SIGTERM, _handle)


def unwatch(callback: Callable[[], None]) -> None:
    """Do not call the method any more; with the last one, somebody else's handler is restored."""
    global _previous, _watchers  # noqa: PLW0603 - a process has one handler
    with _lock:
        _watchers = tuple(reference for reference in _watchers if reference() not in (None, callback))
        # Another handler may have been installed over this one since: then it stays.
        if not _watchers and callable(_previous) and _is_main() and signal.getsignal(signal.SIGTERM) is _handle:
            signal.signal(signal.SIGTERM, _previous)
            _previous = signal.SIG_DFL


def install() -> None:
    """Install the handler if this is the main thread and SIGTERM has its default action."""
    if _is_main() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _handle)


def _handle(number: int, frame: FrameType | None) -> None:
    callbacks = [callback for reference in _watchers if (callback := reference()) is not None]
    # In a thread of its own, with a limit: the interrupted code may hold a lock of the SDK's.
    threads = [threading.Thread(target=_call, args=(callback,), daemon=True) for callback in callbacks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_PATIENCE)
    if callable(_previous):
        _previous(number, frame)
        return
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _call(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:
        logger.exception("Could not record a run as abandoned at SIGTERM")


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def _forget() -> None:
    """Give a forked child its former handler: that a worker is terminated says nothing about its parent's run."""
    global _lock, _watchers  # noqa: PLW0603 - likewise
    _lock = threading.RLock()  # another thread may have held it at the fork
    _watchers = ()
    if _is_main() and signal.getsignal(signal.SIGTERM) is _handle:
        signal.signal(signal.SIGTERM, _previous)


os.register_at_fork(after_in_child=_forget)
