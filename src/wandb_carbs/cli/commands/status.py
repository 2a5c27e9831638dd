"""`wandb-carbs status`."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from wandb_carbs.agent.sigterm import raising
from wandb_carbs.cli.connection import connect, open_sweep, sweep_or_project_argument
from wandb_carbs.cli.numbers import FiniteRange
from wandb_carbs.cli.options import json_option
from wandb_carbs.exit_codes import INTERRUPTED, TERMINATED
from wandb_carbs.plain import plural
from wandb_carbs.tables import ConfigTable, Line, ago, make_console, short, show, spread

if TYPE_CHECKING:
    from wandb_carbs.sweep.history import SweepHistory, SweepReader

# Dozens of runs would push all else out of the terminal.
_MAX_LINES = 12
_MAX_INTERVAL = 86400  # a day; no wait can be as long as a float can be large


@click.command("status")
@sweep_or_project_argument
@click.option("--watch", is_flag=True, help="Show it again and again, until Ctrl-C.")
@click.option(
    "--interval",
    type=FiniteRange(1, _MAX_INTERVAL),
    metavar="SECONDS",
    default=10.0,
    show_default=True,
    help="Seconds between, with --watch.",
)
@json_option
def command(sweep: str, watch: bool, interval: float, as_json: bool) -> None:
    """Show how a sweep is doing: states, cost spent, the frontier, what runs now."""
    console = make_console()
    reader = open_sweep(sweep)
    if not watch:
        _show(console, reader.read(), as_json=as_json)
        return
    readings = follow(reader, threading.Event().wait, interval)
    try:
        if console.is_terminal and not console.is_dumb_terminal and not as_json:
            # Else the terminal would get neither its screen nor its cursor back.
            with raising(SystemExit(TERMINATED)):
                _show_live(console, readings, interval)
        for reading in readings:
            if isinstance(reading, str):
                click.echo(f"Retrying: {reading}", err=True)
            else:
                _show(console, reading, as_json=as_json)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)  # in silence: it is the end that was asked for


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
    """Keep the status on the terminal until Ctrl-C, and leave the last one there."""
    shown, seen, outage = Group(), time.monotonic(), ""
    try:
        with Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
            for reading in readings:
                if isinstance(reading, str):
                    outage = reading
                    note = Text(f"Retrying, last seen {ago(time.monotonic() - seen)}: {outage}", style="bold red")
                else:
                    shown, seen, outage = _render(reading), time.monotonic(), ""
                    note = Text(f"Read again every {interval:g} s; Ctrl-C ends", style="dim")
                # First, because a terminal may be too low for all the rest.
                live.update(Group(note, "", shown), refresh=True)
    finally:
        # The screen that it had to itself is gone, with all that was on it.
        show(shown, console, end="")
        if outage:
            console.print(Text(f"Last seen {ago(time.monotonic() - seen)}: {outage}", style="bold red"))


def _show(console: Console, history: SweepHistory, *, as_json: bool) -> None:
    from wandb_carbs.cli.summary import summarize  # noqa: PLC0415 - imports numpy

    if as_json:
        click.echo(json.dumps(summarize(history)))
    else:
        show(_render(history), console)


def _render(history: SweepHistory) -> Group:
    from wandb_carbs.cli import summary  # noqa: PLC0415 - imports numpy
    from wandb_carbs.sweep.rows import columns  # noqa: PLC0415 - likewise

    facts, names = summary.summarize(history), columns(history)
    parts: list[RenderableType] = [Line(line) for line in _head(facts)]
    if facts["best"] is not None:
        lines = [
            (item["cost"], item["objective"], item["run"], *(item["config"][name] for name in names))
            for item in facts["frontier"]
        ]
        title = "Pareto frontier, by observed cost and objective"
        parts += ["", _overview(title, ("cost", facts["metric"], "run"), names, lines)]
    if facts["running"]:
        lines = [
            (
                item["run"],
                None if item["seconds"] is None else ago(item["seconds"]),
                *(item["config"].get(name) for name in names),
            )
            for item in facts["running"]
        ]
        parts += ["", _overview("Running now", ("run", "started"), names, lines)]
    return Group(*parts)


def _overview(title: str, heads: Sequence[str], names: Sequence[str], lines: Sequence[Sequence[Any]]) -> RenderableType:
    shown = spread(lines, _MAX_LINES)
    if len(shown) < len(lines):
        title += f" ({len(shown)} of {len(lines)} runs; --json has all)"
    return ConfigTable(title, heads, names, shown, is_overview=True)


def _head(facts: dict[str, Any]) -> list[str]:
    """Return the lines above the tables."""
    cap = f" of at most {facts['run_cap']}" if facts["run_cap"] else ""
    states = ", ".join(f"{number} {plural(state, number)}" for state, number in facts["states"].items() if number)
    points = facts["points"]
    on_the_way = f"; {points} {plural('point', points)} on their way" if points else ""
    stopped = f"; {facts['stopped']} stopped early" if facts["stopped"] else ""
    name = f"{facts['name']} ({facts['sweep']})" if facts["name"] else facts["sweep"]
    spent = short(facts["spent_cost"]) or "more than a float can hold"
    since = "" if facts["seconds"] is None else f"; first run {ago(facts['seconds'])}"
    lines = [
        f"{name}: {facts['state'].lower() or 'state unknown'}, {facts['goal']} {facts['metric']}",
        f"{facts['runs']} {plural('run', facts['runs'])}{cap}"
        + (f": {states}" if states else "")
        + on_the_way
        + stopped,
        f"cost spent on observations: {spent}{since}",
    ]
    if facts["start"]:
        lines.insert(1, facts["start"])
    if facts["best"] is not None:
        best = facts["best"]
        lines.append(f"best {facts['metric']}: {short(best['objective'])} at cost {short(best['cost'])}")
    if facts["failures"]:
        lines.append("failures: " + "; ".join(f"{number} x {reason}" for reason, number in facts["failures"].items()))
    lines += [f"note: {doubt}" for doubt in facts["doubts"]]
    return [*lines, facts["url"]] if facts["url"] else lines
