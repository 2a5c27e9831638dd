"""Values of hyperparameters in the cells of a table of text, such as a .csv file."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from typing import Any

# Texts that Python's `csv` writes for values that are no texts.
_WORDS: dict[str, Any] = {"True": True, "False": False, "": None}


def to_cell(value: Any) -> Any:
    """Return what `csv` is to write for a value, so that `readings` finds just that value first.

    Numbers, flags and plain texts are written as any program writes them. A text that could be read as something else
    (the text 3, an empty one) is written as JSON, and so are lists and objects.
    """
    if isinstance(value, (list, tuple, dict)) or (isinstance(value, str) and _is_ambiguous(value)):
        return json.dumps(value)
    return value


def readings(cell: str) -> list[Any]:
    """Return the values that a cell may stand for, the likeliest first; the last is the text itself."""
    found: list[Any] = [_WORDS[cell]] if cell in _WORDS else []
    with contextlib.suppress(ValueError, RecursionError):
        found.append(json.loads(cell))
    return [*found, cell]


def _is_ambiguous(text: str) -> bool:
    """Return whether a text is not read as itself, or cannot be written to a file."""
    return len(readings(text)) > 1 or "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text)


def rows_of(text: str) -> list[dict[str, str]]:
    """Read a table whose first line names the columns; cells may hold line ends in quotes.

    Raises:
        ValueError: If it is malformed; names the line.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""))
    rows: list[dict[str, str]] = []
    try:
        for row in reader:
            if None in row:
                raise ValueError(f"line {reader.line_num} has more cells than there are columns")
            rows.append({name: cell for name, cell in row.items() if cell is not None})
    except csv.Error as error:
        raise ValueError(f"after line {reader.line_num}: {error}") from error
    return rows
