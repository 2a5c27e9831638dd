"""`wandb-carbs init`: the files that it writes are a sweep that runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from command_line import Sweep, assert_fails, run_here


def test_files_are_a_sweep_that_runs(sweep: Sweep) -> None:
    folder = sweep.folder / "started"
    folder.mkdir()
    done = sweep.run("init", "started")
    assert (done.returncode, done.stderr) == (0, "")
    assert "wandb-carbs create sweep.yaml" in done.stdout
    created = sweep.json("create", "started/sweep.yaml", "--entity", "team", "--json")
    assert isinstance(created, dict)
    path = created["agent"].split()[-1]
    env = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", **sweep.env, "WANDB_SILENT": "true"}
    # No shell: the line that `create` prints.
    agent = subprocess.run(
        [*created["agent"].split(), "--count", "1"],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    status = sweep.json("status", path, "--json")
    assert isinstance(status, dict)
    assert status["states"]["observation"] == 1, agent.stdout + agent.stderr
    assert status["best"]["config"]["epochs"] == 3, "the first run is the search centre"
    assert 0 < status["best"]["objective"] < 1


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("mine")
    assert_fails(run_here("init", str(tmp_path)), "train.py is there already; nothing was written")
    assert [path.name for path in tmp_path.iterdir()] == ["train.py"]
    assert (tmp_path / "train.py").read_text() == "mine"
    assert_fails(run_here("init", str(tmp_path / "nowhere")), "nowhere", code=2)
