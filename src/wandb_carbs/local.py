"""The name under which the local server was found before it moved to `wandb_carbs.server`."""

from wandb_carbs.server import LocalServer, ServerError, serve

__all__ = ["LocalServer", "ServerError", "serve"]
