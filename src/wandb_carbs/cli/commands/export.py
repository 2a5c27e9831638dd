"""`wandb-carbs export`."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import click

from wandb_carbs.cli.connection import load, sweep_argument
from wandb_carbs.cli.options import OutputFile, json_option, say

_Lines = Sequence[dict[str, Any]]
_Writer = Callable[[Path, Sequence[str], _Lines], None]
_CONFIG = "config."  # before the names of hyperparameters, so that none hides a column of the run
_NUMBERS = ("objective", "cost")


def _flat(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Give each hyperparameter a column of its own."""
    config = row.pop("config")
    return {**row, **{_CONFIG + name: config.get(name) for name in names}}


def _write_csv(path: Path, heads: Sequence[str], lines: _Lines) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, heads)
        writer.writeheader()
        writer.writerows(lines)


def _write_json(path: Path, heads: Sequence[str], lines: _Lines) -> None:  # noqa: ARG001
    path.write_text(json.dumps(lines, indent=2) + "\n", encoding="utf-8")


def write_parquet(path: Path, heads: Sequence[str], lines: _Lines) -> None:
    """Write lines to a parquet file, with one type for each column.

    Args:
        path: The file.
        heads: The columns' names.
        lines: The lines, by column.
    """
    import pyarrow as pa  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415 - an extra
    from pyarrow import parquet  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415

    def column(head: str) -> Any:
        values = [line[head] for line in lines]
        if not head.startswith(_CONFIG):
            return pa.array(values, pa.float64() if head in _NUMBERS else pa.string())
        kinds = {type(value) for value in values if value is not None}
        try:
            if kinds == {int, float}:
                return pa.array([None if value is None else float(value) for value in values], pa.float64())
            if len(kinds) <= 1:
                return pa.array(values)
        except OverflowError:
            pass  # an integer of more than 64 bits, or beyond the floats
        # So are choices of different types, which no column holds.
        return pa.array([None if value is None else str(value) for value in values], pa.string())

    parquet.write_table(pa.table({head: column(head) for head in heads}), path)


_WRITERS: dict[str, _Writer] = {
    ".csv": _write_csv,
    ".json": _write_json,
    ".parquet": write_parquet,
}


@click.command("export")
@sweep_argument
@click.option(
    "-o",
    "--output",
    required=True,
    type=OutputFile(tuple(_WRITERS)),
    help="File to write; its ending says how: .csv, .json or .parquet.",
)
@json_option
def command(sweep: str, output: Path, as_json: bool) -> None:
    """Write a sweep's runs to a file, one line each."""
    ending = output.suffix.lower()
    if ending == ".parquet":
        importlib.import_module("pyarrow")  # where it is missing, that is told before any reading
    history = load(sweep)
    from wandb_carbs.sweep.rows import Row, columns, rows  # noqa: PLC0415 - imports numpy

    names = columns(history)
    lines = [asdict(row) for row in rows(history)]
    heads = [field.name for field in fields(Row)]
    if ending != ".json":
        lines = [_flat(line, names) for line in lines]
        heads = [*(head for head in heads if head != "config"), *(_CONFIG + name for name in names)]
    _WRITERS[ending](output, heads, lines)
    facts = {
        "sweep": str(history.path),
        "file": str(output.absolute()),
        "format": ending.removeprefix("."),
        "rows": len(lines),
        "columns": heads,
    }
    say(f"{len(lines)} runs in {output}", facts, as_json=as_json)
