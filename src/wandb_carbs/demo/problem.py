"""The demo's search space, and the names that its processes share."""

from __future__ import annotations

from carbs import CARBSParams, LogSpace, Param, Pow2Space

ENTITY = "demo"
PROJECT = "digits"

# Costs range over more than two decades within these bounds: that is what makes the frontier worth looking at.
PARAMS = (
    Param("learning_rate", LogSpace(min=1e-4, max=3e-2)),
    Param("hidden_units", LogSpace(min=16, max=512, is_integer=True)),
    Param("batch_size", Pow2Space(min=16, max=256)),
    Param("l2", LogSpace(min=1e-6, max=1e-1)),
    Param("epochs", LogSpace(min=4, max=200, is_integer=True)),
)


def optimizer_options(seed: int) -> CARBSParams:
    """Return the optimizer's options."""
    # Networks start from the same weights in every run, so that running a configuration again would teach nothing.
    return CARBSParams(seed=seed, resample_frequency=0)
