"""Marks that tests get by what they use, and what they must not inherit."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# A shell lets what it starts in the background ignore Ctrl-C, and every process inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# That a machine is busy is no fault of a test. With `CI=1` a change is judged by the same examples on every machine; at
# home each run tries new ones.
settings.register_profile("home", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("home"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "home")

# A test that starts processes or talks to a server takes seconds rather than milliseconds.
_SLOW_FIXTURES = {"client", "local_server", "point_to", "shared_client", "site", "wandb_env"}
_SLOW_MODULES = ("LocalServer", "multiprocessing", "subprocess")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark slow tests as such: `-m "not slow"` leaves them out."""
    for item in items:
        assert isinstance(item, pytest.Function)
        if _SLOW_FIXTURES & set(item.fixturenames) or any(hasattr(item.module, name) for name in _SLOW_MODULES):
            item.add_marker(pytest.mark.slow)
