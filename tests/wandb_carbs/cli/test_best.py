"""`wandb-carbs best`."""

from __future__ import annotations

from command_line import Sweep, assert_fails


def test_best_keeps_to_the_cost(sweep: Sweep) -> None:
    status = sweep.json("status", sweep.path, "--json")
    assert isinstance(status, dict)
    frontier = status["frontier"]
    assert [member["objective"] for member in frontier] == [0.5, 0.6, 0.7, 0.8, 0.9]
    assert sweep.json("best", sweep.path, "--json") == frontier[-1]
    assert sweep.json("best", sweep.path, "--max-cost", str(frontier[0]["cost"] * 1.0001), "--json") == frontier[0]
    assert_fails(sweep.run("best", sweep.path, "--max-cost", "1e-9"), "cheapest")


def test_best_is_written_as_yaml_and_as_arguments(sweep: Sweep) -> None:
    assert sweep.run("best", sweep.path, "--format", "args").stdout == "--learning_rate=0.1 --epochs=32\n"
    assert sweep.run("best", sweep.path, "--format", "yaml").stdout == '"learning_rate": 0.1\n"epochs": 32\n'
