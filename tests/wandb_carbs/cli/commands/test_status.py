"""`wandb-carbs status`."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
from rich.console import Console, Group

from carbs import LogSpace, Param
from command_line import Sweep, assert_fails, run, run_here
from environment import without_wandb
from wandb_carbs.cli.commands import status
from wandb_carbs.errors import WandbConnectionError
from wandb_carbs.exit_codes import INTERRUPTED
from wandb_carbs.server import LocalServer

RUNS = 6
LEAVES_ITS_SCREEN = "\x1b[?1049l"


def test_status_tells_states_frontier_and_cost(sweep: Sweep) -> None:
    found = sweep.json("status", sweep.path, "--json")
    assert isinstance(found, dict)
    assert found["runs"] == found["states"]["observation"] == RUNS
    assert found["spent_cost"] > 0
    assert found["best"] == found["frontier"][-1]
    assert found["running"] == []


def test_status_takes_an_address_and_prints_a_table(sweep: Sweep) -> None:
    done = sweep.run("status", sweep.address)
    assert done.returncode == 0
    assert done.stderr == ""
    assert f"{RUNS} runs" in done.stdout
    assert "learning_rate" in done.stdout


def test_project_stands_for_its_newest_sweep(sweep: Sweep) -> None:
    newest = sweep.create([Param("lr", LogSpace(1e-3, 1e-1))])
    assert newest.path in sweep.run("best", "e/p").stderr  # it has no run yet
    done = sweep.run("status", "e/p", "--json")
    assert json.loads(done.stdout)["sweep"] == newest.path
    assert done.stderr == "Note: the newest sweep of e/p; `wandb-carbs list e/p` shows all\n"
    assert_fails(sweep.run("status", "e/other"), "e/other")
    # With a default project, its sweep may be named alone.
    done = run(
        "status", newest.path.split("/")[-1], "--json", env={**newest.env, "WANDB_PROJECT": "p", "WANDB_ENTITY": "e"}
    )
    assert json.loads(done.stdout)["sweep"] == newest.path


def test_interval_must_be_a_time_that_can_be_waited_for() -> None:
    assert_fails(run_here("status", "e/p/s", "--watch", "--interval", "1e300"), "--interval", code=2)


def test_runs_that_were_given_other_values_are_counted(sweep: Sweep) -> None:
    made = sweep.create([Param("lr", LogSpace(1e-3, 1e-1))])
    made.add_run("own", {"lr": 0.01}, objective=0.5, cost=1.0)
    made.add_run("drawn", {"lr": 0.02}, objective=0.6, cost=2.0, summary='"carbs.drawn_arguments": "{}"')
    found = made.json("status", made.path, "--json")
    assert isinstance(found, dict)
    assert found["drawn_arguments"] == 1
    assert "note: 1 of 2 runs were started with arguments" in made.run("status", made.path).stdout
    assert made.run("report", made.path, "-o", "drawn.html").returncode == 0
    assert "1 of 2 runs were started with arguments" in (made.folder / "drawn.html").read_text()


def test_runs_that_took_no_suggestion_are_counted(sweep: Sweep) -> None:
    """A function or a program that knows nothing of the search was run by W&B's own agent."""
    made = sweep.create([Param("lr", LogSpace(1e-3, 1e-1))])
    made.add_run("own", {"lr": 0.01}, objective=0.5, cost=1.0)
    made.add_run("stranger", {"lr": 0.02}, summary='"loss": 1, "carbs.state": null, "carbs.suggestion": null')
    found = made.json("status", made.path, "--json")
    assert isinstance(found, dict)
    assert found["states"]["skipped"] == 1
    assert found["doubts"][0].startswith("1 of 2 runs took no suggestion")


def test_long_frontier_is_shown_in_part(sweep: Sweep) -> None:
    made = sweep.create([Param("lr", LogSpace(1e-3, 1e-1))])
    for i in range(15):
        made.add_run(f"r{i}", {"lr": 0.01 + 0.001 * i}, objective=0.1 + 0.01 * i, cost=1.0 + i)
    shown = made.run("status", made.path).stdout
    assert "(12 of 15 runs; --json has all)" in shown
    table = shown[shown.index("Pareto") :]
    assert table.count("-r") == 12
    assert "-r0 " in table
    assert "-r14 " in table
    found = made.json("status", made.path, "--json")
    assert isinstance(found, dict)
    assert len(found["frontier"]) == 15


def test_what_a_search_started_from_is_said(sweep: Sweep) -> None:
    made = sweep.create([Param("lr", LogSpace(1e-3, 1e-1))], initial=[{"lr": 0.01}, {"lr": 0.02}])
    words = "started from 2 configurations that are run first"
    assert words in made.run("status", made.path).stdout
    found = made.json("status", made.path, "--json")
    assert isinstance(found, dict)
    assert (found["earlier_runs"], found["initial"]) == (0, 2)
    assert made.run("report", made.path, "-o", "start.html").returncode == 0
    assert words in (made.folder / "start.html").read_text()


def test_points_on_the_way_and_runs_that_were_stopped_early_are_counted(sweep: Sweep) -> None:
    params = [Param("lr", LogSpace(1e-3, 1e-1)), Param("epochs", LogSpace(1, 50, is_integer=True))]
    made = sweep.create(params, progress="epochs")
    way = '"carbs.curve": "[[1, 0.9, 1.0], [5, 0.7, 5.0]]"'
    made.add_run("a", {"lr": 0.01, "epochs": 20}, summary=way, objective=0.5, cost=20.0)
    made.add_run("b", {"lr": 0.02, "epochs": 1}, objective=0.8, cost=1.0)
    assert "2 runs: 2 observations; 2 points on their way\n" in made.run("status", made.path).stdout
    stopped = '"carbs.stopped": "{\\"why\\": \\"no good\\", \\"progress\\": 5}"'
    made.add_run("c", {"lr": 0.09, "epochs": 5}, summary=stopped, objective=0.9, cost=5.0)
    shown = made.run("status", made.path).stdout
    assert "3 runs: 3 observations; 2 points on their way; 1 stopped early\n" in shown
    found = made.json("status", made.path, "--json")
    assert isinstance(found, dict)
    assert (found["points"], found["stopped"], found["spent_cost"]) == (2, 1, 26.0)


