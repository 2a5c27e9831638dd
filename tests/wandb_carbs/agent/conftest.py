"""A sweep on the local server, and runs in it."""

from live_sweep import make_sweep, sweep

__all__ = ["make_sweep", "sweep"]
