"""Sources of old runs are read, or refused with the reason."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from carbs import (
    CarbsError,
    CARBSParams,
    CategoricalSpace,
    LinearSpace,
    LogSpace,
    ObservationInParam,
    Param,
    SearchSpace,
)
from wandb_carbs.sweep.old_runs import read_old_runs

SPACE = SearchSpace(
    (
        Param("lr", LogSpace(1e-5, 1e-1)),
        Param("opt.name", CategoricalSpace(("adam", None, [1, 2], True, 3))),
        Param("width", LinearSpace(1, 64, is_integer=True), 8),
    )
)

CONFIG = CARBSParams(better_direction_sign=-1)


def found(source: Any, **options: Any) -> tuple[list[ObservationInParam], list[str]]:
    read = read_old_runs([source], SPACE, CONFIG, **options)
    return list(read.observations), list(read.notes)


def table(tmp_path: Path, rows: list[dict[str, Any]], ending: str) -> str:
    path = tmp_path / f"runs{ending}"
    if ending == ".json":
        path.write_text(json.dumps(rows))
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)))
            writer.writeheader()
            writer.writerows(rows)
    return str(path)


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


def test_a_missing_file_is_an_error() -> None:
    with pytest.raises(CarbsError, match=r"nothing\.csv cannot be read"):
        found("nothing.csv")
