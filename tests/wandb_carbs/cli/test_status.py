"""`wandb-carbs status`."""

from __future__ import annotations

from carbs import LogSpace, Param
from command_line import Sweep, assert_fails, run_here

RUNS = 6


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
    assert "learning_rate" in done.stdout


def test_interval_must_be_a_time_that_can_be_waited_for() -> None:
    assert_fails(run_here("status", "e/p/s", "--watch", "--interval", "1e300"), "--interval", code=2)


def test_runs_that_were_given_other_values_are_counted(sweep: Sweep) -> None:
    made = sweep.create([Param("lr", LogSpace(1e-3, 1e-1))])
    made.add_run("own", {"lr": 0.01}, objective=0.5, cost=1.0)
    made.add_run("drawn", {"lr": 0.02}, objective=0.6, cost=2.0, summary='"carbs.drawn_arguments": "{}"')
    status = made.json("status", made.path, "--json")
    assert isinstance(status, dict)
    assert status["drawn_arguments"] == 1
    assert "note: 1 of 2 runs were started with arguments" in made.run("status", made.path).stdout
    assert made.run("report", made.path, "-o", "drawn.html").returncode == 0
    assert "1 of 2 runs were started with arguments" in (made.folder / "drawn.html").read_text()


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
    status = made.json("status", made.path, "--json")
    assert isinstance(status, dict)
    assert len(status["frontier"]) == 15


def test_what_a_search_started_from_is_said(sweep: Sweep) -> None:
    made = sweep.create([Param("lr", LogSpace(1e-3, 1e-1))], initial=[{"lr": 0.01}, {"lr": 0.02}])
    words = "started from 2 configurations that are run first"
    assert words in made.run("status", made.path).stdout
    status = made.json("status", made.path, "--json")
    assert isinstance(status, dict)
    assert (status["earlier_runs"], status["initial"]) == (0, 2)
    assert made.run("report", made.path, "-o", "start.html").returncode == 0
    assert words in (made.folder / "start.html").read_text()
