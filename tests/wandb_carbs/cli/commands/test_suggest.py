"""`wandb-carbs suggest`."""

from __future__ import annotations

import json
import re

from carbs import CategoricalSpace, LogSpace, OrdinalSpace, Param
from command_line import Sweep, assert_fails


def test_suggestions_differ_and_change_nothing(sweep: Sweep) -> None:
    found = sweep.json("suggest", sweep.path, "-n", "3", "--json")
    assert isinstance(found, list)
    assert len({json.dumps(item["config"], sort_keys=True) for item in found}) == 3
    assert all(item["log"]["kind"] in {"random", "model", "resample"} for item in found)
    assert sweep.json("suggest", sweep.path, "-n", "3", "--json") == found


def test_expected_values_come_with_their_deviations(sweep: Sweep) -> None:
    done = sweep.run("suggest", sweep.path)
    assert done.returncode == 0
    assert "Nothing is started or changed" in done.stderr
    assert re.search(r"[\d.]+ \([\d.]+ to [\d.]+\)  +-?[\d.]+ ± [\d.]+ +\d+%", done.stdout), done.stdout


def test_given_values_are_kept(sweep: Sweep) -> None:
    found = sweep.json("suggest", sweep.path, "-n", "2", "--given", "epochs=8", "--json")
    assert isinstance(found, list)
    assert [item["config"]["epochs"] for item in found] == [8, 8]
    beyond = sweep.run("suggest", sweep.path, "--given", "epochs=1000")
    # In the words of the command line, not of Python.
    advice = f"beyond its bounds `wandb-carbs best {sweep.path} --at epochs=1000` predicts"
    assert_fails(beyond, "invalid --given: epochs=1000 must be between min=1", advice)
    unknown = sweep.run("suggest", sweep.path, "--given", "epoch=8")
    assert_fails(unknown, "invalid --given: parameter 'epoch' is unknown; did you mean 'epochs'?")


def test_given_choices_are_written_as_tables_show_them(sweep: Sweep) -> None:
    made = sweep.create(
        [Param("rate", OrdinalSpace((1.0, 2.0, 4.0))), Param("layers", CategoricalSpace(([64], [64, 64])))]
    )
    found = made.json("suggest", made.path, "--given", "rate=2,layers=[64,64]", "--json")
    assert isinstance(found, list)
    assert found[0]["config"] == {"rate": 2.0, "layers": [64, 64]}


def test_a_rule_that_is_not_obeyed_here_is_said(sweep: Sweep) -> None:
    """Suggesting runs no code of the sweep's."""
    made = sweep.create([Param("lr", LogSpace(1e-3, 1e-1))], is_valid="nowhere:fits")
    done = made.run("suggest", made.path)
    assert done.returncode == 0
    assert "Agents obey the sweep's rule nowhere:fits; what is shown here need not." in done.stderr
