"""Reading a run's history: whole lines, samples, and chosen keys."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.json_objects import json_object
from wandb_carbs.server.store.run_streams import HISTORY

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_DEFAULT_SAMPLES = 500
_TAIL = 1


def lines(db: sqlite3.Connection, run_id: int, stream: str) -> list[str]:
    """Return a stream's lines in order."""
    rows = db.execute("SELECT text FROM lines WHERE run_id = ? AND stream = ? ORDER BY position", (run_id, stream))
    return [row["text"] for row in rows]


def tail(db: sqlite3.Connection, run_id: int, stream: str) -> str:
    """Return the last line as a JSON list, from which a resumed run continues."""
    rows = db.execute(
        "SELECT text FROM lines WHERE run_id = ? AND stream = ? ORDER BY position DESC LIMIT ?", (run_id, stream, _TAIL)
    )
    return json.dumps([row["text"] for row in rows])


def sampled_lines(
    db: sqlite3.Connection, run_id: int, stream: str, samples: int | None, steps: tuple[int | None, int | None]
) -> list[str]:
    """Return lines, thinned evenly to a number, of the steps in `[minimum, maximum)`."""
    if steps == (None, None):
        return _thinned_lines(db, run_id, stream, samples)
    found = [line for line in lines(db, run_id, stream) if _within(json.loads(line), steps)]
    return _thin(found, samples)


def _thinned_lines(db: sqlite3.Connection, run_id: int, stream: str, samples: int | None) -> list[str]:
    """Return some lines of a stream, which may have millions, without reading the others."""
    own = "FROM lines WHERE run_id = ? AND stream = ?"
    positions = db.execute(f"SELECT json_group_array(position) {own}", (run_id, stream)).fetchone()[0]
    chosen = json.dumps(_thin(sorted(json.loads(positions)), samples))
    rows = db.execute(
        f"SELECT text {own} AND position IN (SELECT value FROM json_each(?)) ORDER BY position",  # noqa: S608
        (run_id, stream, chosen),
    )
    return [row["text"] for row in rows]


def sampled_rows(db: sqlite3.Connection, run_id: int, specs: Sequence[str]) -> list[list[dict[str, Any]]]:
    """Return, for each spec, the rows that have all of its keys.

    Args:
        db: The database.
        run_id: The run.
        specs: JSON objects with `keys`, `samples`, `minStep` and `maxStep`, all optional.

    Raises:
        RequestError: A spec is malformed.
    """
    history = [json.loads(line) for line in lines(db, run_id, HISTORY)]
    return [_sample(history, json_object("history spec", spec)) for spec in specs]


def _sample(history: list[dict[str, Any]], spec: dict[str, Any]) -> list[dict[str, Any]]:
    keys, samples = spec.get("keys") or [], spec.get("samples")
    low, high = spec.get("minStep"), spec.get("maxStep")
    if (
        not isinstance(keys, list)
        or not all(isinstance(key, str) for key in keys)
        or any(number is not None and not isinstance(number, int) for number in (samples, low, high))
    ):
        raise RequestError("history spec: 'keys' must be strings; 'samples', 'minStep', 'maxStep' integers")
    steps = low, None if high is None else high + 1  # the client counts the last step in, unlike with whole lines
    rows = [row for row in history if _within(row, steps) and all(key in row for key in keys)]
    return [finite({key: row[key] for key in keys} if keys else row) for row in _thin(rows, samples)]


def _within(row: dict[str, Any], steps: tuple[int | None, int | None]) -> bool:
    low, high = steps
    step = row.get("_step")
    if not isinstance(step, (int, float)):
        return low is None and high is None
    return (low is None or step >= low) and (high is None or step < high)


def _thin(found: list[Any], samples: int | None) -> list[Any]:
    wanted = _DEFAULT_SAMPLES if samples is None or samples < 1 else samples
    if len(found) <= wanted:
        return found
    if wanted == 1:
        return found[-1:]
    # Both ends stay.
    return [found[round(place * (len(found) - 1) / (wanted - 1))] for place in range(wanted)]


def finite(value: Any) -> Any:
    """Return a JSON value with NaN and infinities spelled as strings, since JSON has no numbers for them."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return value
