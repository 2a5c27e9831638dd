"""The demo's search space and options."""

from __future__ import annotations

from carbs import CARBS
from wandb_carbs.demo.problem import MAX_SECONDS, PARAMS, optimizer_options


def test_the_demo_minimises_within_its_cap_and_repeats_no_run() -> None:
    """A network starts from the same weights in every run, so that a repeat would teach nothing."""
    options = optimizer_options(7)
    assert (options.better_direction_sign, options.resample_frequency, options.seed) == (-1, 0, 7)
    assert options.max_suggestion_cost == MAX_SECONDS


def test_what_is_suggested_can_be_trained() -> None:
    suggested = CARBS(optimizer_options(0), PARAMS).suggest().suggestion
    assert {"learning_rate", "batch_size", "hidden_units", "epochs"} <= set(suggested)
    assert all(isinstance(suggested[name], int) for name in ("batch_size", "hidden_units", "epochs"))
