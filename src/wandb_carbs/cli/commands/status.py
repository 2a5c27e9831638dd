"""`wandb-carbs status`."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import click
from rich.console import Console, Group

from wandb_carbs.cli.connection import load, sweep_argument
from wandb_carbs.cli.numbers import FiniteRange
from wandb_carbs.cli.options import json_option
from wandb_carbs.tables import ConfigTable, make_console, short

if TYPE_CHECKING:
    from wandb_carbs.sweep.history import SweepHistory

_MAX_INTERVAL = 86400  # a day; no wait can be as long as a float can be large


@click.command("status")
@sweep_argument
@click.option("--watch", is_flag=True, help="Show it again and again, until Ctrl-C.")
@click.option(
    "--interval",
    type=FiniteRange(1, _MAX_INTERVAL),
    default=10.0,
    show_default=True,
    help="Seconds between, with --watch.",
)
@json_option
def command(sweep: str, watch: bool, interval: float, as_json: bool) -> None:
    """Show how a sweep is doing: states, cost spent, the frontier, what runs now."""
    console = make_console()
    if not watch:
        _show(console, load(sweep), as_json=as_json)
        return
    waiting = threading.Event()
    while True:
        history = load(sweep)
        if console.is_terminal and not as_json:
            console.clear()
        _show(console, history, as_json=as_json)
        waiting.wait(interval)


def _show(console: Console, history: SweepHistory, *, as_json: bool) -> None:
    from wandb_carbs.cli.summary import summarize  # noqa: PLC0415 - imports numpy

    if as_json:
        click.echo(json.dumps(summarize(history)))
    else:
        console.print(_render(history))


def _render(history: SweepHistory) -> Group:
    from wandb_carbs.cli import summary  # noqa: PLC0415 - imports numpy
    from wandb_carbs.sweep.rows import columns  # noqa: PLC0415 - likewise

    facts = summary.summarize(history)
    names = columns(history)
    states = ", ".join(f"{state} {number}" for state, number in facts["states"].items() if number)
    best = facts["best"]
    parts: list[object] = [
        f"{facts['sweep']}: {facts['runs']} runs" + (f" ({states})" if states else ""),
        f"cost spent on observations: {short(facts['spent_cost']) or 'more than a float can hold'}",
    ]
    if best is not None:
        parts.append(f"best objective: {short(best['objective'])} at cost {short(best['cost'])}")
        lines = [
            (item["cost"], item["objective"], item["run"], *(item["config"][name] for name in names))
            for item in facts["frontier"]
        ]
        parts.append(ConfigTable("Pareto frontier", ("cost", "objective", "run"), names, lines))
    if facts["running"]:
        lines = [
            (item["run"], item["created_at"], *(item["config"].get(name) for name in names))
            for item in facts["running"]
        ]
        parts.append(ConfigTable("Running now", ("run", "since"), names, lines))
    return Group(*parts)  # type: ignore[arg-type]
