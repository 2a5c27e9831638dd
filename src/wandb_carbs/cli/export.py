"""`wandb-carbs export`."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import click

from wandb_carbs.cli.connection import load, sweep_argument

_Lines = Sequence[dict[str, Any]]
_Writer = Callable[[Path, Sequence[str], _Lines], None]


@click.command("export")
@sweep_argument
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; its ending says how: .csv, .json or .parquet.",
)
def command(sweep: str, output: Path) -> None:
    """Write a sweep's runs to a file, one line each."""
    write = _WRITERS.get(output.suffix.lower())
    if write is None:
        raise click.BadParameter(f"{output.name!r} must end in {', '.join(_WRITERS)}", param_hint="--output")
    history = load(sweep)
    from wandb_carbs.cli.summary import Row, columns, rows  # noqa: PLC0415 - imports numpy

    names = columns(history)
    lines = [asdict(row) for row in rows(history)]
    heads = [field.name for field in fields(Row)]
    if output.suffix.lower() != ".json":
        lines = [_flat(line, names) for line in lines]
        heads = [*(head for head in heads if head != "config"), *(f"config.{name}" for name in names)]
    write(output, heads, lines)
    click.echo(f"{len(lines)} runs in {output}")


def _flat(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Give each hyperparameter a column of its own, so that none hides one of the run's."""
    config = row.pop("config")
    return {**row, **{f"config.{name}": config.get(name) for name in names}}


def _write_csv(path: Path, heads: Sequence[str], lines: _Lines) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, heads)
        writer.writeheader()
        writer.writerows(lines)


def _write_json(path: Path, heads: Sequence[str], lines: _Lines) -> None:  # noqa: ARG001
    path.write_text(json.dumps(lines, indent=2) + "\n")


def _write_parquet(path: Path, heads: Sequence[str], lines: _Lines) -> None:
    try:
        import pyarrow as pa  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415 - optional
        from pyarrow import parquet  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415
    except ImportError as error:
        raise click.ClickException("writing .parquet needs pyarrow: pip install pyarrow") from error
    parquet.write_table(pa.table({head: [line[head] for line in lines] for head in heads}), path)


_WRITERS: dict[str, _Writer] = {
    ".csv": _write_csv,
    ".json": _write_json,
    ".parquet": _write_parquet,
}
