"""`wandb-carbs demo`: a whole cost-aware sweep with real processes and real training, no account and no internet."""

from wandb_carbs.demo.main import DemoError, run_demo

__all__ = ["DemoError", "run_demo"]
