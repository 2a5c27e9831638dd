"""`wandb-carbs create`."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import click

from wandb_carbs.cli.connection import connect, parse_sweep
from wandb_carbs.cli.options import json_option, say

if TYPE_CHECKING:
    from wandb_carbs.sweep.file import SweepFile

# W&B's own name for where a sweep without a project goes.
_NO_PROJECT = "uncategorized"


@click.command("create")
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="CONFIG.yaml")
@click.option("--name", help="The sweep's name, in place of the file's.")
@click.option("--project", help="The project, in place of the file's.")
@click.option("--entity", help="User or team, in place of the file's.")
@click.option("--dry-run", is_flag=True, help="Show how the file was understood, and create nothing.")
@json_option
def command(
    config: Path, name: str | None, project: str | None, entity: str | None, *, dry_run: bool, as_json: bool
) -> None:
    """Create a sweep from a YAML file: one of W&B's own, or one like this.

    \b
    name: My sweep
    project: my-project
    entity: my-team            # optional
    program: train.py          # what agents run
    metric:                    # or only goal: minimize
      name: val_loss           # what the program logs
      goal: minimize           # or maximize
    parameters:
      lr: {space: log, min: 1e-5, max: 1, search_center: 1e-3}
      batch_size: {space: pow2, min: 16, max: 128}
      dropout: {values: [0.0, 0.1, 0.2]}
      optimizer: {space: categorical, choices: [adam, sgd]}
      epochs: {value: 10}      # a constant
    carbs:                     # options of the search
      max_suggestion_cost: 3600

    Spaces: linear, log, logit, pow2, categorical, ordinal, and all of W&B's distributions. Other keys (command,
    run_cap, …) go into W&B's sweep configuration. With --dry-run, see how a file is understood.
    """  # noqa: D301 - click's mark for text that is not to be wrapped
    from wandb_carbs.sweep.definition import SweepDefinition  # noqa: PLC0415 - imports the SDK
    from wandb_carbs.sweep.file import read_sweep_file  # noqa: PLC0415 - imports numpy

    described = read_sweep_file(config)
    notes = [*described.notes, *_notes_on_program(described, config.parent)]
    for note in notes:
        click.echo(f"Note: {note}", err=True)
    name, project, entity = name or described.name, project or described.project, entity or described.entity
    if dry_run:
        definition = SweepDefinition(
            described.space.params, described.options, initial=tuple(map(dict, described.initial))
        )
        # Whether old runs will say something of costs is seen when they are read.
        if definition.doubt_of_cap and not described.start_from:
            click.echo(f"Note: {definition.doubt_of_cap}", err=True)
        _show(described, {"name": name, "project": project, "entity": entity}, as_json=as_json)
        return
    base_url = connect()
    project = project or _default_project()
    from wandb_carbs.sweep.create import create_sweep  # noqa: PLC0415 - imports the SDK

    said = io.StringIO()  # the SDK's own words
    with contextlib.redirect_stdout(said), _notes_of_the_log(), _warnings_as_notes():
        sweep_id = create_sweep(
            name,
            entity,
            project,
            config=described.options,
            metric_name=described.metric_name,
            metric_how=described.metric_how,
            cost=described.cost,
            parameters=described.parameters,
            initial=described.initial,
            start_from=[_beside(source, config.parent) for source in described.start_from],
            same_task=described.same_task,
            is_valid=described.is_valid,
            progress=None if described.progress is None else described.progress.described,
            description=described.description,
            **described.sweep_options,
        )
    address = next((word for word in said.getvalue().split() if "/sweeps/" in word), base_url)
    # The address holds the entity where the file does not.
    path = parse_sweep(address, base_url) if address != base_url else sweep_id
    runs_program = "program" in described.sweep_options or "command" in described.sweep_options
    agent = f"wandb-carbs agent {shlex.quote(path)}" if runs_program else f"wandb.agent({path!r}, function=train)"
    text = f"Sweep: {sweep_id}\nAddress: {address}\nStart agents: {agent}"
    say(text, {"id": sweep_id, "address": address, "agent": agent}, as_json=as_json)


@contextlib.contextmanager
def _warnings_as_notes() -> Iterator[None]:
    """Show what W&B warns of in the sweep, which the SDK keeps to itself where it is to be silent."""
    import wandb  # noqa: PLC0415 - slow to import

    def show(text: str, *_: Any, **__: Any) -> None:
        click.echo(f"Note: {text.strip()}", err=True)

    with patch.object(wandb, "termwarn", show):
        yield


def _notes_on_program(described: SweepFile, folder: Path) -> list[str]:
    """Return what is to be said of the program that agents are to run.

    Raises:
        CarbsError: If its command cannot be run.
    """
    from wandb_carbs.agent.command_line import (  # noqa: PLC0415 - imports the SDK
        check_command,
        hint_of_parts,
        hint_of_start,
        remedy_of,
    )
    from wandb_carbs.record import OBJECTIVE_KEY  # noqa: PLC0415 - imports the SDK

    notes = []
    options, metric = described.sweep_options, described.metric_name
    program = options.get("program")
    if program is None and "command" not in options:
        notes.append(
            "the file names no program: write `program: train.py`, or start agents in Python by "
            "wandb.agent(…, function=train), where `train` takes its suggestion with WandbCarbs.from_sweep(run)"
        )
    elif program is not None and not (Path(program).exists() or (folder / program).exists()):
        where = "agents run it in the folder where they are started"
        notes.append(f"program {program!r} does not exist here; {remedy_of(program) or where}")
    if options.get("command"):
        command = check_command(options["command"], program)
        notes += filter(None, (hint_of_start(command), hint_of_parts(command)))
    if metric not in {None, OBJECTIVE_KEY}:
        notes.append(
            f"the program has to log {metric!r}: `wandb-carbs agent` reads the objective there, unless the program "
            "calls record_observation(objective=…)"
        )
    return notes


def _beside(source: Any, folder: Path) -> Any:
    """Return a source of old runs, its file sought beside the sweep's file if it is not in this folder."""
    if isinstance(source, dict) and isinstance(source.get("file"), str):
        return {**source, "file": _beside(source["file"], folder)}
    is_there = isinstance(source, str) and not Path(source).exists() and (folder / source).is_file()
    return str(folder / source) if is_there else source


