"""`wandb-carbs create`."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import click

from wandb_carbs.cli.connection import connect, parse_sweep
from wandb_carbs.cli.options import json_option, say


@click.command("create")
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="CONFIG.yaml")
@json_option
def command(config: Path, as_json: bool) -> None:
    """Create a sweep from a YAML file.

    \b
    name: My sweep
    project: my-project
    entity: my-team            # optional
    program: train.py          # what agents run
    metric:                    # as in W&B's own sweeps; or only goal: minimize
      name: val_loss           # what W&B's pages sort by, if the program logs it; optional
      goal: minimize           # or maximize
    parameters:
      learning_rate: {space: log, min: 1e-5, max: 1e-1, search_center: 1e-3}
      batch_size: {space: pow2, min: 16, max: 128}
      optimizer: {space: categorical, choices: [adam, sgd]}
    carbs:                     # options of the search
      max_suggestion_cost: 3600

    The search learns from what the program gives to record_observation(objective=…), whatever the metric's name.

    Spaces: linear, log, logit, pow2, categorical. Other keys (command, run_cap, …) go into W&B's sweep configuration.
    """  # noqa: D301 - click's mark for text that is not to be wrapped
    from wandb_carbs.cli.config_file import read_config  # noqa: PLC0415 - imports numpy

    described = read_config(config)
    base_url = connect()
    from wandb_carbs.record import OBJECTIVE_KEY  # noqa: PLC0415 - imports the SDK
    from wandb_carbs.sweep.create import create_sweep  # noqa: PLC0415 - likewise

    with contextlib.redirect_stdout(io.StringIO()) as said:  # the SDK's own words
        sweep_id = create_sweep(
            described.name,
            described.entity,
            described.project,
            described.params,
            config=described.options,
            metric_name=described.metric_name,
            **described.sweep_options,
        )
    address = next((word for word in said.getvalue().split() if "/sweeps/" in word), base_url)
    # The address tells the entity where the file does not.
    path = parse_sweep(address, base_url) if address != base_url else sweep_id
    agent = f"wandb agent {path}"
    if described.metric_name not in {None, OBJECTIVE_KEY}:
        click.echo(
            f"Note: W&B sorts runs by {described.metric_name!r}, which the program has to log; the search learns from "
            f"what it gives to record_observation(objective=…), which is kept as {OBJECTIVE_KEY!r}",
            err=True,
        )
    text = f"Sweep: {sweep_id}\nAddress: {address}\nStart agents: {agent}"
    say(text, {"id": sweep_id, "address": address, "agent": agent}, as_json=as_json)
