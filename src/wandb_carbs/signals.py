"""SIGTERM, which schedulers and spot machines send before they kill: say so to W&B, then do what was done before.

Python runs signal handlers in the main thread, and lets only the main thread install them; `wandb.agent` calls its
function in another one. From there the handler is installed through the interpreter's queue of pending calls, which the
main thread serves.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import threading
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

logger = logging.getLogger("wandb_carbs")

_PATIENCE = 10.0
# Weak: a run that ended without a word must not be kept by this.
_watchers: list[weakref.WeakMethod[Callable[[], None]]] = []
_lock = threading.RLock()
_previous: Any = None
_installed = False


def watch(callback: Callable[[], None]) -> None:
    """Call a bound method at SIGTERM, before what SIGTERM did so far."""
    with _lock:
        _watchers.append(weakref.WeakMethod(callback))
    _in_main_thread(_settle)


def unwatch(callback: Callable[[], None]) -> None:
    """Do not call the method any more; with the last one, the previous handler is restored."""
    with _lock:
        _watchers[:] = [reference for reference in _watchers if reference() not in (None, callback)]
    _in_main_thread(_settle)


def _settle() -> None:
    """Install the handler if anyone watches, restore the previous one if nobody does."""
    global _installed, _previous  # noqa: PLW0603 - a process has one handler
    if _watchers and not _installed:
        current = signal.getsignal(signal.SIGTERM)
        # Who ignores SIGTERM lives on; a handler from C cannot be called from here.
        if current is not None and current != signal.SIG_IGN:
            _previous = current
            signal.signal(signal.SIGTERM, _handle)
            _installed = True
    elif not _watchers and _installed:
        # Somebody may have installed theirs over ours since: then it stays.
        if signal.getsignal(signal.SIGTERM) is _handle:
            signal.signal(signal.SIGTERM, _previous)
        _installed = False


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


def _pending(_argument: int | None) -> int:
    try:
        _settle()
    except (ValueError, OSError):
        logger.exception("Could not install the handler of SIGTERM")
    return 0


# Kept alive here: the interpreter holds no reference to it.
_PENDING = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(_pending)


def _in_main_thread(action: Callable[[], None]) -> None:
    if threading.current_thread() is threading.main_thread():
        action()
    else:
        ctypes.pythonapi.Py_AddPendingCall(_PENDING, None)
