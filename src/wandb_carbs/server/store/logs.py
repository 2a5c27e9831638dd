"""A run's console output, line by line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.store import streams
from wandb_carbs.server.store.run_streams import OUTPUT

if TYPE_CHECKING:
    import sqlite3

# The SDK writes each line as `[ERROR ]TIME text`; what does not look like that is text.
_LINE = re.compile(r"(ERROR )?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?) ?(.*)", re.DOTALL)


def lines(db: sqlite3.Connection, run_id: int) -> list[dict[str, Any]]:
    """Return the lines of a run's output, each with its number, time, level and text."""
    return [_line(number, text) for number, text in enumerate(streams.lines(db, run_id, OUTPUT))]


def _line(number: int, text: str) -> dict[str, Any]:
    match = _LINE.fullmatch(text)
    error, time, rest = match.groups() if match else (None, None, text)
    return {"number": number, "timestamp": time, "level": "error" if error else "info", "label": None, "line": rest}
