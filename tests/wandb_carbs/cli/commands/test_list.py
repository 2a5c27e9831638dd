"""`wandb-carbs list`."""

from __future__ import annotations

from carbs import LogSpace, Param
from command_line import Sweep, assert_fails, run_here


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


def listed(sweep: Sweep, columns: int) -> list[str]:
    """Return what is listed in a terminal of that width."""
    narrow = {**sweep.env, "FORCE_COLOR": "1", "TERM": "xterm", "NO_COLOR": "1", "COLUMNS": str(columns)}
    return run_here("list", "e/p", env=narrow, cwd=sweep.folder).stdout.splitlines()


def test_in_a_narrow_terminal_the_project_is_a_heading(sweep: Sweep) -> None:
    heading, _, heads, _, *lines = listed(sweep, 57)
    assert "e/p" in heading
    assert "sweep" in heads
    assert "e/p" not in "".join(lines)
    assert any(sweep.path.rpartition("/")[2] in line for line in lines)


def test_in_a_terminal_too_narrow_for_a_line_each_sweep_shows_its_age(sweep: Sweep) -> None:
    names, ages = (
        [line for line in listed(sweep, 36) if line.lstrip().startswith(head)] for head in ("name", "created")
    )
    assert len(names) == len(ages) > 0
    assert all(line.rstrip().endswith(" ago") for line in ages)


def test_without_a_project_all_are_listed(sweep: Sweep) -> None:
    """Those of the default entity, and of every team: on the local server, of every entity that has a project."""
    found = sweep.json("list", "--json")
    assert isinstance(found, list)
    assert sweep.path in [item["sweep"] for item in found]
    done = sweep.run("list", "e/p")
    assert sweep.run("list").stdout.splitlines()[0].split() == done.stdout.splitlines()[0].split()


def test_a_project_is_named_by_its_address(sweep: Sweep) -> None:
    page = sweep.address.partition("/sweeps/")[0]
    assert sweep.json("list", page, "--json") == sweep.json("list", f"{page}/sweeps", "--json") != []
    assert sweep.json("list", page, "--json") == sweep.json("list", "e/p", "--json")
    assert_fails(sweep.run("list", sweep.address), f"'{sweep.path}' does not name", "ENTITY/PROJECT, here e/p", code=2)
    assert_fails(sweep.run("list", "http://127.0.0.1:9/e/p"), "but WANDB_BASE_URL is", code=2)


def test_missing_project_is_an_error(sweep: Sweep) -> None:
    assert_fails(sweep.run("list", "e/nothing"), "e/nothing", "there is no such project")
    assert_fails(sweep.run("list", "a/b/c"), "write ENTITY/PROJECT, here a/b", code=2)
