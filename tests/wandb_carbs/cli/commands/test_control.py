"""`wandb-carbs pause`, `resume`, `stop` and `cancel`."""

from __future__ import annotations

import pytest

from carbs import LogSpace, Param
from command_line import Sweep, assert_fails


@pytest.fixture
def other(sweep: Sweep) -> Sweep:
    """Make another sweep on the same server."""
    return sweep.create([Param("lr", LogSpace(1e-3, 1e-1))])


def state(sweep: Sweep) -> object:
    found = sweep.json("status", sweep.path, "--json")
    assert isinstance(found, dict)
    return found["state"]


def test_paused_sweep_is_resumed_and_stopped(other: Sweep) -> None:
    assert other.json("resume", other.path, "--json") == {"sweep": other.path, "before": "PENDING", "state": "RUNNING"}
    done = other.run("pause", other.address)
    assert (done.returncode, done.stdout) == (0, f"{other.path} is paused (it was running)\n")
    assert state(other) == "PAUSED"
    assert other.run("resume", other.path).returncode == 0
    assert state(other) == "RUNNING"
    assert other.run("stop", other.path).returncode == 0
    assert state(other) == "FINISHED"


@pytest.mark.parametrize("command", ["pause", "stop", "cancel"])
def test_ended_sweep_cannot_be_ended_again(other: Sweep, command: str) -> None:
    assert other.run("cancel", other.path).returncode == 0
    assert_fails(other.run(command, other.path), f"cannot {command} sweep {other.path}: it is canceled")


def test_missing_sweep_is_an_error(sweep: Sweep) -> None:
    assert_fails(sweep.run("pause", "e/p/nothing"), "there is no sweep e/p/nothing")
