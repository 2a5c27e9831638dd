"""CARBS for Weights & Biases sweeps: any number of agents, all state in W&B."""

from importlib.metadata import version

from wandb_carbs.agent import WandbCarbs
from wandb_carbs.errors import WandbCarbsError, WandbConnectionError
from wandb_carbs.history import JudgedRun, SweepHistory, carbs_from_sweep, load_sweep
from wandb_carbs.pow2 import Pow2WandbCarbs
from wandb_carbs.runs import SweepPath
from wandb_carbs.state import RunRecord, Standing, Verdict
from wandb_carbs.sweep import SweepDefinition, create_sweep, load_definition, sweep_configuration

__version__ = version("wandb-carbs")

__all__ = [
    "JudgedRun",
    "Pow2WandbCarbs",
    "RunRecord",
    "Standing",
    "SweepDefinition",
    "SweepHistory",
    "SweepPath",
    "Verdict",
    "WandbCarbs",
    "WandbCarbsError",
    "WandbConnectionError",
    "__version__",
    "carbs_from_sweep",
    "create_sweep",
    "load_definition",
    "load_sweep",
    "sweep_configuration",
]
