"""`wandb-carbs status`."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live

from wandb_carbs.cli.connection import SweepName, connect, load, newest_of_project, open_sweep
from wandb_carbs.cli.numbers import FiniteRange
from wandb_carbs.cli.options import json_option
from wandb_carbs.tables import ConfigTable, ago, make_console, short

if TYPE_CHECKING:
    from wandb_carbs.sweep.history import SweepHistory, SweepReader

# A frontier of dozens of runs would push all else out of the terminal.
_MAX_MEMBERS = 12
_MAX_INTERVAL = 86400  # a day; no wait can be as long as a float can be large


@click.command("status")
@click.argument("sweep", metavar="SWEEP|PROJECT", type=SweepName())
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
    """Show how a sweep is doing: states, cost spent, the frontier, what runs now.

    [ENTITY/]PROJECT stands for the newest sweep of a project.
    """
    console = make_console()
    sweep = newest_of_project(sweep)
    if not watch:
        _show(console, load(sweep), as_json=as_json)
        return
    readings = follow(open_sweep(sweep), threading.Event().wait, interval)
    try:
        if console.is_terminal and not as_json:
            _show_live(console, readings, interval)
        for reading in readings:
            if isinstance(reading, str):
                click.echo(f"Retrying: {reading}", err=True)
            else:
                _show(console, reading, as_json=as_json)
    except KeyboardInterrupt:
        return  # the end that was asked for


def follow(reader: SweepReader, wait: Callable[[float], object], interval: float) -> Iterator[SweepHistory | str]:
    """Read a sweep again and again, without end; an outage of W&B is waited out.

    Args:
        reader: Reads it.
        wait: Waits for a number of seconds.
        interval: Seconds between.

    Yields:
        The sweep, or what is wrong with the connection.

    Raises:
        CarbsError: If the sweep cannot be read the first time.
    """
    from wandb_carbs.errors import WandbConnectionError  # noqa: PLC0415 - imports numpy

    yield reader.read()
    while True:
        wait(interval)
        reading: SweepHistory | str
        try:
            connect()  # says at once what the SDK says after many seconds
            reading = reader.read()
        except click.ClickException as error:
            reading = error.message
        except WandbConnectionError as error:
            reading = str(error)
        yield reading


def _show_live(console: Console, readings: Iterator[SweepHistory | str], interval: float) -> None:
    """Keep the status on the terminal until Ctrl-C."""
    shown, seen, note = Group(), time.monotonic(), ""
    with Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        for reading in readings:
            if isinstance(reading, str):
                note = f"\nretrying, last seen {ago(time.monotonic() - seen)}: {reading}"
            else:
                shown, seen = _render(reading), time.monotonic()
                note = f"\nread again every {interval:g} s; Ctrl-C ends"
            live.update(Group(shown, note), refresh=True)


def _show(console: Console, history: SweepHistory, *, as_json: bool) -> None:
    from wandb_carbs.cli.summary import summarize  # noqa: PLC0415 - imports numpy

    if as_json:
        click.echo(json.dumps(summarize(history)))
    else:
        console.print(_render(history))


def _render(history: SweepHistory) -> Group:
    from wandb_carbs.cli import summary  # noqa: PLC0415 - imports numpy
    from wandb_carbs.sweep.rows import columns  # noqa: PLC0415 - likewise

    facts, names = summary.summarize(history), columns(history)
    parts: list[RenderableType] = list(_head(facts))
    if facts["best"] is not None:
        lines = [
            (item["cost"], item["objective"], item["run"], *(item["config"][name] for name in names))
            for item in _spread(facts["frontier"])
        ]
        left_out = len(facts["frontier"]) - len(lines)
        title = "Pareto frontier, by observed cost and objective"
        title += f" ({len(lines)} of {len(facts['frontier'])} runs; --json has all)" if left_out else ""
        heads = ("cost", facts["metric"], "run")
        parts += ["", ConfigTable(title, heads, names, lines)]
    if facts["running"]:
        lines = [
            (
                item["run"],
                None if item["seconds"] is None else ago(item["seconds"]),
                *(item["config"].get(name) for name in names),
            )
            for item in facts["running"]
        ]
        parts += ["", ConfigTable("Running now", ("run", "started"), names, lines)]
    return Group(*parts)


def _spread(members: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return some of a frontier's members, from the cheapest to the best, so that they are read at a glance."""
    if len(members) <= _MAX_MEMBERS:
        return members
    last = len(members) - 1
    return [members[round(i * last / (_MAX_MEMBERS - 1))] for i in range(_MAX_MEMBERS)]


def _head(facts: dict[str, Any]) -> list[str]:
    """Return the lines above the tables."""
    cap = f" of at most {facts['run_cap']}" if facts["run_cap"] else ""
    states = ", ".join(f"{state} {number}" for state, number in facts["states"].items() if number)
    name = f"{facts['name']} ({facts['sweep']})" if facts["name"] else facts["sweep"]
    spent = short(facts["spent_cost"]) or "more than a float can hold"
    since = "" if facts["seconds"] is None else f"; first run {ago(facts['seconds'])}"
    lines = [
        f"{name}: {facts['state'].lower() or 'state unknown'}, {facts['goal']} {facts['metric']}",
        f"{facts['runs']} runs{cap}" + (f": {states}" if states else ""),
        f"cost spent on observations: {spent}{since}",
    ]
    if facts["start"]:
        lines.insert(1, facts["start"])
    if facts["best"] is not None:
        best = facts["best"]
        lines.append(f"best {facts['metric']}: {short(best['objective'])} at cost {short(best['cost'])}")
    if facts["failures"]:
        lines.append("failures: " + ", ".join(f"{reason} {number}" for reason, number in facts["failures"].items()))
    lines += [f"note: {doubt}" for doubt in facts["doubts"]]
    return [*lines, facts["url"]] if facts["url"] else lines
