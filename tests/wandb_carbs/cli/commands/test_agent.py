"""`wandb-carbs agent`, from a sweep's file to its first outcome."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLE = Path(__file__).parents[4] / "examples" / "any_program"

# The SDK's own Api() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")


def run(folder: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wandb_carbs.cli", *arguments],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_the_example_runs_from_its_file_to_its_first_outcome(wandb_env: Any, tmp_path: Path) -> None:
    from wandb_carbs import load_sweep

    shutil.copytree(EXAMPLE, tmp_path / "example")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = wandb_env.subprocess(PATH=path)
    created = run(tmp_path / "example", environment, "create", "sweep.yaml", "--json")
    assert created.returncode == 0, created.stderr
    command = json.loads(created.stdout)["agent"].split()
    assert command[:2] == ["wandb-carbs", "agent"]
    done = run(tmp_path / "example", environment, *command[1:], "--count", "1")
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
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WANDB_")}
    done = run(tmp_path, {**kept, **variables}, "agent", *arguments)
    assert done.returncode in (1, 2)
    assert problem in done.stderr
