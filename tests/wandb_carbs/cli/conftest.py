"""A small finished sweep on a local server, for the tests of commands."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import wandb

from carbs import LogSpace, Param
from command_line import Sweep
from wandb_carbs.server import LocalServer

PARAMS = [Param("learning_rate", LogSpace(1e-4, 1.0)), Param("epochs", LogSpace(1, 200, is_integer=True))]
# The fourth is worse than the third, and costs more.
OBJECTIVES = (0.5, 0.6, 0.7, 0.65, 0.8, 0.9)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sweep]:
    """Serve a sweep of six runs, five of them on the frontier."""
    folder = tmp_path_factory.mktemp("sweep")
    with LocalServer(folder / "data") as server:
        made = Sweep(server, "e/p/none", folder).create(PARAMS)
        for i, objective in enumerate(OBJECTIVES):
            config = {"learning_rate": 10 ** (-3 + 0.4 * i), "epochs": 2**i}
            made.add_run(str(i), config, objective=objective, cost=1.5 * 2**i, summary='"carbs.kind": "random"')
        wandb.teardown()
        yield made
        wandb.teardown()
