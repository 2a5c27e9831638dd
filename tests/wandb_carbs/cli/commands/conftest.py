"""A simulated sweep of forty runs, for the commands that draw."""

from __future__ import annotations

import pytest

from simulated import simulate
from wandb_carbs.sweep.history import SweepHistory


@pytest.fixture(scope="session")
def history() -> SweepHistory:
    return simulate(40)
