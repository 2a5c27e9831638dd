"""A local server that speaks the part of the W&B protocol which sweeps need."""

from wandb_carbs.server.errors import ServerError
from wandb_carbs.server.server import LocalServer, serve

__all__ = ["LocalServer", "ServerError", "serve"]
