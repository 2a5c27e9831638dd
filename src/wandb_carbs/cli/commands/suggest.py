"""`wandb-carbs suggest`."""

from __future__ import annotations

import json

import click

from wandb_carbs.cli.connection import load, sweep_argument
from wandb_carbs.cli.numbers import FiniteRange
from wandb_carbs.cli.options import json_option
from wandb_carbs.tables import ConfigTable, make_console

_BELIEFS = ("predicted_cost", "predicted_objective", "success_probability")


@click.command("suggest")
@sweep_argument
@click.option("-n", "number", type=click.IntRange(1), default=1, show_default=True, help="How many, to run at once.")
@click.option(
    "--for-cost",
    type=FiniteRange(0, min_open=True),
    help="What tells most about the best objective at this cost, rather than what improves the frontier most.",
)
@json_option
def command(sweep: str, number: int, for_cost: float | None, as_json: bool) -> None:
    """Show what would be run next. Nothing is started or changed."""
    history = load(sweep)
    from wandb_carbs.sweep.history import carbs_from_sweep  # noqa: PLC0415 - imports the SDK

    carbs = carbs_from_sweep(history)
    outputs = [carbs.suggest(for_cost=for_cost) for _ in range(number)]
    found = [{"config": carbs.space.select(output.suggestion), "log": output.log} for output in outputs]
    if as_json:
        click.echo(json.dumps(found))
        return
    names = carbs.space.names
    lines = [
        (
            item["log"].get("kind"),
            *(item["log"].get(key) for key in _BELIEFS),
            *(item["config"][name] for name in names),
        )
        for item in found
    ]
    make_console().print(ConfigTable("To run next", ("kind", *_BELIEFS), names, lines))
