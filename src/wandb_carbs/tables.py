"""Tables of configurations in a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from wandb_carbs.plain import number

_T = TypeVar("_T")

# A file or a pipe has no width: wide enough for every table that a terminal could show.
_NO_TERMINAL_WIDTH = 1000
# A word of a value that may take several lines is broken where it is longer than this.
_WORD_LENGTH = 16
# Names are whole up to this share of the width.
_NAME_SHARE = 0.7


def make_console(*, stderr: bool = False) -> Console:
    """Return a console, which cuts nothing off where that is no terminal.

    It shows texts as they are: names and values come from users, and may look like markup.

    Args:
        stderr: Whether it writes to standard error rather than standard output.
    """
    console = Console(markup=False, emoji=False, highlight=False, stderr=stderr)
    if not console.is_terminal:
        console.width = _NO_TERMINAL_WIDTH
    return console


def show(renderable: RenderableType, console: Console | None = None, end: str = "\n") -> None:
    """Print something for good, on `make_console()` if there is no console.

    Names and addresses in a `Line` can be copied from a terminal that is narrower than they are.
    """
    (console or make_console()).print(renderable, end=end, overflow="ignore", crop=False)


@dataclass(frozen=True)
class Line:
    """A line that is broken between words; within a word only where a screen of its own would cut the word off.

    Attributes:
        text: The line.
        style: How it looks.
    """

    text: str
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        is_cut_off = options.overflow != "ignore"
        lines = textwrap.wrap(self.text, options.max_width, break_long_words=is_cut_off, break_on_hyphens=False)
        yield Text("\n".join(lines), style=self.style)


@dataclass(frozen=True)
class ConfigTable:
    """A table of configurations that fits the width: where it is too wide, each configuration becomes a column.

    Attributes:
        title: Its heading.
        heads: Names of the first entries of a line.
        names: Names of the hyperparameters.
        lines: First entries and values of each configuration; None is shown as nothing.
        is_overview: Where the table is too wide, show the first entries of all, and the values of as many as fit beside
            one another, from the first to the last.
        wraps: The one of `heads` whose values may take several lines, so that more tables fit.
        narrower: Tables that say the same in less width, to be shown instead where this one is too wide.
    """

    title: str
    heads: Sequence[str]
    names: Sequence[str]
    lines: Sequence[Sequence[Any]]
    is_overview: bool = False
    wraps: str = ""
    narrower: Sequence[ConfigTable] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        def fits(table: Table) -> bool:
            # Rich cuts the measure at the width that it is given.
            wide = options.update_width(_NO_TERMINAL_WIDTH)
            return Measurement.get(console, wide, table).maximum <= options.max_width

        is_plain = not console.is_terminal
        heads = [*self.heads, *self.names]
        is_narrow = fits(_table(heads, [self._narrow(line) for line in self.lines], is_plain=is_plain))
        if self.narrower and not is_narrow:
            yield from self.narrower
            return
        # A table's own title is broken to the table's width.
        if self.title:
            yield Line(self.title, style="italic")
        if is_narrow:
            yield self._upright(is_plain=is_plain)
            return
        lying = partial(self._lying, width=options.max_width, is_plain=is_plain)
        first = _table(self.heads, [line[: len(self.heads)] for line in self.lines], is_plain=is_plain)
        if self.is_overview and len(self.lines) > 1 and fits(first):
            yield first
            shown = next(found for found in _fewer(self.lines) if len(found) == 1 or fits(lying(found)))
            if len(shown) < len(self.lines):
                some = "The last" if len(shown) == 1 else str(len(shown))
                yield Line(f"{some} of these configurations; a wider terminal shows all", style="italic")
            yield lying(shown)
            return
        lines = self.lines
        while lines:
            number = len(lines)
            while number > 1 and not fits(lying(lines[:number])):
                number -= 1
            yield lying(lines[:number])
            lines = lines[number:]

    def _upright(self, *, is_plain: bool) -> Table:
        """Return a table with a line for each configuration."""
        heads = [*self.heads, *self.names]
        table = _table(heads, self.lines, is_plain=is_plain)
        for column, head in zip(table.columns, heads, strict=True):
            column.no_wrap = head != self.wraps
        return table

    def _lying(self, lines: Sequence[Sequence[Any]], *, width: int, is_plain: bool) -> Table:
        """Return a table with a column for each of `lines`."""
        names = [*self.heads, *self.names]
        by_name = [[name, *values] for name, values in zip(names, zip(*lines, strict=True), strict=True)]
        table = _table(by_name[0], by_name[1:], is_plain=is_plain)
        # Where a name and a value do not fit beside one another, it is the value that is broken.
        table.columns[0].no_wrap = max(map(len, names)) <= _NAME_SHARE * width
        return table

    def _narrow(self, line: Sequence[Any]) -> list[Any]:
        """Return a line with only the longest word of the value that may take several lines, or its beginning."""
        if self.wraps not in self.heads:
            return list(line)
        place = list(self.heads).index(self.wraps)
        longest = max(str(line[place] or "").split(), key=len, default="")
        return [*line[:place], longest[:_WORD_LENGTH], *line[place + 1 :]]


def spread(lines: Sequence[_T], number: int) -> Sequence[_T]:
    """Return at most `number` of some lines, from the first to the last; only one is the last."""
    if len(lines) <= number:
        return lines
    return [lines[round(i * (len(lines) - 1) / (number - 1))] for i in range(number)] if number > 1 else lines[-1:]


def _fewer(lines: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (spread(lines, number) for number in range(len(lines), 0, -1))


def _table(heads: Sequence[Any], lines: Sequence[Sequence[Any]], *, is_plain: bool) -> Table:
    table = Table(box=None if is_plain else box.SIMPLE_HEAD, pad_edge=False)
    for place, head in enumerate(heads):
        is_text = all(isinstance(line[place], str | None) for line in lines)
        table.add_column(short(head), justify="left" if is_text else "right", overflow="fold")
    for line in lines:
        table.add_row(*(short(value) for value in line))
    return table


def short(value: Any) -> str:
    """Return a value in few characters."""
    if value is None:
        return ""
    return number(value) if isinstance(value, float) else str(value)


def ago(seconds: float) -> str:
    """Return how long ago something was, in one unit: "12 s ago"."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{max(seconds, 0.0):.0f} s ago"
