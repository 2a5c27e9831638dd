"""`wandb-carbs demo`, run as users run it."""

from __future__ import annotations

import contextlib
import itertools
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from environment import without_wandb
from wandb_carbs.demo.problem import PARAMS

COMMAND = [sys.executable, "-m", "wandb_carbs.cli", "demo"]


def environment(home: Path, **extra: str) -> dict[str, str]:
    """Return an environment as on a fresh machine, plus what a careless user may have set."""
    (home / "tmp").mkdir(parents=True)
    return {
        **without_wandb(),
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "WANDB_MODE": "offline",
        **extra,
    }


def processes_with(mark: str) -> dict[int, str]:
    """Find the processes that inherited `mark` in their environment, and what they run."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            if mark.encode() in (folder / "environ").read_bytes():
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
    return found


@pytest.fixture(scope="module")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict[str, Any]]:
    """Run a demo; return its working folder, its lines on standard error, and its JSON."""
    folder = tmp_path_factory.mktemp("demo")
    work = folder / "work"
    work.mkdir()
    mark = f"DEMO_MARK={folder}"
    done = subprocess.run(
        [*COMMAND, "--runs", "4", "--agents", "2", "--json"],
        cwd=work,
        env=environment(folder / "home", DEMO_MARK=str(folder)),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert processes_with(mark) == {}
    return folder, done.stderr, json.loads(done.stdout)


def test_every_run_succeeds_with_a_configuration_of_its_own(small_demo: tuple[Path, str, dict[str, Any]]) -> None:
    runs = small_demo[2]["runs"]
    assert [run["state"] for run in runs] == ["observation"] * 4
    assert len({json.dumps(run["config"], sort_keys=True) for run in runs}) == 4
    assert len({run["id"] for run in runs}) == 4
    assert all(set(run["config"]) == {param.name for param in PARAMS} for run in runs)
    assert all(run["kind"] in {"random", "model"} for run in runs)


def test_stored_configurations_are_what_was_suggested(small_demo: tuple[Path, str, dict[str, Any]]) -> None:
    assert all(run["config"] == run["suggestion"] for run in small_demo[2]["runs"])


def test_loss_falls_along_the_frontier(small_demo: tuple[Path, str, dict[str, Any]]) -> None:
    frontier = small_demo[2]["frontier"]
    assert frontier
    for before, after in itertools.pairwise(frontier):
        assert before["cost"] < after["cost"]
        assert before["objective"] > after["objective"]


def test_every_suggestion_is_timed(small_demo: tuple[Path, str, dict[str, Any]]) -> None:
    seconds = small_demo[2]["suggest_seconds"]
    assert len(seconds) == 4
    assert all(0 < value < 5 for value in seconds)


def test_output_without_terminal_is_plain_lines(small_demo: tuple[Path, str, dict[str, Any]]) -> None:
    _, output, content = small_demo
    assert "\x1b" not in output
    assert [f"\n{number}/4 " in output for number in range(1, 5)] == [True] * 4
    assert content["sweep"] in output
    assert "Pareto frontier" in output
    assert "max_suggestion_cost" not in output


def test_only_the_report_stays(small_demo: tuple[Path, str, dict[str, Any]]) -> None:
    folder = small_demo[0]
    assert sorted(path.name for path in (folder / "work").iterdir()) == ["report.html"]
    assert list((folder / "home" / "tmp").iterdir()) == []
    assert [path.name for path in (folder / "home").iterdir()] == ["tmp"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_leaves_no_process(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C while runs train ends the demo soon, with the agents and the SDK's services."""
    demo = subprocess.Popen(
        [*COMMAND, "--runs", "200", "--agents", "2"],
        cwd=tmp_path,
        env=environment(tmp_path / "home", DEMO_MARK=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    for line in demo.stdout:
        if line.startswith("  1/200 "):
            break
    assert any("demo.agent" in name for name in processes_with(str(tmp_path)).values())
    started = time.monotonic()
    demo.send_signal(number)
    _, errors = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert errors.strip() == "Error: interrupted"
    assert time.monotonic() - started < 30
    assert processes_with(str(tmp_path)) == {}
    assert list((tmp_path / "home" / "tmp").iterdir()) == []
