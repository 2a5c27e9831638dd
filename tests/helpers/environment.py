"""The environment of a subprocess."""

from __future__ import annotations

import os


def without_wandb() -> dict[str, str]:
    """Return the environment with no setting of W&B's."""
    return {key: value for key, value in os.environ.items() if not key.startswith("WANDB_")}
