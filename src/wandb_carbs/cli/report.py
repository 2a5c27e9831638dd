"""`wandb-carbs report`."""

from __future__ import annotations

from pathlib import Path

import click

from wandb_carbs.cli.connection import load, sweep_argument


@click.command("report")
@sweep_argument
@click.option(
    "-o",
    "--output",
    default="report.html",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="HTML file to write; it needs no network to be read.",
)
@click.option("--log", is_flag=True, help="Put the report into the sweep's project, too, as a run of its own.")
def command(sweep: str, output: Path, log: bool) -> None:
    """Write what a sweep has learnt as a page: frontier, scaling laws, importance, calibration, failures, runs."""
    history = load(sweep)
    from wandb_carbs.report import log_report, write_report  # noqa: PLC0415 - imports the models

    write_report(history, output)
    click.echo(f"{len(history.runs)} runs in {output}")
    if log:
        click.echo(f"logged as {log_report(history.path, output)}")