@contextlib.contextmanager
def _notes_of_the_log() -> Iterator[None]:
    """Show the log as notes."""
    log, handler = logging.getLogger("wandb_carbs"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("Note: %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)


def _default_project() -> str:
    """Return the project that W&B's settings name, or the one where W&B puts sweeps without any."""
    import wandb  # noqa: PLC0415 - slow to import

    project = wandb.setup().settings.project
    if project:
        return str(project)
    click.echo(f"Note: no project is named, so it is {_NO_PROJECT!r}, as in W&B; give --project", err=True)
    return _NO_PROJECT


def _show(described: SweepFile, named: dict[str, Any], *, as_json: bool) -> None:
    """Show how a file was understood."""
    from wandb_carbs.cli.spaces import describe  # noqa: PLC0415 - imports numpy
    from wandb_carbs.tables import ConfigTable, show  # noqa: PLC0415 - imports rich, slow to import

    space, sign = described.space, described.options.better_direction_sign
    goal = "maximize" if sign > 0 else "minimize"
    if as_json:
        facts = {
            **named,
            "goal": goal,
            "metric": described.metric_name,
            "progress": None if described.progress is None else described.progress.described,
            "parameters": [param.to_dict() for param in space.params],
            "constants": dict(space.constants),
            "options": described.options.to_dict(),
            **described.sweep_options,
        }
        click.echo(json.dumps(facts))
        return
    title = f"{named['name']}: {goal} {described.metric_name or 'the recorded objective'}"
    lines = [(param.name, *describe(param)) for param in space.params]
    lines += [(name, "constant", json.dumps(value, ensure_ascii=False), "") for name, value in space.constants.items()]
    show(ConfigTable(title, ("parameter", "space", "values", "start"), (), lines, wraps="values"))
