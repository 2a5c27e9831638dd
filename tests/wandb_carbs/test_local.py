"""The name under which the local server was found before."""

from __future__ import annotations

import wandb_carbs.local
import wandb_carbs.server


def test_the_old_name_is_the_server_itself() -> None:
    assert wandb_carbs.local.__all__ == ["LocalServer", "ServerError", "serve"]
    for name in wandb_carbs.local.__all__:
        assert getattr(wandb_carbs.local, name) is getattr(wandb_carbs.server, name)
