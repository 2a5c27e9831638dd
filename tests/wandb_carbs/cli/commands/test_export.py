"""`wandb-carbs export`."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from carbs import CarbsError, CARBSParams, CategoricalSpace, LinearSpace, Param, SearchSpace
from command_line import Sweep, assert_fails, run
from wandb_carbs.cli.commands.export import write_csv
from wandb_carbs.sweep.old_runs import read_old_runs


def test_export_writes_every_run(sweep: Sweep) -> None:
    for name in ("runs.csv", "runs.json"):
        assert sweep.run("export", sweep.path, "-o", name).returncode == 0
    with (sweep.folder / "runs.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    runs = json.loads((sweep.folder / "runs.json").read_text())
    assert [line["id"] for line in lines] == [row["id"] for row in runs]
    assert [float(line["config.learning_rate"]) for line in lines] == [row["config"]["learning_rate"] for row in runs]
    assert all(float(line["cost"]) > 0 for line in lines)
    assert_fails(sweep.run("export", sweep.path, "-o", "runs.txt"), ".csv", code=2)


def test_export_to_parquet_holds_what_csv_holds(sweep: Sweep) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    told = sweep.json("export", sweep.path, "-o", "runs.parquet", "--json")
    assert isinstance(told, dict)
    assert sweep.run("export", sweep.path, "-o", "same.csv").returncode == 0
    table = parquet.read_table(sweep.folder / "runs.parquet")
    with (sweep.folder / "same.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert table.column_names == list(lines[0]) == told["columns"]
    assert [{key: str(value) for key, value in row.items()} for row in table.to_pylist()] == lines
    types = {name: str(table.schema.field(name).type) for name in ("id", "cost", "config.learning_rate")}
    assert types == {"id": "string", "cost": "double", "config.learning_rate": "double"}


@pytest.mark.parametrize(
    ("values", "held"),
    [
        ([2**64 + 1, None, 3], ["18446744073709551617", None, "3"]),
        ([2**60 + 1, 1.5, None], [float(2**60), 1.5, None]),
        ([10**400, 1.5], ["1" + "0" * 400, "1.5"]),
    ],
)
def test_export_to_parquet_takes_integers_of_any_size(tmp_path: Path, values: list[Any], held: list[Any]) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    from wandb_carbs.cli.commands.export import write_parquet

    write_parquet(tmp_path / "runs.parquet", ["config.n"], [{"config.n": value} for value in values])
    assert parquet.read_table(tmp_path / "runs.parquet").column("config.n").to_pylist() == held


@pytest.fixture(scope="module")
def odd_sweep(sweep: Sweep) -> Sweep:
    """Make a sweep whose runs recorded what is valid, but unusual."""
    made = sweep.create([Param("n", LinearSpace(1, 2**70, is_integer=True), 5)])
    made.add_run("whole", {"n": 5}, objective=2**60 + 1, cost=10**30, summary='"carbs.kind": 5')
    made.add_run("large", {"n": 6}, objective=1, cost=1.7e308, summary='"carbs.kind": NaN')
    made.add_run("larger", {"n": 2**65}, objective=10**30, cost=1.7e308, summary='"carbs.kind": {"a": 1}')
    return made


def test_json_has_only_numbers_that_json_knows(odd_sweep: Sweep) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    assert odd_sweep.run("export", odd_sweep.path, "-o", "odd.json").returncode == 0
    rows = json.loads((odd_sweep.folder / "odd.json").read_text(), parse_constant=refuse)
    assert [row["kind"] for row in rows] == [None] * 3
    done = odd_sweep.run("status", odd_sweep.path, "--json")
    assert json.loads(done.stdout, parse_constant=refuse)["spent_cost"] is None
    assert "more than a float can hold" in odd_sweep.run("status", odd_sweep.path).stdout


def test_export_to_parquet_takes_all_that_a_run_may_record(odd_sweep: Sweep) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    done = odd_sweep.run("export", odd_sweep.path, "-o", "odd.parquet")
    assert done.returncode == 0, done.stderr
    table = parquet.read_table(odd_sweep.folder / "odd.parquet")
    assert table.column("objective").to_pylist() == [float(2**60), 1.0, 1e30]
    assert table.column("kind").to_pylist() == [None] * 3


def test_export_to_parquet_takes_choices_of_any_types(sweep: Sweep) -> None:
    """A column has one type; a sweep without runs has its columns all the same."""
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    from wandb_carbs.cli.commands.export import write_parquet

    path = sweep.folder / "mixed.parquet"
    choices = [1, "a", True, None]
    write_parquet(path, ["id", "cost", "config.c"], [{"id": "r", "cost": None, "config.c": value} for value in choices])
    assert parquet.read_table(path).column("config.c").to_pylist() == ["1", "a", "True", None]
    lists = [[1, "a"], [2], ["a", [None]]]
    write_parquet(path, ["config.c"], [{"config.c": value} for value in lists])
    assert parquet.read_table(path).column("config.c").to_pylist() == ['[1, "a"]', "[2]", '["a", [null]]']
    write_parquet(path, ["id", "cost", "config.c"], [])
    assert str(parquet.read_schema(path).field("cost").type) == "double"


def test_a_sweep_that_starts_from_a_csv_file_reads_the_choices_that_were_exported(tmp_path: Path) -> None:
    choices = ("3", 3, "", None, "True", True, "a\r\nb", 'say "x", y', ["a", [None]], "[1, 2]", [1, 2], 0.5)
    lines = [{"state": "observation", "objective": 0.5, "cost": 1.0, "config.c": choice} for choice in choices]
    with (tmp_path / "runs.csv").open("wb") as file:
        write_csv(file, list(lines[0]), lines)
    space = SearchSpace((Param("c", CategoricalSpace(choices)),))
    read = read_old_runs(tmp_path / "runs.csv", space, CARBSParams())
    assert [json.dumps(seen.input["c"]) for seen in read.observations] == list(map(json.dumps, choices))


@pytest.mark.parametrize("ending", [".csv", ".json", ".parquet"])
def test_constants_and_what_a_run_without_result_had_are_exported(sweep: Sweep, ending: str) -> None:
    """So a sweep that starts from the table leaves out runs with another value of a constant."""
    constants = {"epochs": {"value": 30}, "model": {"value": {"width": 8, "names": []}}, "none": {"value": None}}
    made = sweep.create([Param("lr", LinearSpace(0, 1))], parameters=constants)
    made.add_run("good", {"lr": 0.5}, objective=1.0, cost=2.0)
    made.add_run("gone", {"lr": 0.25}, summary='"carbs.state": "abandoned"')
    name = f"constants{ending}"
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
        from pyarrow import parquet

        assert made.run("export", made.path, "-o", name).returncode == 0
        table = parquet.read_table(made.folder / name)
        assert table.column("config.epochs").to_pylist() == [30, 30]
        assert table.column("config.model").to_pylist() == ['{"width": 8, "names": []}'] * 2
        return
    assert made.run("export", made.path, "-o", name).returncode == 0
    if ending == ".json":
        rows = json.loads((made.folder / name).read_text())
        whole = {"epochs": 30, "model": {"width": 8, "names": []}, "none": None}
        assert [row["config"] for row in rows] == [{"lr": 0.5, **whole}, {"lr": 0.25, **whole}]
    space, options = SearchSpace((Param("lr", LinearSpace(0, 1)),)), CARBSParams()
    same = {"epochs": 30, "model": {"width": 8, "names": []}, "none": None}
    assert len(read_old_runs(made.folder / name, space, options, same).observations) == 1
    with pytest.raises(CarbsError, match="1 with another value of the constant 'epochs'"):
        read_old_runs(made.folder / name, space, options, {"epochs": 3})
    deeper = SearchSpace((*space.params, Param("epochs", LinearSpace(1, 99, is_integer=True), 3)))
    assert [seen.input["epochs"] for seen in read_old_runs(made.folder / name, deeper, options).observations] == [30]


def test_missing_pyarrow_is_told_before_the_sweep_is_read(tmp_path: Path) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ModuleNotFoundError('no pyarrow', name='pyarrow')")
    env = {"PYTHONPATH": str(tmp_path), "WANDB_BASE_URL": "http://127.0.0.1:9"}
    done = run("export", "a/b/c", "-o", str(tmp_path / "runs.parquet"), env=env)
    assert_fails(done, "pip install 'wandb-carbs[parquet]'")


def test_export_writes_to_standard_output(sweep: Sweep) -> None:
    assert sweep.run("export", sweep.path, "-o", "shown.csv").returncode == 0
    shown = (sweep.folder / "shown.csv").read_text()
    done = sweep.run("export", sweep.path, "-o", "-")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == shown.splitlines()
    rows = sweep.json("export", sweep.path, "-o", "-", "--format", "json")
    assert isinstance(rows, list)
    assert len(rows) == len(shown.splitlines()) - 1
    assert not (sweep.folder / "-").exists()
    assert_fails(sweep.run("export", sweep.path, "-o", "-", "--json"), "--format json", code=2)
