"""`wandb-carbs create` of our own files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command_line import Sweep, assert_fails, run_here
from wandb_carbs.server import LocalServer
from wandb_carbs.sweep.definition import SweepDefinition

ROOT = Path(__file__).parents[4]


def test_create_prints_what_to_start(sweep: Sweep) -> None:
    created = sweep.json("create", str(ROOT / "examples" / "sweep.yaml"), "--json")
    assert isinstance(created, dict)
    path = f"your_wandb_entity/your_wandb_project/{created['id']}"
    assert created["agent"] == f"wandb-carbs agent {path}"
    assert created["address"].endswith(f"/sweeps/{created['id']}")
    status = sweep.json("status", path, "--json")
    assert isinstance(status, dict)
    assert status["runs"] == 0
    assert_fails(sweep.run("best", path), "no run")


METRIC_FILE = """\
name: x
project: p
entity: e
metric: {{{metric}}}
parameters:
  lr: {{space: log, min: 1e-5, max: 1e-1}}
"""


# The SDK's own Api() does what the SDK's own settings warn of.
@pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")
def test_create_takes_the_metric_as_wandb_does(
    sweep: Sweep, point_to: Callable[[LocalServer], object], tmp_path: Path
) -> None:
    """It reaches W&B's sweep, and a name that is not the recorded objective's is explained."""
    import wandb

    path = tmp_path / "metric.yaml"
    path.write_text(METRIC_FILE.format(metric="name: val_loss, goal: minimize"))
    done = sweep.run("create", str(path), "--json")
    assert done.returncode == 0, done.stderr
    assert "the program has to log 'val_loss'" in done.stderr
    assert "record_observation(objective=…)" in done.stderr
    point_to(sweep.server)
    api: Any = wandb.Api()
    agent = json.loads(done.stdout)["agent"]
    assert agent.startswith("wandb.agent('")  # there is no program that wandb-carbs could start
    created = api.sweep(agent.split("'")[1])
    assert created.config["metric"] == {"name": "val_loss", "goal": "minimize"}
    assert SweepDefinition.from_json(created.config["description"]).config.better_direction_sign == -1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 5000, "nested too deeply"),
        ("{a: " * 5000, "nested too deeply"),
        (
            "name: s\nproject: p\nparameters: {x: {space: linear, min: 0, max: 1}}\ncarbs: {self: 1}\ngoal: minimize",
            "line 4: 'carbs': ",
        ),
    ],
)
def test_file_that_python_cannot_take_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "sweep.yaml").write_text(text)
    done = run_here("create", "sweep.yaml", cwd=tmp_path)
    assert_fails(done, "sweep.yaml", words)
    assert len(done.stderr.splitlines()) == 1


def test_an_unknown_key_of_early_terminate_is_said_once(sweep: Sweep, tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(
        METRIC_FILE.format(metric="goal: minimize") + "early_terminate: {type: hyperband, min_iter: 3, minn: 1}\n"
    )
    done = sweep.run("create", str(path), "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("minn") == 1
