"""A local W&B server, and an environment in which the SDK talks to it and to nothing else."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest

from environment import without_wandb
from wandb_carbs.server.server import LocalServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Server(Protocol):
    """A server of any kind: in this process or another."""

    def env(self) -> dict[str, str]:
        """Return the variables that point the SDK to it."""


@dataclass(frozen=True)
class WandbEnv:
    """Where the SDK's files go, and how a subprocess is pointed to the server.

    Attributes:
        server: The running server.
        path: The SDK's folder, and a subprocess's home.
    """

    server: Server
    path: Path

    def settings(self) -> dict[str, str]:
        """Return only the variables that differ from this process's own environment before the test."""
        return {
            **self.server.env(),
            "HOME": str(self.path),
            "WANDB_DIR": str(self.path),
            "WANDB_CACHE_DIR": str(self.path / "cache"),
            "WANDB_CONFIG_DIR": str(self.path / "config"),
            "WANDB_DATA_DIR": str(self.path / "staging"),
            "WANDB_ERROR_REPORTING": "false",
            "WANDB_SILENT": "true",
        }

    def subprocess(self, **extra: str) -> dict[str, str]:
        """Return the whole environment of a subprocess.

        Args:
            extra: Variables to add.
        """
        return {**without_wandb(), **self.settings(), **extra}


@pytest.fixture
def local_server(tmp_path: Path) -> Iterator[LocalServer]:
    """Run a server on a folder of its own."""
    with LocalServer(tmp_path / "server") as server:
        yield server


@pytest.fixture
def point_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Server], WandbEnv]]:
    """Point the SDK, in this process and in subprocesses, to a server.

    A process that has used the SDK keeps a service which remembers the address; it is torn down before and after, so
    that every test talks to its own server.
    """
    import wandb

    def point(server: Server) -> WandbEnv:
        path = tmp_path / "client"
        for folder in ("cache", "config", "staging"):
            (path / folder).mkdir(parents=True)
        for key in [key for key in os.environ if key.startswith("WANDB_")]:
            monkeypatch.delenv(key)
        # Arguments of pytest are not those of a program with a parameter called x or k.
        monkeypatch.setattr(sys, "argv", sys.argv[:1])
        environment = WandbEnv(server, path)
        for key, value in environment.settings().items():
            monkeypatch.setenv(key, value)
        wandb.teardown()
        return environment

    yield point
    wandb.teardown()
    # The agent leaves the ids of its sweep behind in the process's environment.
    for key in [key for key in os.environ if key.startswith("WANDB_")]:
        del os.environ[key]


@pytest.fixture
def wandb_env(local_server: LocalServer, point_to: Callable[[Server], WandbEnv]) -> WandbEnv:
    """Point the SDK to a server in this process."""
    return point_to(local_server)
