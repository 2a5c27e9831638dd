"""`wandb-carbs suggest`."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from wandb_carbs.cli.assignments import Assignments, Given, values_of
from wandb_carbs.cli.connection import load, sweep_or_project_argument
from wandb_carbs.cli.numbers import FiniteRange, WholeRange
from wandb_carbs.cli.options import json_option
from wandb_carbs.tables import ConfigTable, short, show

if TYPE_CHECKING:
    from carbs.errors import CarbsError


@click.command("suggest")
@sweep_or_project_argument
@click.option("-n", "number", type=WholeRange(1, 1000), default=1, show_default=True, help="How many, to run at once.")
@click.option(
    "--for-cost",
    type=FiniteRange(0, min_open=True),
    metavar="COST",
    help="What tells most about the best objective at this cost, rather than what improves the frontier most.",
)
@click.option(
    "--given",
    type=Assignments(),
    multiple=True,
    metavar="NAME=VALUE",
    help="Values that it must have, such as n=7e9,d=1e12; the search is for all others.",
)
@json_option
def command(sweep: str, number: int, for_cost: float | None, given: Given, as_json: bool) -> None:
    """Show what would be run next. Nothing is started or changed.

    Expected values come with one standard deviation: "0.31 ± 0.02", and for a cost "12 (9 to 16)".
    """
    history = load(sweep)
    from carbs.errors import CarbsError  # noqa: PLC0415 - imports numpy
    from wandb_carbs.report.data import ReportData  # noqa: PLC0415 - imports the models

    data = ReportData(history)
    carbs = data.carbs
    values = values_of(carbs.space, given)
    try:
        outputs = [carbs.suggest(for_cost=for_cost, given=values) for _ in range(number)]
    except CarbsError as error:
        _refuse_given(error, sweep)
        raise
    found = [{"config": carbs.space.select(output.suggestion), "log": output.log} for output in outputs]
    if as_json:
        click.echo(json.dumps(found))
        return
    names = carbs.space.names
    heads = ("kind", "expected cost", f"expected {data.objective_title}", "success")
    beliefs = [_beliefs(item["log"]) for item in found]
    # The first runs are not predicted: their columns are left out.
    known = [place for place in range(len(heads)) if any(each[place] is not None for each in beliefs)]
    lines = [
        (*(each[place] for place in known), *(item["config"][name] for name in names))
        for each, item in zip(beliefs, found, strict=True)
    ]
    show(ConfigTable("To run next", [heads[place] for place in known], names, lines))
    if history.definition.is_valid:
        click.echo(
            f"Agents obey the sweep's rule {history.definition.is_valid}; what is shown here need not.", err=True
        )
    click.echo("Nothing is started or changed: each run gets its own.", err=True)


def _refuse_given(error: CarbsError, sweep: str) -> None:
    """Raise the problems with values that were given, in the words of the command's options.

    Raises:
        CarbsError: If there are such problems.
    """
    from carbs.errors import raise_problems  # noqa: PLC0415 - imports numpy
    from carbs.request import BEYOND  # noqa: PLC0415 - likewise

    problems = []
    for problem in error.problems:
        if problem.place == "given":
            advice = f"; beyond its bounds `wandb-carbs best {sweep} --at {problem.key}={problem.value}` predicts"
            problems.append(replace(problem, place="", rule=problem.rule.replace(BEYOND, advice)))
    raise_problems("invalid --given", problems)


def _beliefs(log: dict[str, Any]) -> tuple[str | None, ...]:
    """Return kind, cost, objective and the chance of success as text; None where the model was not asked."""
    # The deviation of a cost is that of its logarithm.
    cost, factor = log.get("predicted_cost"), math.exp(log.get("predicted_cost_std") or 0.0)
    objective, deviation = log.get("predicted_objective"), log.get("predicted_objective_std")
    chance = log.get("success_probability")
    return (
        log.get("kind"),
        None if cost is None else f"{short(cost)} ({short(cost / factor)} to {short(cost * factor)})",
        None if objective is None else f"{short(objective)} ± {short(deviation or 0.0)}",
        None if chance is None else f"{chance:.0%}",
    )
