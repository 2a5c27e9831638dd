"""`wandb-carbs best`."""

from __future__ import annotations

import math
import shlex
from typing import Any

import pytest
import yaml

from carbs import CategoricalSpace, LogSpace, Param
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
    constants = {"epochs": {"value": 30}}
    made = sweep.create([Param("n", LogSpace(1e6, 1e9)), Param("rate", LogSpace(1e-5, 1e-1))], parameters=constants)
    for place in range(16):
        n, rate = 10.0 ** (6 + place % 4), 10 ** (-4 + 0.2 * place)
        loss = 1.5 + 30 * n**-0.25 + 0.1 * math.log10(rate * n**0.25 / 0.1) ** 2
        made.add_run(str(place), {"n": n, "rate": rate}, objective=-loss, cost=n / 1e6)
    found = made.json("best", made.path, "--at", "n=5e9", "--json")
    assert isinstance(found, dict)
    assert (found["config"]["n"], found["config"]["epochs"]) == (5e9, 30)
    assert found["intervals"]["rate"][0] < found["config"]["rate"] < found["intervals"]["rate"][1]
    rate = found["config"]["rate"]
    assert made.run("best", made.path, "--at", "n=5e9", "--format", "args").stdout == (
        f"--n=5000000000 --rate={rate} --epochs=30\n"
    )
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


CONSTANTS: dict[str, Any] = {
    "epochs": {"value": 30},
    "model": {"parameters": {"depth": {"value": 2}, "rate": {"value": 1e-5}}},
}
CHOICES = [Param("use_bn", CategoricalSpace((True, False))), Param("name", CategoricalSpace((None, "a b")))]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (None, ["--use_bn=True", "--name=None", "--epochs=30", "--model={'depth': 2, 'rate': 1e-05}"]),
        (["python", "train.py", "${args_json_file}"], None),
        (
            ["python", "train.py", "${args_switches}"],
            ["--use_bn", "--name=None", "--epochs=30", "--model={'depth': 2, 'rate': 1e-05}"],
        ),
        (
            ["python", "train.py", "${args_override_hydra}"],
            ["++use_bn=True", "++name=null", "++epochs=30", "++model.depth=2", "++model.rate=1e-05"],
        ),
    ],
)
def test_the_best_configuration_is_given_as_its_run_was(
    sweep: Sweep, command: list[str] | None, words: list[str] | None
) -> None:
    """With the constants, by the sweep's own command, and the nested ones in their places."""
    made = sweep.create(CHOICES, parameters=CONSTANTS, program="train.py", command=command)
    made.add_run("a", {"use_bn": True, "name": None}, objective=1.0, cost=2.0)
    by_default = ["--use_bn=True", "--name=None", "--epochs=30", "--model={'depth': 2, 'rate': 1e-05}"]
    assert shlex.split(made.run("best", made.path, "--format", "args").stdout) == (words or by_default)
    whole = {"use_bn": True, "name": None, "epochs": 30, "model": {"depth": 2, "rate": 1e-5}}
    assert yaml.safe_load(made.run("best", made.path, "--format", "yaml").stdout) == whole
    found, status = made.json("best", made.path, "--json"), made.json("status", made.path, "--json")
    assert isinstance(found, dict)
    assert isinstance(status, dict)
    flat = {"use_bn": True, "name": None, "epochs": 30, "model.depth": 2, "model.rate": 1e-5}
    assert found["config"] == flat == status["best"]["config"]
    assert made.run("best", made.path).stdout.split()[-1] == "1e-05"


def test_best_takes_one_form(sweep: Sweep) -> None:
    """YAML is not dropped for JSON without a word; `--json` beside `--format json` is no contradiction."""
    assert_fails(sweep.run("best", sweep.path, "--format", "yaml", "--json"), "give one of them", code=2)
    assert sweep.run("best", sweep.path, "--format", "json", "--json").stdout.startswith("{")
