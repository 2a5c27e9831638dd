"""Runs that several processes write at once: `wandb.Settings(mode="shared")`.

Each writer counts its own lines from zero, and sends its own configuration and summary. Here each of its lines gets a
place of its own among those of all writers, and keeps it if the line is sent again; a row of the history gets the place
as its step, since writers have the same steps. Of configurations and summaries the keys of all writers are kept.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.limits import MAX_BODY

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

# The SDK's ids have 36 characters.
_LONGEST_ID = 100


def checked_writer(header: str | None) -> str:
    """Return the id of a writer, the same for all that send none.

    Raises:
        RequestError: It is too long.
    """
    writer = header or ""
    if len(writer) > _LONGEST_ID:
        raise RequestError(f"the id of a writer has at most {_LONGEST_ID} characters, not {len(writer)}")
    return writer


def is_new(db: sqlite3.Connection, run_id: int, writer: str) -> bool:
    """Note that a writer takes part in a run; return whether it is new."""
    query = "INSERT OR IGNORE INTO writer_lines (run_id, writer, stream, number, position) VALUES (?, ?, '', 0, 0)"
    return db.execute(query, (run_id, writer)).rowcount > 0


def places(
    db: sqlite3.Connection, run_id: int, writer: str, file: str, offset: int, count: int, following: int
) -> list[int]:
    """Return the places of a writer's lines; new ones come behind all others.

    Args:
        db: The database.
        run_id: The run.
        writer: The writer's id.
        file: The stream of the lines.
        offset: The writer's own number of its first line.
        count: Number of the lines.
        following: The first place that is free.
    """
    rows = db.execute(
        """SELECT number, position FROM writer_lines
           WHERE run_id = ? AND writer = ? AND stream = ? AND number >= ? AND number < ?""",
        (run_id, writer, file, offset, offset + count),
    )
    known = {row["number"]: row["position"] for row in rows}
    new = [number for number in range(offset, offset + count) if number not in known]
    known.update(zip(new, range(following, following + len(new)), strict=True))
    db.executemany(
        "INSERT INTO writer_lines (run_id, writer, stream, number, position) VALUES (?, ?, ?, ?, ?)",
        [(run_id, writer, file, number, known[number]) for number in new],
    )
    return [known[number] for number in range(offset, offset + count)]


def together(positions: Sequence[int], lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield lines with neighbouring places together, with the first place of each."""
    start = 0
    for end in range(1, len(lines) + 1):
        if end == len(lines) or positions[end] != positions[end - 1] + 1:
            yield positions[start], list(lines[start:end])
            start = end


def merged(stored: str, sent: Mapping[str, Any]) -> str:
    """Return the keys of all writers, as JSON; of one that both have, the value that was sent last.

    What the SDK notes of each writer under `_wandb` is inside other values.

    Args:
        stored: What other writers have sent, as JSON.
        sent: What this one sends.

    Raises:
        RequestError: All together would be larger than what one may send (413).
    """
    before: dict[str, Any] = json.loads(stored)
    result = {**before, **sent}
    old, new = before.get("_wandb"), sent.get("_wandb")
    if isinstance(old, dict) and isinstance(new, dict):
        result["_wandb"] = _deep(old, new)
    text = json.dumps(result)
    if len(text) > MAX_BODY:
        raise RequestError(f"all writers together send {len(text)} characters; at most {MAX_BODY} are taken", 413)
    return text


def _deep(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: _deep(old[key], value)
        for key, value in new.items()
        if isinstance(value, dict) and isinstance(old.get(key), dict)
    }
    return {**old, **new, **both}
