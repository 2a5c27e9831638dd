"""Tables of configurations in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

# A file or a pipe has no width: wide enough for every table that a terminal could show.
_NO_TERMINAL_WIDTH = 240


def make_console() -> Console:
    """Return a console for standard output, which cuts nothing off where that is no terminal.

    It shows texts as they are: names and values come from users, and may look like markup.
    """
    console = Console(markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _NO_TERMINAL_WIDTH
    return console


def config_table(title: str, heads: Sequence[str], names: Sequence[str], lines: Sequence[Sequence[Any]]) -> Table:
    """Return a table of configurations.

    Args:
        title: What is above it.
        heads: Names of the first columns.
        names: Names of the hyperparameters.
        lines: First columns and values; None is shown as nothing.
    """
    table = Table(title=title, title_justify="left")
    for name in (*heads, *names):
        # With a blank, a narrow terminal can break the line there.
        table.add_column(name.replace("_", " "), justify="right", overflow="fold")
    for line in lines:
        table.add_row(*(short(value) for value in line))
    return table


def short(value: Any) -> str:
    """Return a value in few characters."""
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
