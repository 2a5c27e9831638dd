"""The `wandb-carbs` command."""

from wandb_carbs.cli.main import main

__all__ = ["main"]
