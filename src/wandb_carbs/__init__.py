"""CARBS for Weights & Biases sweeps: any number of agents, all state in W&B."""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wandb_carbs.agent import WandbCarbs
    from wandb_carbs.errors import WandbCarbsError, WandbConnectionError
    from wandb_carbs.history import JudgedRun, SweepHistory, carbs_from_sweep, load_sweep
    from wandb_carbs.pow2 import Pow2WandbCarbs
    from wandb_carbs.runs import SweepPath
    from wandb_carbs.state import RunRecord, Standing, Verdict
    from wandb_carbs.sweep import SweepDefinition, create_sweep, load_definition, sweep_configuration

__version__ = version("wandb-carbs")

# Where each public name lives. They are imported on first use: the command line and the local server start without
# wandb, whose import takes longer than all of theirs.
_MODULES = {
    "JudgedRun": "history",
    "Pow2WandbCarbs": "pow2",
    "RunRecord": "state",
    "Standing": "state",
    "SweepDefinition": "sweep",
    "SweepHistory": "history",
    "SweepPath": "runs",
    "Verdict": "state",
    "WandbCarbs": "agent",
    "WandbCarbsError": "errors",
    "WandbConnectionError": "errors",
    "carbs_from_sweep": "history",
    "create_sweep": "sweep",
    "load_definition": "sweep",
    "load_sweep": "history",
    "sweep_configuration": "sweep",
}

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


def __getattr__(name: str) -> object:
    """Import a public name from its module (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"wandb_carbs.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
