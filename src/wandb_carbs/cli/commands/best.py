"""`wandb-carbs best`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wandb_carbs.cli.assignments import Assignments, Given, values_of
from wandb_carbs.cli.connection import load, sweep_or_project_argument
from wandb_carbs.cli.numbers import FiniteRange
from wandb_carbs.cli.options import json_option
from wandb_carbs.tables import ConfigTable, short, show

if TYPE_CHECKING:
    from wandb_carbs.sweep.history import SweepHistory


@click.command("best")
@sweep_or_project_argument
@click.option(
    "--max-cost", type=FiniteRange(0, min_open=True), metavar="COST", help="The most that a run may have cost."
)
@click.option(
    "--at",
    type=Assignments(),
    multiple=True,
    metavar="NAME=VALUE",
    help="Sizes, such as n=7e9,d=1e12: what the scaling laws over them predict to be best, with 90 % intervals.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "yaml", "args", "json"]),
    default="table",
    show_default=True,
    help="The configuration as YAML or as arguments of the program, or all of it as a table or JSON.",
)
@json_option
def command(sweep: str, max_cost: float | None, at: Given, form: str, as_json: bool) -> None:
    """Show the best configuration up to a cost, as observed, or the predicted best at given sizes."""
    if at and max_cost is not None:
        raise click.UsageError("--at asks for a prediction, --max-cost for an observed run: give one of them")
    if as_json and form not in {"table", "json"}:
        raise click.UsageError(f"--json and --format {form} ask for two forms: give one of them")
    history = load(sweep)
    form = "json" if as_json else form
    if at:
        _predicted(history, at, form)
        return
    from wandb_carbs.cli import summary  # noqa: PLC0415 - imports numpy
    from wandb_carbs.report.data import ReportData  # noqa: PLC0415 - likewise
    from wandb_carbs.sweep.rows import columns, find_frontier  # noqa: PLC0415 - likewise

    members = find_frontier(history)
    if not members:
        raise click.ClickException(f"no run of {history.path} has reported an objective yet")
    affordable = [row for row in members if max_cost is None or (row.cost or 0.0) <= max_cost]
    if not affordable:
        raise click.ClickException(
            f"no run of {history.path} cost at most {short(max_cost)}; the cheapest cost {short(members[0].cost)}"
        )
    row = affordable[-1]
    if form == "json":
        click.echo(json.dumps(summary.result(row)))
    elif form != "table":
        click.echo(_written(history, row.config, form))
    else:
        data, names = ReportData(history), columns(history, with_constants=True)
        line = (row.cost, row.objective, row.id, *(row.config[name] for name in names))
        heads = ("cost", data.objective_title, "run")
        show(ConfigTable("Best configuration, as observed", heads, names, [line]))
        for doubt in data.doubts:
            click.echo(f"note: {doubt}", err=True)


def _predicted(history: SweepHistory, at: Given, form: str) -> None:
    """Show what the laws predict to be best at sizes."""
    from carbs.errors import CarbsError, raise_problems  # noqa: PLC0415 - imports numpy
    from wandb_carbs.cli.advice import advise  # noqa: PLC0415 - imports the models
    from wandb_carbs.report.data import ReportData  # noqa: PLC0415 - likewise

    data, constants = ReportData(history), history.constants
    try:
        advice = advise(data.carbs, values_of(data.carbs.space, at))
    except CarbsError as error:
        # Python calls it `scale`.
        wrong = [replace(problem, key="--at") for problem in error.problems if problem.key == "scale"]
        raise_problems("invalid sizes", wrong)
        raise
    config = {**advice.config, **constants}
    if form == "json":
        click.echo(json.dumps({**advice.to_dict(), "config": config}))
    elif form != "table":
        click.echo(_written(history, config, form))
    else:
        found, names, nothing = advice.recommendation, list(config), [None] * len(constants)
        lines = [
            ("predicted", getattr(found.objective, "value", None), *config.values()),
            ("90 % from", *advice.ends("low"), *nothing),
            ("90 % to", *advice.ends("high"), *nothing),
        ]
        sizes = ", ".join(f"{name}={value:g}" for name, value in found.given.items())
        title = f"Best configuration at {sizes}, by the scaling laws"
        show(ConfigTable(title, ("", data.objective_title), names, lines))
    for name in advice.choices:
        click.echo(f"note: {name} has no law, since its choices have no order: its value is the best run's", err=True)
    number = len(data.carbs.success_observations)
    if advice.num_diverged:
        click.echo(f"note: left out, as diverged: {advice.num_diverged} of {number} runs", err=True)
    if advice.num_unused:
        used = number - advice.num_unused
        click.echo(f"note: of {number} runs, the laws use the {used} nearest to the frontier", err=True)


def _written(history: SweepHistory, config: dict[str, Any], form: str) -> str:
    """Write a configuration as "yaml" or as "args", in the shape in which `wandb-carbs agent` gives it to a program."""
    from wandb_carbs.agent.program_values import values_for  # noqa: PLC0415 - imports the SDK
    from wandb_carbs.report.tables import yaml_value  # noqa: PLC0415 - imports numpy

    parameters = history.configuration.get("parameters")
    values = values_for(parameters if isinstance(parameters, Mapping) else {}, config)
    if form == "args":
        return shlex.join(_arguments(history.configuration.get("command"), values))
    return "\n".join(f"{yaml_value(name)}: {yaml_value(value)}" for name, value in values.items())


def _arguments(command: Any, values: dict[str, Any]) -> list[str]:
    """Return the arguments that a sweep's command makes of values; W&B's own where it makes none, or a file."""
    from wandb_carbs.agent.command_line import fill_in, passes_values  # noqa: PLC0415 - imports the SDK

    words = [str(word) for word in command] if isinstance(command, list) else []
    macros = [word for word in words if passes_values([word]) and word != "${args_json_file}"]
    return fill_in(macros or ["${args}"], None, values, Path(), {})
