"""The files that `wandb-carbs init` writes."""
