"""`wandb-carbs export`."""

from __future__ import annotations

import csv
import importlib
import io
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import IO, Any

import click

from wandb_carbs.cli.connection import load, sweep_or_project_argument
from wandb_carbs.cli.options import STDOUT, OutputFile, json_option, say
from wandb_carbs.plain import plural
from wandb_carbs.sweep.cells import to_cell

_Lines = Sequence[dict[str, Any]]
_Writer = Callable[[IO[bytes], Sequence[str], _Lines], None]
_CONFIG = "config."  # before the names of hyperparameters, so that none hides a column of the run
_NUMBERS = ("objective", "cost")


def _flat(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Give each hyperparameter a column of its own."""
    config = row.pop("config")
    return {**row, **{_CONFIG + name: config.get(name) for name in names}}


def write_csv(file: IO[bytes], heads: Sequence[str], lines: _Lines) -> None:
    """Write lines as text; each value of a hyperparameter so that a sweep that starts from the file reads the same.

    Args:
        file: Where to.
        heads: The columns' names.
        lines: The lines, by column.
    """
    text = io.TextIOWrapper(file, newline="", encoding="utf-8")
    writer = csv.DictWriter(text, heads)
    writer.writeheader()
    for line in lines:
        writer.writerow({head: to_cell(value) if head.startswith(_CONFIG) else value for head, value in line.items()})
    text.detach()  # the file stays open


def _write_json(file: IO[bytes], heads: Sequence[str], lines: _Lines) -> None:  # noqa: ARG001
    file.write((json.dumps(lines, indent=2) + "\n").encode())


def write_parquet(file: Path | IO[bytes], heads: Sequence[str], lines: _Lines) -> None:
    """Write lines to a parquet file, with one type for each column.

    Args:
        file: Where to.
        heads: The columns' names.
        lines: The lines, by column.
    """
    import pyarrow as pa  # noqa: PLC0415 - an extra
    from pyarrow import parquet  # noqa: PLC0415

    def column(head: str) -> Any:
        values = [line[head] for line in lines]
        if not head.startswith(_CONFIG):
            return pa.array(values, pa.float64() if head in _NUMBERS else pa.string())
        kinds = {type(value) for value in values if value is not None}
        try:
            if kinds == {int, float}:
                return pa.array([None if value is None else float(value) for value in values], pa.float64())
            if len(kinds) <= 1 and dict not in kinds:
                return pa.array(values)
        except (OverflowError, TypeError, ValueError):
            pass  # an integer of more than 64 bits, or beyond the floats; lists of different types; half a character
        # So are values of different types, and objects, whose keys may differ.
        return pa.array([None if value is None else str(to_cell(value)) for value in values], pa.string())

    parquet.write_table(pa.table({head: column(head) for head in heads}), file)


_WRITERS: dict[str, _Writer] = {
    "csv": write_csv,
    "json": _write_json,
    "parquet": write_parquet,
}


@click.command("export")
@sweep_or_project_argument
@click.option(
    "-o",
    "--output",
    required=True,
    type=OutputFile([f".{form}" for form in _WRITERS], may_be_stdout=True),
    help="File to write; its ending says how: .csv, .json or .parquet. For standard output: -",
)
@click.option(
    "--format", "form", type=click.Choice(list(_WRITERS)), help="How to write.  [default: as the file ends, or csv]"
)
@json_option
def command(sweep: str, output: Path, form: str | None, as_json: bool) -> None:
    """Write a sweep's runs to a file, one line each."""
    to_stdout = output == Path(STDOUT)
    if to_stdout and as_json:
        raise click.UsageError("--json describes a file that was written; with -o - give --format json for the runs")
    form = form or ("csv" if to_stdout else output.suffix.lower().removeprefix("."))
    if form == "parquet":
        importlib.import_module("pyarrow")  # where it is missing, that is said before any reading
    history = load(sweep)
    from wandb_carbs.sweep.rows import Row, columns, rows  # noqa: PLC0415 - imports numpy

    names = columns(history, with_constants=True)
    lines = [asdict(row) for row in rows(history)]
    heads = [field.name for field in fields(Row)]
    if form != "json":
        lines = [_flat(line, names) for line in lines]
        heads = [*(head for head in heads if head != "config"), *(_CONFIG + name for name in names)]
    if to_stdout:
        _WRITERS[form](sys.stdout.buffer, heads, lines)
        return
    with output.open("wb") as file:
        _WRITERS[form](file, heads, lines)
    facts = {
        "sweep": str(history.path),
        "file": str(output.absolute()),
        "format": form,
        "rows": len(lines),
        "columns": heads,
    }
    say(f"{len(lines)} {plural('run', len(lines))} in {output}", facts, as_json=as_json)
