"""A run's console output, line by line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.store.run_streams import OUTPUT

if TYPE_CHECKING:
    import sqlite3

# The SDK writes each line as `[ERROR ]TIME text`; what does not look like that is text.
_LINE = re.compile(r"(ERROR )?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?) ?(.*)", re.DOTALL)


def last_lines(db: sqlite3.Connection, run_id: int, most: int) -> list[dict[str, Any]]:
    """Return the last lines of a run's output, each with its number, time, level and text."""
    rows = db.execute(
        "SELECT position, text FROM lines WHERE run_id = ? AND stream = ? ORDER BY position DESC LIMIT ?",
        (run_id, OUTPUT, most),
    ).fetchall()
    return [_line(row["position"], row["text"]) for row in reversed(rows)]


def lines_from(db: sqlite3.Connection, run_id: int, first: int, most: int) -> list[dict[str, Any]]:
    """Return the lines of a run's output from a number on."""
    rows = db.execute(
        "SELECT position, text FROM lines WHERE run_id = ? AND stream = ? AND position >= ? ORDER BY position LIMIT ?",
        (run_id, OUTPUT, first, most),
    )
    return [_line(row["position"], row["text"]) for row in rows]


def _line(number: int, text: str) -> dict[str, Any]:
    match = _LINE.fullmatch(text)
    error, time, rest = match.groups() if match else (None, None, text)
    return {"number": number, "timestamp": time, "level": "error" if error else "info", "label": None, "line": rest}
