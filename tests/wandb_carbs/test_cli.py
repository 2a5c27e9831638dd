"""The command line, run as users run it."""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from carbs import CarbsError, CategoricalSpace, LogSpace, Param, Pow2Space
from wandb_carbs.cli.config_file import read_config
from wandb_carbs.cli.connection import parse_sweep
from wandb_carbs.local import LocalServer

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
RUNS = 5


def run(
    *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command with no W&B settings but `env`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WANDB_")}
    return subprocess.run(
        [sys.executable, "-m", "wandb_carbs.cli", *arguments],
        env={**kept, **(env or {})},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def assert_fails(done: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> None:
    """Check for one message without a traceback."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("Error: ") == 1
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr


class Sweep:
    """A finished sweep on a local server.

    Attributes:
        env: Settings that point to the server.
        path: The sweep's name.
        address: Its page.
        folder: A working folder.
    """

    def __init__(self, server: LocalServer, path: str, folder: Path) -> None:
        entity, project, sweep_id = path.split("/")
        self.env = {**server.env(), "WANDB_DIR": str(folder), "HOME": str(folder)}
        self.path = path
        self.address = f"{server.url}/{entity}/{project}/sweeps/{sweep_id}"
        self.folder = folder

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command against the server."""
        return run(*arguments, env=self.env, cwd=self.folder)

    def json(self, *arguments: str) -> object:
        """Run the command and return what it printed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sweep]:
    """Keep the sweep of a small demo, and serve it."""
    folder = tmp_path_factory.mktemp("sweep")
    done = run("demo", "--runs", str(RUNS), "--data-dir", "data", "--json", "demo.json", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    parts = json.loads((folder / "demo.json").read_text())["sweep"].split("/")
    with LocalServer(folder / "data") as server:
        yield Sweep(server, f"{parts[-4]}/{parts[-3]}/{parts[-1]}", folder)


def test_status_tells_states_frontier_and_cost(sweep: Sweep) -> None:
    status = sweep.json("status", sweep.path, "--json")
    assert isinstance(status, dict)
    assert status["runs"] == status["states"]["observation"] == RUNS
    assert status["spent_cost"] > 0
    assert status["best"] == status["frontier"][-1]
    assert status["running"] == []


def test_status_takes_an_address_and_prints_a_table(sweep: Sweep) -> None:
    done = sweep.run("status", sweep.address)
    assert done.returncode == 0
    assert done.stderr == ""
    assert f"{RUNS} runs" in done.stdout
    assert "learning rate" in done.stdout


def test_suggestions_differ_and_change_nothing(sweep: Sweep) -> None:
    found = sweep.json("suggest", sweep.path, "-n", "3", "--json")
    assert isinstance(found, list)
    assert len({json.dumps(item["config"], sort_keys=True) for item in found}) == 3
    assert all(item["log"]["kind"] in {"random", "model", "resample"} for item in found)
    assert sweep.json("suggest", sweep.path, "-n", "3", "--json") == found


def test_best_keeps_to_the_cost(sweep: Sweep) -> None:
    frontier = json.loads((sweep.folder / "demo.json").read_text())["frontier"]
    assert sweep.json("best", sweep.path, "--json") == frontier[-1]
    assert sweep.json("best", sweep.path, "--max-cost", str(frontier[0]["cost"] * 1.0001), "--json") == frontier[0]
    assert_fails(sweep.run("best", sweep.path, "--max-cost", "1e-9"), "cheapest")


def test_export_writes_every_run(sweep: Sweep) -> None:
    for name in ("runs.csv", "runs.json"):
        assert sweep.run("export", sweep.path, "-o", name).returncode == 0
    with (sweep.folder / "runs.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    runs = json.loads((sweep.folder / "runs.json").read_text())
    assert [line["id"] for line in lines] == [row["id"] for row in runs]
    assert [float(line["config.learning_rate"]) for line in lines] == [row["config"]["learning_rate"] for row in runs]
    assert all(float(line["cost"]) > 0 for line in lines)
    assert_fails(sweep.run("export", sweep.path, "-o", "runs.txt"), ".csv", code=2)


def test_create_prints_what_to_start(sweep: Sweep) -> None:
    created = sweep.json("create", str(ROOT / "examples" / "sweep.yaml"), "--json")
    assert isinstance(created, dict)
    path = f"your_wandb_entity/your_wandb_project/{created['id']}"
    assert created["agent"] == f"wandb agent {path}"
    assert created["address"].endswith(f"/sweeps/{created['id']}")
    status = sweep.json("status", path, "--json")
    assert isinstance(status, dict)
    assert status["runs"] == 0
    assert_fails(sweep.run("best", path), "no run")


def test_unknown_sweep_is_an_error(sweep: Sweep) -> None:
    assert_fails(sweep.run("status", "demo/digits/nothing"), "demo/digits/nothing")


def test_wrong_key_is_an_error(sweep: Sweep) -> None:
    done = run("status", sweep.path, env={**sweep.env, "WANDB_API_KEY": "x" * 40})
    assert_fails(done, "API key")


def test_unreachable_server_is_an_error(tmp_path: Path) -> None:
    env = {"WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_API_KEY": "x" * 40, "WANDB_DIR": str(tmp_path)}
    assert_fails(run("status", "a/b/c", env=env), "cannot reach W&B at http://127.0.0.1:9")


def test_malformed_server_address_is_an_error(tmp_path: Path) -> None:
    env = {"WANDB_BASE_URL": "nonsense", "WANDB_API_KEY": "x" * 40, "WANDB_DIR": str(tmp_path)}
    assert_fails(run("status", "a/b/c", env=env), "WANDB_BASE_URL", "nonsense")


def test_taken_port_is_an_error(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert_fails(run("server", "--port", port, "--data-dir", str(tmp_path)), port)


@pytest.mark.parametrize("arguments", [["nonsense"], ["server", "--port", "99999"], ["demo", "--runs", "0"], ["best"]])
def test_wrong_usage_is_an_error(arguments: list[str]) -> None:
    assert_fails(run(*arguments), "Usage", code=2)


def test_version_is_the_package_s() -> None:
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("wandb-carbs, version ")


def test_command_line_itself_imports_nothing_heavy() -> None:
    """Help answers at once; the package around the command line is replaced, since only its own imports matter."""
    program = (
        "import pathlib, sys, types\n"
        "package = types.ModuleType('wandb_carbs')\n"
        f"package.__path__ = [{str(ROOT / 'src' / 'wandb_carbs')!r}]\n"
        "sys.modules['wandb_carbs'] = package\n"
        "import wandb_carbs.cli\n"
        "print({'numpy', 'wandb', 'sklearn', 'matplotlib', 'uvicorn', 'rich'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "set()\n"


def test_missing_extra_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "sklearn.py").write_text("raise ModuleNotFoundError('no sklearn', name='sklearn')")
    (tmp_path / "uvicorn.py").write_text("raise ModuleNotFoundError('no uvicorn', name='uvicorn')")
    assert_fails(run("server", env={"PYTHONPATH": str(tmp_path)}), "pip install 'wandb-carbs[local]'")
    assert_fails(run("demo", env={"PYTHONPATH": str(tmp_path)}), "pip install 'wandb-carbs[")


def test_sweeps_are_named_by_path_or_address() -> None:
    assert parse_sweep("a/b/c", "https://api.wandb.ai") == "a/b/c"
    assert parse_sweep("https://wandb.ai/a/my%20b/sweeps/c?nw=x", "https://api.wandb.ai") == "a/my b/c"
    assert parse_sweep("http://127.0.0.1:8080/a/b/sweeps/c/", "http://127.0.0.1:8080") == "a/b/c"


@pytest.mark.parametrize(
    "name", ["", "a//b", "a/b/c/d", "http://127.0.0.1:9/a/b/sweeps/c", "http://127.0.0.1:8080/a/b", "http://["]
)
def test_what_names_no_sweep_is_an_error(name: str) -> None:
    with pytest.raises(click.UsageError):
        parse_sweep(name, "http://127.0.0.1:8080")


def test_config_file_is_read() -> None:
    found = read_config(ROOT / "examples" / "sweep.yaml")
    assert found.params == (
        Param("learning_rate", LogSpace(min=1e-5, max=1e-1), 1e-3),
        Param("batch_size", Pow2Space(min=16, max=128)),
        Param("optimizer", CategoricalSpace(("adam", "sgd"))),
    )
    assert found.options.better_direction_sign == 1
    assert found.options.max_suggestion_cost == 3600
    assert found.sweep_options == {"program": "train.py", "run_cap": 100}


BAD_FILE = """\
name: ""
goal: up
nonsense: 1
parameters:
  lr: {space: log, min: 1e-1, max: 1e-5}
  n: {space: log, min: 0, max: 10, is_integer: true}
  x: {space: linear, min: 0,
      max: 1, search_center: 7}
  y: {space: cubic}
  z: 5
  lr: {space: log}
  c: {space: categorical}
  d: {space: linear, minimum: 0, max: 1}
carbs:
  seed: -1
  foo: 2
"""


def test_config_file_names_every_problem_and_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD_FILE)
    with pytest.raises(CarbsError) as caught:
        read_config(path)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{path}: 14 problems"
    numbers = [int(line.split("line ")[1].split(":")[0]) for line in lines[1:]]
    assert numbers == [1, 1, 2, 3, 5, 6, 8, 9, 10, 11, 12, 13, 15, 16]


@pytest.mark.parametrize(
    "text", ["", "- a", "a: [1", "5", "\x00", "parameters: {}", "parameters: 3", "carbs: 4", "? [a]\n: 1"]
)
def test_malformed_config_file_is_an_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(CarbsError, match=r"bad\.yaml"):
        read_config(path)
