"""Sources of old runs are read, or refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from carbs import CarbsError
from tables_of_runs import found, table


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