def test_watch_waits_an_outage_out(tmp_path: Path) -> None:
    """It says that W&B cannot be reached, goes on when it can be again, and Ctrl-C is its quiet end."""
    with LocalServer(tmp_path / "data") as server:
        made = Sweep(server, "e/p/none", tmp_path).create([Param("lr", LogSpace(1e-3, 1e-1))])
        watch = subprocess.Popen(
            [sys.executable, "-m", "wandb_carbs.cli", "status", made.path, "--watch", "--interval", "1", "--json"],
            env={**without_wandb(), **made.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert watch.stdout is not None
        assert watch.stderr is not None
        assert json.loads(watch.stdout.readline())["runs"] == 0
    assert watch.stderr.readline().startswith("Retrying: ")
    with LocalServer(tmp_path / "data", port=urlsplit(server.url).port or 0) as again:
        Sweep(again, made.path, tmp_path).add_run("later", {"lr": 0.01}, objective=1.0, cost=1.0)
        while json.loads(watch.stdout.readline())["runs"] == 0:
            pass
        watch.send_signal(signal.SIGINT)
        _, errors = watch.communicate(timeout=100)
    assert watch.returncode == INTERRUPTED
    assert "Traceback" not in errors
    assert "Error" not in errors


class Readings:
    """A reader of a sweep that gives what it is told to, and raises errors."""

    def __init__(self, *readings: Any) -> None:
        self._readings = iter(readings)

    def read(self) -> Any:
        reading = next(self._readings)
        if isinstance(reading, Exception):
            raise reading
        return reading


def test_following_a_sweep_yields_outages_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["", "", click.ClickException("cannot reach W&B"), ""])

    def connect() -> None:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer

    monkeypatch.setattr(status, "connect", connect)
    waited: list[float] = []
    reader: Any = Readings("first", WandbConnectionError("no answer"), "second", "third")
    readings = status.follow(reader, waited.append, 7.0)
    assert [next(readings) for _ in range(5)] == ["first", "no answer", "second", "cannot reach W&B", "third"]
    assert waited == [7.0] * 4


def test_sweep_that_cannot_be_read_the_first_time_is_an_error() -> None:
    reader: Any = Readings(WandbConnectionError("no answer"))
    with pytest.raises(WandbConnectionError):
        next(status.follow(reader, lambda _: None, 7.0))


def test_outage_is_seen_in_a_terminal_that_is_too_low(monkeypatch: pytest.MonkeyPatch) -> None:
    """What W&B said last goes on below, as far as there is room."""
    monkeypatch.setattr(status, "_render", lambda _: Group(*["a line"] * 50))
    console = Console(file=io.StringIO(), width=60, height=6, force_terminal=True, color_system=None)
    readings: Any = iter([object(), "cannot reach W&B"])
    status._show_live(console, readings, 7.0)
    assert isinstance(console.file, io.StringIO)
    before, after = console.file.getvalue().split("Retrying, last seen 0 s ago: cannot reach W&B")
    assert "Read again every 7 s; Ctrl-C ends" in before
    shown, left = after.split(LEAVES_ITS_SCREEN)
    assert shown.count("a line") == 4
    assert left.count("a line") == 50
    assert left.splitlines()[-1] == "Last seen 0 s ago: cannot reach W&B"


def test_terminal_comes_back_after_sigterm(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under `timeout 60 wandb-carbs status --watch`."""

    def follow(*_: object) -> Iterator[Any]:
        yield object()
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(status, "open_sweep", lambda _: None)
    monkeypatch.setattr(status, "follow", follow)
    monkeypatch.setattr(status, "_render", lambda _: Group("a line"))
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        done = run_here("status", "e/p/s", "--watch", env={"FORCE_COLOR": "1", "TERM": "xterm"})
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stdout.split(LEAVES_ITS_SCREEN)[1].splitlines() == ["a line"]
    assert done.stderr == ""


def test_last_state_stays_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The screen that it had to itself is gone, with all that was on it."""

    def readings() -> Iterator[Any]:
        yield from (object(), object())
        raise KeyboardInterrupt

    address = "http://127.0.0.1:8080/my-team/my-very-long-project/sweeps/ab12cd34"
    shown = iter(["before", f"after\n{address}"])
    monkeypatch.setattr(status, "_render", lambda _: Group(next(shown)))
    console = Console(file=io.StringIO(), width=60, height=6, force_terminal=True, color_system=None)
    with pytest.raises(KeyboardInterrupt):
        status._show_live(console, readings(), 7.0)
    assert isinstance(console.file, io.StringIO)
    # The address can be copied, though the terminal is narrower.
    assert console.file.getvalue().split(LEAVES_ITS_SCREEN)[1].splitlines() == ["after", address]


def test_address_is_whole_in_a_narrow_terminal(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(file=io.StringIO(), width=20, force_terminal=True, color_system=None)
    monkeypatch.setattr(status, "make_console", lambda: console)
    assert sweep.run("status", sweep.path).returncode == 0
    assert isinstance(console.file, io.StringIO)
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert sweep.address in lines
    assert all(len(line) <= 20 for line in lines[: lines.index("")] if " " in line)
