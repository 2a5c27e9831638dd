"""`wandb-carbs create`, run as users run it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from environment import without_wandb
from wandb_carbs.sweep.definition import SweepDefinition, load_definition

if TYPE_CHECKING:
    from pathlib import Path

    from tests.wandb_carbs.conftest import WandbEnv

WANDB_FILE = """\
method: bayes
metric: {name: eval/loss, goal: minimize}
description: As found
parameters:
  steps: {value: 50000}
  lr: {distribution: log_uniform_values, min: 1.0e-5, max: 5.0e-4}
  optimizer:
    parameters:
      name: {values: [adam, null]}
      momentum: {value: 0.9}
command: [python, -m, train, --env_id, 38, "${args}"]
"""


def create(
    env: dict[str, str], folder: Path, *arguments: str, text: str = WANDB_FILE
) -> subprocess.CompletedProcess[str]:
    """Run the command on a file of that text."""
    (folder / "sweep file.yaml").write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "wandb_carbs.cli", "create", "sweep file.yaml", *arguments],
        env=env,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def offline() -> dict[str, str]:
    """Return an environment in which there is no W&B to ask."""
    return {**without_wandb(), "COLUMNS": "100"}


# The SDK's own Api() does what the SDK's own settings warn of.
@pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")
def test_a_file_of_wandb_becomes_a_sweep(wandb_env: WandbEnv, tmp_path: Path) -> None:
    """Its command, constants and nesting stay; its distributions and words come back from the definition."""
    import wandb

    done = create(wandb_env.subprocess(), tmp_path, "--project", "my project", "--entity", "e", "--json")
    assert done.returncode == 0, done.stderr
    created = json.loads(done.stdout)
    assert created["agent"] == f"wandb-carbs agent 'e/my project/{created['id']}'"
    api: Any = wandb.Api()
    config = api.sweep(f"e/my project/{created['id']}").config
    assert config["method"] == "random"
    assert config["name"] == "sweep file"
    assert config["command"] == ["python", "-m", "train", "--env_id", "38", "${args}"]
    assert config["parameters"] == {
        "steps": {"value": 50000},
        "lr": {"distribution": "log_uniform_values", "min": 1e-5, "max": 5e-4},
        "optimizer": {"parameters": {"name": {"values": ["adam", None]}, "momentum": {"value": 0.9}}},
    }
    definition = SweepDefinition.from_json(config["description"])
    assert [param.name for param in definition.params] == ["lr", "optimizer.name"]
    assert definition.config.better_direction_sign == -1
    assert definition.description == "As found"
    assert "Note: method: bayes is not used" in done.stderr


def test_a_file_without_a_project_goes_where_wandb_would_put_it(wandb_env: WandbEnv, tmp_path: Path) -> None:
    done = create(wandb_env.subprocess(), tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    assert "/uncategorized/" in json.loads(done.stdout)["agent"]
    assert "no project is named, so it is 'uncategorized'" in done.stderr
    named = create(wandb_env.subprocess(WANDB_PROJECT="mine"), tmp_path, "--json")
    assert "/mine/" in json.loads(named.stdout)["agent"]


def test_dry_run_shows_the_space_and_needs_no_server(tmp_path: Path) -> None:
    done = create(offline(), tmp_path, "--dry-run")
    assert done.returncode == 0, done.stderr
    title, *rows = [re.split("  +", line.rstrip()) for line in done.stdout.splitlines()]
    assert title == ["sweep file: minimize eval/loss"]
    assert rows == [
        ["parameter", "space", "values", "start"],
        ["lr", "log", "1e-05 to 0.0005"],
        ["optimizer.name", "categorical", '"adam", null'],
        ["steps", "constant", "50000"],
        ["optimizer.momentum", "constant", "0.9"],
    ]


def test_dry_run_as_json(tmp_path: Path) -> None:
    done = create(offline(), tmp_path, "--dry-run", "--json", "--name", "n", "--project", "p")
    found = json.loads(done.stdout)
    assert (found["name"], found["project"], found["entity"], found["goal"]) == ("n", "p", None, "minimize")
    assert found["constants"] == {"steps": 50000, "optimizer.momentum": 0.9}
    assert [param["name"] for param in found["parameters"]] == ["lr", "optimizer.name"]
    assert found["progress"] is None


def test_dry_run_shows_how_the_way_of_a_run_is_understood(tmp_path: Path) -> None:
    done = create(offline(), tmp_path, "--dry-run", "--json", text=OWN_FILE.format("progress: x"))
    assert json.loads(done.stdout)["progress"] == "x"
    assert "Note: 'progress': a run passes through the values of 'x': its program reports the points" in done.stderr


OWN_FILE = "goal: minimize\nparameters: {{x: {{space: linear, min: 0, max: 1}}}}\n{}"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("", "start agents in Python by wandb.agent(…, function=train)"),
        ("program: nothing.py", "program 'nothing.py' does not exist here; agents run it in the folder"),
        (
            "program: nothing.py --fast\ncommand: [bash, -c, 'python train.py ${args}']",
            "belong into the command: [${env}, ${interpreter}, nothing.py, --fast, ${args}]\nNote: 'python train.py",
        ),
        ("program: torchrun train.py", "belong into the command: [${env}, torchrun, train.py, ${args}]"),
        ("command: [accelerate launch, train.py]", "'accelerate launch' of the command is one word"),
        ("metric: {name: loss}", "the program has to log 'loss'"),
        ("carbs: {max_suggestion_cost: 9}", "may exceed max_suggestion_cost=9 until 2 have succeeded"),
    ],
)
def test_what_is_missing_is_noted_at_once(line: str, word: str, tmp_path: Path) -> None:
    assert word in create(offline(), tmp_path, "--dry-run", text=OWN_FILE.format(line)).stderr


def test_a_program_that_is_there_needs_no_note(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    assert create(offline(), tmp_path, "--dry-run", text=OWN_FILE.format("program: train.py")).stderr == ""


def test_a_wrong_file_is_one_error_with_lines(tmp_path: Path) -> None:
    done = create(offline(), tmp_path, "--dry-run", text="goal: up\nparameters: {x: 3}\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Error: sweep file.yaml: 2 problems\n  - line 1: goal='up'" in done.stderr
    assert "  - line 2: parameter 'x': must be a mapping, not 3: write `{value: 3}`" in done.stderr


def test_a_sweep_that_starts_from_a_file_beside_it(wandb_env: WandbEnv, tmp_path: Path) -> None:
    """The file is sought beside the sweep's; how many of its runs are used is noted."""
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "old.csv").write_text("x,objective,cost\n0.5,1,2\n7,1,2\n")
    line = "start_from: old.csv\ninitial: [{x: 0.25}]\nproject: p"
    (tmp_path / "sweeps" / "sweep file.yaml").write_text(OWN_FILE.format(line))
    done = subprocess.run(
        [sys.executable, "-m", "wandb_carbs.cli", "create", "sweeps/sweep file.yaml", "--entity", "e", "--json"],
        env=wandb_env.subprocess(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    assert "Note: start_from[0]: 1 of 2 runs are used; left out: 1 with 'x' outside its space" in done.stderr
    definition = load_definition(f"e/p/{json.loads(done.stdout)['id']}")
    assert [run.input for run in definition.old_runs] == [{"x": 0.5}]
    assert definition.initial == ({"x": 0.25},)
