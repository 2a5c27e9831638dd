"""`wandb-carbs best`."""

from __future__ import annotations

import json

import click

from wandb_carbs.cli.connection import load, sweep_argument
from wandb_carbs.cli.numbers import FiniteRange
from wandb_carbs.cli.options import json_option
from wandb_carbs.tables import ConfigTable, make_console


@click.command("best")
@sweep_argument
@click.option("--max-cost", type=FiniteRange(0, min_open=True), help="The most that a run may have cost.")
@json_option
def command(sweep: str, max_cost: float | None, as_json: bool) -> None:
    """Show the best configuration up to a cost, as observed."""
    history = load(sweep)
    from wandb_carbs.cli import summary  # noqa: PLC0415 - imports numpy
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
    if as_json:
        click.echo(json.dumps(summary.result(row)))
        return
    names = columns(history)
    line = (row.cost, row.objective, row.id, *(row.config[name] for name in names))
    make_console().print(ConfigTable("Best configuration", ("cost", "objective", "run"), names, [line]))
