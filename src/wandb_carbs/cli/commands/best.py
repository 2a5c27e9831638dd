"""`wandb-carbs best`."""

from __future__ import annotations

import json
import shlex
from typing import Any

import click

from wandb_carbs.cli.connection import load, sweep_argument
from wandb_carbs.cli.numbers import FiniteRange
from wandb_carbs.cli.options import json_option
from wandb_carbs.tables import ConfigTable, make_console


@click.command("best")
@sweep_argument
@click.option("--max-cost", type=FiniteRange(0, min_open=True), help="The most that a run may have cost.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "yaml", "args", "json"]),
    default="table",
    show_default=True,
    help="The configuration as YAML or as arguments of a command, or all of it as a table or JSON.",
)
@json_option
def command(sweep: str, max_cost: float | None, form: str, as_json: bool) -> None:
    """Show the best configuration up to a cost, as observed."""
    history = load(sweep)
    from wandb_carbs.cli import summary  # noqa: PLC0415 - imports numpy
    from wandb_carbs.report.data import ReportData  # noqa: PLC0415 - likewise
    from wandb_carbs.sweep.rows import columns, find_frontier  # noqa: PLC0415 - likewise

    members = find_frontier(history)
    if not members:
        raise click.ClickException(f"no run of {history.path} has reported an objective yet")
    affordable = [row for row in members if max_cost is None or (row.cost or 0.0) <= max_cost]
    if not affordable:
        raise click.ClickException(
            f"no run of {history.path} cost at most {max_cost:g}; the cheapest cost {members[0].cost:.4g}"
        )
    row = affordable[-1]
    if as_json or form == "json":
        click.echo(json.dumps(summary.result(row)))
    elif form == "yaml":
        click.echo(_yaml(row.config))
    elif form == "args":
        click.echo(shlex.join(f"--{name}={_text(value)}" for name, value in row.config.items()))
    else:
        data, names = ReportData(history), columns(history)
        line = (row.cost, row.objective, row.id, *(row.config[name] for name in names))
        heads = ("cost", data.objective_title, "run")
        make_console().print(ConfigTable("Best configuration, as observed", heads, names, [line]))
        for doubt in data.doubts:
            click.echo(f"note: {doubt}", err=True)


def _yaml(config: dict[str, Any]) -> str:
    # JSON is YAML, but for numbers like 1e-05, which YAML 1.1 takes for text.
    from wandb_carbs.report.tables import yaml_scalar  # noqa: PLC0415 - imports numpy

    return "\n".join(f"{yaml_scalar(name)}: {yaml_scalar(value)}" for name, value in config.items())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
