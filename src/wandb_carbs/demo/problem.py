"""The demo's search space, and the names that its processes share."""

from __future__ import annotations

from carbs import CARBSParams, LogSpace, Param, Pow2Space

ENTITY = "demo"
PROJECT = "digits"

# Wide bounds: the best learning rate and number of epochs lie inside, and costs range over more than two decades.
PARAMS = (
    Param("learning_rate", LogSpace(min=1e-4, max=1.0)),
    Param("batch_size", Pow2Space(min=8, max=1024)),
    Param("hidden_units", LogSpace(min=4, max=512, is_integer=True)),
    Param("epochs", LogSpace(min=1, max=200, is_integer=True)),
)
# Seconds of training that a run may take: the demo is to end within about a minute.
MAX_SECONDS = 8.0


def optimizer_options(seed: int) -> CARBSParams:
    """Return the optimizer's options: the loss is minimised."""
    # Networks start from the same weights in every run, so that running a configuration again would teach nothing.
    return CARBSParams(better_direction_sign=-1, seed=seed, resample_frequency=0, max_suggestion_cost=MAX_SECONDS)
