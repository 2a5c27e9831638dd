"""Marks that tests get by what they use."""

from __future__ import annotations

import pytest

# A test that starts processes or talks to a server takes seconds rather than milliseconds.
_SLOW_FIXTURES = {"client", "local_server", "point_to", "shared_client", "wandb_env"}
_SLOW_MODULES = ("LocalServer", "multiprocessing", "subprocess")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark slow tests as such: `-m "not slow"` leaves them out."""
    for item in items:
        assert isinstance(item, pytest.Function)
        if _SLOW_FIXTURES & set(item.fixturenames) or any(hasattr(item.module, name) for name in _SLOW_MODULES):
            item.add_marker(pytest.mark.slow)
