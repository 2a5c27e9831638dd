"""The demo on the terminal: a line for each run that has ended, and below them what the agents do now."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from wandb_carbs.demo.processes import Message
from wandb_carbs.tables import short

if TYPE_CHECKING:
    from typing_extensions import Self

_BAR = 12


@dataclass
class Line:
    """The state of an agent.

    Attributes:
        state: One word or two.
        suggestion: The configuration of its run, empty between runs.
        epoch: Epochs done in this run.
        loss: The last one measured, None before.
    """

    state: str = "starting"
    suggestion: dict[str, Any] = field(default_factory=dict)
    epoch: int = 0
    loss: float | None = None


class Display:
    """Shows messages of agents as they come.

    Args:
        console: Where to.
        agents: Number of agents.
        runs: Number of runs.
    """

    def __init__(self, console: Console, agents: int, runs: int) -> None:
        self._console = console
        self._runs = runs
        self._ended = 0
        self._lines = {agent: Line() for agent in range(1, agents + 1)}
        self._progress = Progress(
            TextColumn("runs"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[best]}"),
            console=console,
        )
        self._task = self._progress.add_task("runs", total=runs, best="")
        self._best = math.inf
        self._is_over = False
        self._live = (
            Live(get_renderable=self.render, console=console, refresh_per_second=8)
            if console.is_terminal and not console.is_dumb_terminal
            else None
        )

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over = True
        if self._live:
            self._live.stop()

    def show(self, message: Message) -> None:
        """Take in a message."""
        line, body = self._lines[message.agent], message.body
        if body["event"] == "suggested":
            self._lines[message.agent] = Line("training", body["suggestion"])
        elif body["event"] == "progress":
            line.epoch, line.loss = body["epoch"], body["loss"]
        elif body["event"] == "ready":
            line.state = "asking"
        elif body["event"] == "exit":
            self._lines[message.agent] = Line("ended")
        elif body["event"] in {"random", "compared"}:
            self._lines[message.agent] = Line("random search, to compare" if body["event"] == "random" else "ended")
        else:
            self._end_run(message.agent, line, body)

    def _end_run(self, agent: int, line: Line, body: dict[str, Any]) -> None:
        self._ended += 1
        if body["event"] == "done":
            outcome = f"{body['objective']:7.4f}  {short(body['cost']):>7}"
            self._best = min(self._best, body["objective"])
        else:
            outcome = f"failed: {body['error']}"
        self._progress.update(
            self._task, completed=self._ended, best=f"best loss {self._best:.4f}" if math.isfinite(self._best) else ""
        )
        width = 2 * len(str(self._runs)) + 1
        if self._ended == 1:
            self._print(f"{'run':>{width}}  agent     loss  seconds", *line.suggestion)
        values = (f"{short(value):>{len(name)}}" for name, value in line.suggestion.items())
        self._print(f"{f'{self._ended}/{self._runs}':>{width}}  {agent:5}  {outcome}", *values)
        self._lines[agent] = Line("asking")

    def _print(self, *columns: str) -> None:
        # Never broken in a terminal; a file is as wide as it takes (see `make_console`).
        self._console.print("  ".join(columns), markup=False, highlight=False, no_wrap=True, overflow="ellipsis")

    def render(self) -> Group:
        """Return the live lines: one for each agent until the end, and the progress of the sweep."""
        if self._is_over:
            return Group(self._progress)
        table = Table.grid(padding=(0, 2))
        for _ in range(5):
            table.add_column(no_wrap=True)
        for agent, line in self._lines.items():
            table.add_row(f"agent {agent}", line.state, *_progress_of(line))
        return Group(table, self._progress)


def _progress_of(line: Line) -> tuple[Text | str, ...]:
    if not line.suggestion:
        return ()
    epochs = line.suggestion["epochs"]
    done = round(_BAR * line.epoch / epochs)
    # Texts, not markup: a console that prints a message without markup draws the live lines without it, too.
    bar = Text.assemble(("━" * done, "green"), ("━" * (_BAR - done), "dim"))
    loss = "" if line.loss is None else f"loss {line.loss:.4f}"
    return bar, f"epoch {line.epoch}/{epochs}", loss
