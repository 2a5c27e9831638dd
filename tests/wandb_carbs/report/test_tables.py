"""The report's tables, and the frontier as YAML."""

from __future__ import annotations

import pytest
import yaml

from carbs import LinearSpace, LogitSpace, LogSpace
from carbs.insight import Insight
from carbs.spaces.values import ParamValue
from wandb_carbs.report import tables
from wandb_carbs.report.data import ReportData
from wandb_carbs.sweep.history import SweepHistory


def test_yaml_reads_back_as_configurations(history: SweepHistory) -> None:
    """The YAML gives configurations of the search space, by increasing cost."""
    data = ReportData(history)
    assert isinstance(data.insight, Insight)
    entries = yaml.safe_load(tables.best_as_yaml(data.insight, {"opt.wd": 1e-5}))
    assert entries
    for entry in entries:
        assert entry["config"].pop("opt.wd") == 1e-5
        assert data.carbs.space.problems_with(entry["config"]) == []
        assert isinstance(entry["cost"], float)
        assert isinstance(entry["objective"], float)
    assert [entry["cost"] for entry in entries] == sorted(entry["cost"] for entry in entries)


@pytest.mark.parametrize(
    "value",
    [
        *(1e-05, 1e22, 0.1, 3.0, -2.5e-300, 7, True, None, [1, "x"], [], [[1e-05, 2], [None, "a, b"]]),
        *("no", "Y", "True", "null", "1e5", "e5", "a: b", "a #b", "ü\n", "", "_", "optimizer.lr"),
        {"rate": 1e-5, "no": [{"b c": None}], "empty": {}},
        *("\U0001f600", '"\\', "\u2028\x7f", "long " * 40),
    ],
)
def test_values_keep_their_value_and_type(value: ParamValue) -> None:
    read = yaml.safe_load(tables.yaml_value(value))
    assert read == value
    assert type(read) is type(value)


def test_ordinary_names_have_no_quotes_in_yaml() -> None:
    assert [tables.yaml_value(text) for text in ("learning_rate", "a.b-c", "off", "2x")] == [
        "learning_rate",
        "a.b-c",
        '"off"',
        '"2x"',
    ]


def test_only_a_logarithmic_space_has_an_exponent() -> None:
    exponent = tables.with_ends(0.5, (-0.123456, 1234.4))
    assert exponent == "0.5 (-0.123 to 1234)"
    found = [tables.rate_of(space, "1", "cost") for space in (LogSpace(1, 2), LinearSpace(0, 1), LogitSpace(0.1, 0.9))]
    assert found == ["exponent 1", "1 per decade of cost", "log10 of the odds: 1 per decade of cost"]


def test_columns_of_numbers_are_known(history: SweepHistory) -> None:
    table = tables.runs(ReportData(history))
    found = {head: table.is_number(column) for column, head in enumerate(table.heads)}
    assert (found["run"], found["objective"], found["reason"]) == (False, True, False)


def test_table_has_a_line_for_each_run_newest_first(history: SweepHistory) -> None:
    table = tables.runs(ReportData(history))
    assert [line[0].value for line in table.lines] == [run.record.name for run in reversed(history.runs)]
    assert {len(line) for line in table.lines} == {len(table.heads)}
    for line in table.lines:
        cells = dict(zip(table.heads, line, strict=True))
        assert cells["objective"].is_number == (cells["counts as"].value == "observation")


def test_cells_show_numbers_shortly_and_nothing_for_none() -> None:
    assert [tables.Cell(value).text for value in (1 / 3, 12345678, "a", None)] == ["0.33333", "12345678", "a", ""]
    assert [tables.Cell(value).is_number for value in (0.5, 3, "3", None, True)] == [True, True, False, False, False]
