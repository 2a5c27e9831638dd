"""`wandb-carbs agent`, from a sweep's file to its first outcome."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from command_line import run

EXAMPLE = Path(__file__).parents[4] / "examples" / "any_program"

# The SDK's own Api() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")


def test_the_example_runs_from_its_file_to_its_first_outcome(wandb_env: Any, tmp_path: Path) -> None:
    from wandb_carbs import load_sweep

    shutil.copytree(EXAMPLE, tmp_path / "example")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = wandb_env.subprocess(PATH=path)
    created = run("create", "sweep.yaml", "--json", env=environment, cwd=tmp_path / "example")
    assert created.returncode == 0, created.stderr
    command = json.loads(created.stdout)["agent"].split()
    assert command[:2] == ["wandb-carbs", "agent"]
    done = run(*command[1:], "--count", "1", env=environment, cwd=tmp_path / "example")
    assert done.returncode == 0, done.stderr
    assert "starts: learning_rate=0.001 width=16 epochs=2" in done.stderr
    [trained] = load_sweep(command[2]).runs
    assert trained.record.summary["carbs.objective"] == pytest.approx(1 / 2 + 1 / 16)


@pytest.mark.parametrize(
    ("variables", "arguments", "problem"),
    [
        ({"WANDB_MODE": "offline"}, ["e/p/s"], "WANDB_MODE=offline keeps the program's metrics from W&B"),
        ({}, ["e/p/s", "--gpus", "0,0"], "must name each GPU once"),
        ({}, ["e/p/s", "--count", "0"], "--count"),
    ],
)
def test_a_wrong_call_is_explained(
    tmp_path: Path, variables: dict[str, str], arguments: list[str], problem: str
) -> None:
    done = run("agent", *arguments, env=variables, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert problem in done.stderr
