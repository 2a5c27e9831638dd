"""`wandb-carbs demo`."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import click

from wandb_carbs.cli.numbers import WholeRange
from wandb_carbs.cli.options import json_option
from wandb_carbs.tables import make_console


@click.command("demo")
@click.option("--runs", type=WholeRange(1, 500), default=30, show_default=True, help="Number of runs.")
@click.option("--agents", type=WholeRange(1, 64), default=4, show_default=True, help="Number of agent processes.")
@click.option("--seed", type=WholeRange(0), default=0, show_default=True, help="Of the optimizer and the networks.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the server's state, the logs and report.html here.  [default: keep only ./report.html]",
)
@json_option
def command(runs: int, agents: int, seed: int, data_dir: Path | None, as_json: bool) -> None:
    """Run a small sweep on this machine, from start to end.

    Starts a local sweep server, creates a sweep, and lets agents (real ones: wandb.agent with the wandb SDK) train
    networks that read handwritten digits. Then shows the frontier of cost against loss, and writes a report. Needs no
    account and no internet. In a terminal the server stays for you to look at its pages; Ctrl-C stops everything.
    """
    importlib.import_module("sklearn")  # where the extra `demo` is missing, that is said rather than the part of it
    from wandb_carbs.demo import run_demo  # noqa: PLC0415 - imports numpy and the server

    console = make_console(stderr=as_json)
    stay = console.is_terminal and not as_json
    found = run_demo(console, runs=runs, agents=agents, seed=seed, data_dir=data_dir, stay=stay)
    if as_json:
        click.echo(json.dumps(found))
