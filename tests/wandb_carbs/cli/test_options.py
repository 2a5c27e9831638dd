"""What commands write, and numbers that they take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from carbs import CategoricalSpace, LogSpace, Param
from command_line import Sweep, assert_fails, run_here

RUNS = 6


@pytest.mark.parametrize(
    ("command", "option"), [("status", "--interval"), ("suggest", "--for-cost"), ("best", "--max-cost")]
)
@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999", "0"])
def test_number_must_be_finite_and_in_its_range(command: str, option: str, number: str) -> None:
    done = run_here(command, "e/p/s", option, number)
    assert_fails(done, option, code=2)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["export", "-o", "told.csv"], {"format": "csv", "rows": RUNS}),
        (["export", "-o", "told.json"], {"format": "json", "rows": RUNS}),
        (["plot", "-o", "told.SVG"], {"format": "svg", "runs": RUNS, "figures": ["frontier"]}),
        (["report", "-o", "told.html"], {"format": "html", "runs": RUNS, "logged": None}),
    ],
)
def test_json_tells_what_was_written(sweep: Sweep, arguments: list[str], expected: dict[str, object]) -> None:
    done = sweep.run(arguments[0], sweep.path, *arguments[1:], "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert expected.items() <= told.items()
    assert told["sweep"] == sweep.path
    assert told["file"] == str(sweep.folder / arguments[2])
    assert Path(told["file"]).stat().st_size > 0
    if arguments[0] == "report":
        assert "importance/effects" in told["figures"]
    if told["format"] == "csv":
        assert Path(told["file"]).read_text(encoding="utf-8").splitlines()[0].split(",") == told["columns"]
    if told["format"] == "json":
        assert list(json.loads(Path(told["file"]).read_text(encoding="utf-8"))[0]) == told["columns"]


@pytest.mark.parametrize("command", ["export", "plot", "report"])
def test_json_leaves_errors_as_they_are(sweep: Sweep, command: str) -> None:
    output = ["-o", "runs.csv"] if command == "export" else []
    assert_fails(sweep.run(command, "e/p/nothing", "--json", *output), "e/p/nothing")
    ending = {"export": "csv", "plot": "png", "report": "html"}[command]
    missing = sweep.run(command, sweep.path, "--json", "-o", f"nowhere/runs.{ending}")
    assert_fails(missing, "there is no folder nowhere", code=2)
    assert_fails(sweep.run(command, "--json", *output), "SWEEP", code=2)


def test_names_and_values_are_shown_as_they_are(sweep: Sweep) -> None:
    """What looks like rich's markup, also if it is not balanced, or like its emojis, is text."""
    names = ["lr[encoder]", "lr[decoder]", "lr[/encoder]", ":smile:"]
    values: dict[str, float | str] = dict.fromkeys(names[:3], 0.01)
    made = sweep.create(
        [
            *(Param(name, LogSpace(1e-3, 1e-1), 0.01) for name in names[:3]),
            Param(":smile:", CategoricalSpace(("[red]", "[/]")), "[red]"),
        ]
    )
    made.add_run("done", {**values, ":smile:": "[red]"}, objective=0.5, cost=3.0)
    for command in ("status", "best", "suggest"):
        done = made.run(command, made.path)
        assert done.returncode == 0, done.stderr
        assert all(name in done.stdout for name in names)
        assert "[red]" in done.stdout
