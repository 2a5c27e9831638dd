"""`wandb-carbs best`."""

from __future__ import annotations

import math

from carbs import LogSpace, Param
from command_line import Sweep, assert_fails


def test_best_keeps_to_the_cost(sweep: Sweep) -> None:
    status = sweep.json("status", sweep.path, "--json")
    assert isinstance(status, dict)
    frontier = status["frontier"]
    assert [member["objective"] for member in frontier] == [0.5, 0.6, 0.7, 0.8, 0.9]
    assert sweep.json("best", sweep.path, "--json") == frontier[-1]
    assert sweep.json("best", sweep.path, "--max-cost", str(frontier[0]["cost"] * 1.0001), "--json") == frontier[0]
    assert_fails(sweep.run("best", sweep.path, "--max-cost", "1e-9"), "cheapest")


def test_best_at_sizes_is_predicted_with_intervals(sweep: Sweep) -> None:
    """The laws need more runs than the small sweep has, at several sizes."""
    made = sweep.create([Param("n", LogSpace(1e6, 1e9)), Param("rate", LogSpace(1e-5, 1e-1))])
    for place in range(16):
        n, rate = 10.0 ** (6 + place % 4), 10 ** (-4 + 0.2 * place)
        loss = 1.5 + 30 * n**-0.25 + 0.1 * math.log10(rate * n**0.25 / 0.1) ** 2
        made.add_run(str(place), {"n": n, "rate": rate}, objective=-loss, cost=n / 1e6)
    found = made.json("best", made.path, "--at", "n=5e9", "--json")
    assert isinstance(found, dict)
    assert found["config"]["n"] == 5e9
    assert found["intervals"]["rate"][0] < found["config"]["rate"] < found["intervals"]["rate"][1]
    rate = found["config"]["rate"]
    assert made.run("best", made.path, "--at", "n=5e9", "--format", "args").stdout == f"--n=5000000000 --rate={rate}\n"
    assert made.run("best", made.path, "--at", "n=5e9", "--format", "yaml").stdout.startswith('"n": 5000000000\n')
    shown = made.run("best", made.path, "--at", "n=5e9").stdout
    assert "Best configuration at n=5e+09, by the scaling laws" in shown
    assert "90 % from" in shown
    assert_fails(made.run("best", made.path, "--at", "n=1e20"), "is too far from the sizes 1e+06 to 1e+09")
    assert_fails(
        made.run("best", made.path, "--at", "m=5"),
        "Error: invalid sizes: --at='m' must name a numeric hyperparameter; known are n, rate",
    )
    assert_fails(made.run("best", made.path, "--at", "n=5", "--max-cost", "3"), "give one of them", code=2)
    assert_fails(sweep.run("best", sweep.path, "--at", "epochs=500"), "too few runs for scaling laws")


def test_best_is_written_as_yaml_and_as_arguments(sweep: Sweep) -> None:
    assert sweep.run("best", sweep.path, "--format", "args").stdout == "--learning_rate=0.1 --epochs=32\n"
    assert sweep.run("best", sweep.path, "--format", "yaml").stdout == "learning_rate: 0.1\nepochs: 32\n"


def test_best_takes_one_form(sweep: Sweep) -> None:
    """YAML is not dropped for JSON without a word; `--json` beside `--format json` is no contradiction."""
    assert_fails(sweep.run("best", sweep.path, "--format", "yaml", "--json"), "give one of them", code=2)
    assert sweep.run("best", sweep.path, "--format", "json", "--json").stdout.startswith("{")
