"""The options of the optimizer."""

from __future__ import annotations

import pytest

from carbs import (
    CARBS,
    CarbsError,
    CARBSParams,
)
from searches import SMALL


def test_legacy_options_warn_and_unknown_ones_are_refused() -> None:
    with pytest.warns(DeprecationWarning, match="exploration_bias"):
        CARBSParams(exploration_bias=1.0, is_wandb_logging_enabled=False)
    with pytest.raises(CarbsError, match="unknown option 'explore'"):
        CARBSParams(explore=1.0)
    with pytest.raises(CarbsError, match="3 problems"):
        CARBSParams(better_direction_sign=0, seed=-1, num_random_samples=0)
    with pytest.raises(CarbsError, match="CARBSParams"):
        CARBS(SMALL)  # type: ignore[arg-type]
