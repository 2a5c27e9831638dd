"""`wandb-carbs report`."""

from __future__ import annotations

from pathlib import Path

import click

from wandb_carbs.cli.assignments import Names
from wandb_carbs.cli.connection import load, sweep_or_project_argument
from wandb_carbs.cli.options import OutputFile, json_option, say
from wandb_carbs.plain import plural

_ENDINGS = (".html", ".htm")


@click.command("report")
@sweep_or_project_argument
@click.option(
    "-o",
    "--output",
    default="report.html",
    show_default=True,
    type=OutputFile(_ENDINGS),
    help="HTML file to write; it needs no network to be read.",
)
@click.option(
    "--scale",
    type=Names(),
    multiple=True,
    metavar="NAME",
    help="A size, such as that of the model or of the data: adds the scaling laws of all others over it.",
)
@click.option("--log", is_flag=True, help="Put the report into the sweep's project, too, as a run of its own.")
@json_option
def command(sweep: str, output: Path, scale: tuple[tuple[str, ...], ...], log: bool, as_json: bool) -> None:
    """Write what a sweep has learnt as a page: frontier, scaling laws, importance, calibration, failures, runs."""
    # Where the extra is missing, that is said before any reading.
    from wandb_carbs.report import log_report, write_report  # noqa: PLC0415 - imports the models

    history = load(sweep)
    report = write_report(history, output, scale=[name for names in scale for name in names])
    address = log_report(report) if log else None
    facts = {
        "sweep": str(history.path),
        "file": str(output.absolute()),
        "format": "html",
        "runs": len(history.runs),
        "figures": list(report.figures),
        "logged": address,
    }
    count = len(history.runs)
    text = f"{count} {plural('run', count)} in {output}"
    say(f"{text}\nlogged at {address}" if log else text, facts, as_json=as_json)
