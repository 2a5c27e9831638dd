"""Reading a sweep's YAML file, with the line of everything that is wrong in it."""

from wandb_carbs.sweep.file.sweep_file import SweepFile, read_sweep_file

__all__ = ["SweepFile", "read_sweep_file"]
