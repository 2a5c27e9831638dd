"""Processes that are forked from a training, such as the workers of a data loader."""

from __future__ import annotations

import gc
import os
from functools import cache


@cache
def spare_forks() -> None:
    """Let the processes that are forked from now on leave their parent's garbage alone.

    Some SDKs (0.28.0 among them) close a connection to W&B when it is collected, and wait for a thread that a forked
    process does not have: a worker of a data loader would hang for ever at some step.
    """
    os.register_at_fork(after_in_child=gc.freeze)
