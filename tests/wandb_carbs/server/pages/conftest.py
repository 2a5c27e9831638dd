"""A site that the tests of a module look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from site_of_runs import Site
from wandb_carbs.server.server import LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with LocalServer(tmp_path_factory.mktemp("server")) as server:
        yield Site(server)
