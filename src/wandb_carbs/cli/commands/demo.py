"""`wandb-carbs demo`."""

from __future__ import annotations

from pathlib import Path

import click

from wandb_carbs.cli.options import OutputFile
from wandb_carbs.tables import make_console


@click.command("demo")
@click.option("--runs", type=click.IntRange(1, 500), default=20, show_default=True, help="Number of runs.")
@click.option("--agents", type=click.IntRange(1, 64), default=2, show_default=True, help="Number of agent processes.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the optimizer and the networks.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the server's state, the logs and frontier.png here.  [default: keep only ./frontier.png]",
)
@click.option("--json", "json_file", type=OutputFile(), help="Write the results to this file.")
def command(runs: int, agents: int, seed: int, data_dir: Path | None, json_file: Path | None) -> None:
    """Run a small sweep on this machine, from start to end.

    Starts a local sweep server, creates a sweep, and lets agents (real ones: wandb.agent with the wandb SDK) train
    networks that read handwritten digits. Needs no account and no internet. Ctrl-C stops everything.
    """
    from wandb_carbs.demo import run_demo  # noqa: PLC0415 - imports numpy and the server

    run_demo(make_console(), runs=runs, agents=agents, seed=seed, data_dir=data_dir, json_file=json_file)
