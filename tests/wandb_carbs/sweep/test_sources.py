"""Sources of old runs are read, or refused with the reason."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from carbs import CarbsError, CategoricalSpace, LinearSpace, Param, SearchSpace
from tables_of_runs import CONFIG, found, table
from wandb_carbs.sweep.old_runs import read_old_runs


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"lr": 1e-3, "loss": 1.0}], "has no 'objective' and no 'cost'; name 'metric' and 'cost': it has lr, loss"),
        ([{"lr": 9.0, "objective": 1, "cost": 1}], "none of the 1 runs .* can be used: 1 with 'lr' outside"),
        ([], "none of the 0 runs"),
        ({"lr": 1}, "must hold a list of runs"),
    ],
)
def test_a_table_without_a_use_is_an_error(tmp_path: Path, rows: Any, words: str) -> None:
    with pytest.raises(CarbsError, match=words):
        found(table(tmp_path, rows, ".json"))


@pytest.mark.parametrize(
    "source", [3, "a/b", {}, {"sweep": "a/b/c", "project": "a/b"}, {"project": "a/b"}, {"file": 3}, {"files": "x"}]
)
def test_what_is_no_source_is_an_error(source: Any) -> None:
    with pytest.raises(CarbsError, match=r"start_from\[0\]=.*(must be|needs)"):
        found(source)


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_a_metric_that_is_not_finite_is_a_failure_and_all_that_is_left_out_is_said(tmp_path: Path, ending: str) -> None:
    ends = [0.5, math.inf, -math.inf, math.nan, "Infinity", 10**400, None, "n/a", True]
    rows = [{"lr": 1e-3, "objective": end, "cost": 1} for end in ends]
    rows += [{"lr": 1e-3, "objective": 0.5, "cost": cost} for cost in (math.inf, None, 10**400)]
    observations, (note, *_) = found(table(tmp_path, rows, ending))
    assert [(seen.output, seen.is_failure) for seen in observations if not seen.is_failure] == [(0.5, False)]
    assert [seen.is_failure for seen in observations] == [False] + 5 * [True]
    assert note == (
        "start_from[0]: 6 of 12 runs are used; left out: 3 with no number as 'objective'; 3 with no positive cost"
    )


def test_cells_may_hold_line_ends(tmp_path: Path) -> None:
    prompts = ("a\nb", "a\r\nb", "a\u2028b")
    rows = [{"prompt": prompt, "objective": 1.0, "cost": 1} for prompt in prompts]
    space = SearchSpace((Param("prompt", CategoricalSpace(prompts)),))
    read = read_old_runs(table(tmp_path, rows, ".csv"), space, CONFIG)
    assert tuple(seen.input["prompt"] for seen in read.observations) == prompts


def test_a_table_with_shifted_cells_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("lr,objective,cost\n1e-3,0.5,1\n1,5e-3,0.5,1\n", encoding="utf-8")
    with pytest.raises(CarbsError, match=r"runs\.csv cannot be read: line 3 has more cells"):
        found(tmp_path / "runs.csv")


OWN = SearchSpace((Param("kind", CategoricalSpace(("adam", "model"))), Param("cost", LinearSpace(1, 9), 3)))


@pytest.mark.parametrize("ending", [".csv", ".json"])
@pytest.mark.parametrize("is_first", [False, True])
def test_a_hyperparameter_wins_over_the_runs_own_column_of_its_name(
    tmp_path: Path, ending: str, *, is_first: bool
) -> None:
    own, config = {"kind": "model", "objective": 0.5, "cost": 7}, {"config.kind": "adam", "config.cost": 2}
    row = {**config, **own} if is_first else {**own, **config}
    (read,) = read_old_runs(table(tmp_path, [row], ending), OWN, CONFIG).observations
    assert (read.input, read.cost) == ({"kind": "adam", "cost": 2}, 7)


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_the_runs_own_columns_are_no_hyperparameters(tmp_path: Path, ending: str) -> None:
    """A search that was exported had other hyperparameters than the new one."""
    rows = [{"kind": "model", "objective": 0.5, "cost": 7, "config.width": 2}]
    read = read_old_runs(table(tmp_path, rows, ending), OWN, CONFIG)
    assert [seen.input for seen in read.observations] == [{"kind": OWN.params[0].center, "cost": 3}]
    assert [note.split(" is unknown of 1 of 1 runs")[0].split()[-1] for note in read.notes[1:]] == ["'kind'", "'cost'"]


@pytest.mark.parametrize("ending", [".csv", ".json"])
@pytest.mark.parametrize("prefix", ["", "config."])
def test_a_hyperparameter_may_be_what_a_run_costs(tmp_path: Path, ending: str, prefix: str) -> None:
    space = SearchSpace((Param("epochs", LinearSpace(1, 50, is_integer=True), 10),))
    source = table(tmp_path, [{f"{prefix}epochs": 40, "loss": 0.5}], ending)
    read = read_old_runs({"file": source, "metric": "loss", "cost": f"{prefix}epochs"}, space, CONFIG)
    assert [(seen.input, seen.cost) for seen in read.observations] == [({"epochs": 40}, 40)]


def test_a_missing_file_is_an_error() -> None:
    with pytest.raises(CarbsError, match=r"nothing\.csv cannot be read"):
        found("nothing.csv")
