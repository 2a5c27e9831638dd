"""CARBS for Weights & Biases sweeps: any number of agents, all state in W&B."""

from importlib.metadata import version

import lazy_loader

__version__ = version("wandb-carbs")

# The public names are in `__init__.pyi`. They are imported on first use: the command line and the local server start
# without wandb, whose import takes longer than all of theirs.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
