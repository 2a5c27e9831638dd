"""`wandb-carbs list`."""

from __future__ import annotations

from carbs import LogSpace, Param
from command_line import Sweep, assert_fails


def test_sweeps_of_a_project_are_listed(sweep: Sweep) -> None:
    empty = sweep.create([Param("lr", LogSpace(1e-3, 1e-1))])
    found = sweep.json("list", "e/p", "--json")
    assert isinstance(found, list)
    by_path = {item["sweep"]: item for item in found}
    assert {empty.path, sweep.path} <= set(by_path)
    full, none = by_path[sweep.path], by_path[empty.path]
    assert (full["name"], full["runs"], full["spent_cost"]) == ("made", 6, 1.5 * 63)
    assert (none["runs"], none["spent_cost"], none["state"]) == (0, None, "PENDING")
    table = sweep.run("list", "e/p").stdout.splitlines()
    assert table[0].split() == ["sweep", "name", "state", "runs", "spent", "cost", "created"]
    line = next(line for line in table if sweep.path in line)
    assert line.split()[:5] == [sweep.path, "made", "pending", "6", "94.5"]
    assert line.rstrip().endswith("s ago") or "min ago" in line


def test_without_a_project_all_are_listed(sweep: Sweep) -> None:
    """Those of the default entity, and of every team: on the local server, of every entity that has a project."""
    found = sweep.json("list", "--json")
    assert isinstance(found, list)
    assert sweep.path in [item["sweep"] for item in found]
    done = sweep.run("list", "e/p")
    assert sweep.run("list").stdout.splitlines()[0].split() == done.stdout.splitlines()[0].split()


def test_missing_project_is_an_error(sweep: Sweep) -> None:
    assert_fails(sweep.run("list", "e/nothing"), "e/nothing", "there is no such project")
    assert_fails(sweep.run("list", "a/b/c"), "write ENTITY/PROJECT", code=2)
