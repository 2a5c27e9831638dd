"""A run's history as the series of its charts: one for each key that it has logged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from wandb_carbs.metrics import flat
from wandb_carbs.plain import finite, is_number
from wandb_carbs.record import KEY_PREFIX, OBJECTIVE_KEY
from wandb_carbs.server.store import run_states, run_streams, streams
from wandb_carbs.server.store.json_fields import PLAIN

if TYPE_CHECKING:
    import sqlite3

# Points of a chart; a screen has about as many pixels.
_MAX_POINTS = 1200
# The newest runs, and the last lines of each, that say which keys of a sweep have numbers.
_RUNS_LOOKED_AT, _LINES_LOOKED_AT = 10, 5
# The newest runs, among which those that have logged are looked for: in 50,000 that takes 50 ms.
_RUNS_SEARCHED = 1_000


def history(db: sqlite3.Connection, run_id: int) -> dict[str, Any]:
    """Return the series of all numeric keys of a run, and the last values of all others.

    Returns:
        `series`: key to `{"step", "time", "value", "points"}`, thinned so that the extremes stay, with the number of
        points before; `other`: key to `{"step", "value", "points"}` of the last value that is no number.
    """
    return _collect(streams.lines(db, run_id, run_streams.HISTORY), "_step", "_runtime")


def system(db: sqlite3.Connection, run_id: int) -> dict[str, Any]:
    """Return the series of a run's system metrics."""
    return _collect(streams.lines(db, run_id, run_streams.EVENTS), "_runtime", "_runtime")


def _collect(lines: Iterable[str], step_key: str, time_key: str) -> dict[str, Any]:
    series: dict[str, list[tuple[float, float | None, float]]] = {}
    other: dict[str, dict[str, Any]] = {}
    for position, line in enumerate(lines):
        row = json.loads(line)
        step, time = _number(row.get(step_key)), _number(row.get(time_key))
        for key, value in flat(row):
            if key.startswith("_"):  # the SDK's own
                continue
            point = _number(value)
            if point is not None:
                series.setdefault(key, []).append((position if step is None else step, time, point))
            elif value is not None:
                seen = other.get(key, {"points": 0})["points"]
                other[key] = {"step": step, "value": finite(value), "points": seen + 1}
    return {"series": {key: _columns(points) for key, points in series.items()}, "other": other}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, bool) or is_number(value) else None


def _columns(points: list[tuple[float, float | None, float]]) -> dict[str, Any]:
    kept = thinned(points)
    return {
        "step": [step for step, _, _ in kept],
        "time": [time for _, time, _ in kept],
        "value": [value for _, _, value in kept],
        "points": len(points),
    }


def thinned(points: Sequence[tuple[float, float | None, float]], most: int = _MAX_POINTS) -> list[Any]:
    """Return at most so many points: both ends, and the least and the greatest value of each stretch between."""
    if len(points) <= most:
        return list(points)
    stretches = (most - 2) // 2
    kept = [points[0]]
    for place in range(stretches):
        start = 1 + place * (len(points) - 2) // stretches
        end = 1 + (place + 1) * (len(points) - 2) // stretches
        stretch = range(start, end)
        low = min(stretch, key=lambda i: points[i][2])
        high = max(stretch, key=lambda i: points[i][2])
        kept += [points[i] for i in sorted({low, high})]
    return [*kept, points[-1]]


def keys_of_sweep(db: sqlite3.Connection, sweep_id: int) -> list[str]:
    """Return the keys that the runs of a sweep have logged and a chart can show, by name, without the SDK's own.

    Nested ones have dots. A key that none of the newest lines has is listed, whatever it holds.
    """
    found = db.execute("SELECT DISTINCT history_keys FROM runs WHERE sweep_id = ?", (sweep_id,))
    logged = {key for row in found for key in json.loads(row["history_keys"]) if not key.startswith("_")}
    if not logged:
        return []  # without a run to stop at, the newest lines would be looked for in all of them
    can_be_drawn: dict[str, dict[str, bool]] = {}
    for line in _newest_lines(db, sweep_id):
        for first, value in json.loads(line).items():
            for key, inner in flat({first: value}):
                if inner is not None:
                    can_be_drawn.setdefault(first, {}).setdefault(key, isinstance(inner, (int, float)))
    unknown = logged - can_be_drawn.keys()
    return sorted({*unknown, *(key for first in logged - unknown for key, fits in can_be_drawn[first].items() if fits)})


def _newest_lines(db: sqlite3.Connection, sweep_id: int) -> Iterable[str]:
    runs = db.execute(
        """SELECT id FROM (
               SELECT id, history_lines FROM runs WHERE sweep_id = ? ORDER BY created_at DESC, id DESC LIMIT ?
           ) WHERE history_lines > 0 LIMIT ?""",
        (sweep_id, _RUNS_SEARCHED, _RUNS_LOOKED_AT),
    )
    for run in runs.fetchall():
        for row in db.execute(
            "SELECT text FROM lines WHERE run_id = ? AND stream = ? ORDER BY position DESC LIMIT ?",
            (run["id"], run_streams.HISTORY, _LINES_LOOKED_AT),
        ):
            yield row["text"]


def key_of_objective(db: sqlite3.Connection, sweep_id: int) -> str | None:
    """Return the logged key whose last value was the objective of most of the newest runs; None if none was."""
    found: Counter[str] = Counter()
    for row in db.execute(
        "SELECT summary FROM runs WHERE sweep_id = ? AND state = ? ORDER BY id DESC LIMIT ?",
        (sweep_id, run_states.FINISHED, _RUNS_LOOKED_AT),
    ):
        summary = json.loads(row["summary"])
        objective = _number(summary.get(OBJECTIVE_KEY))
        found.update(
            key
            for key, value in flat(summary)
            if objective is not None and _number(value) == objective and not key.startswith(("_", KEY_PREFIX))
        )
    return found.most_common(1)[0][0] if found else None


def of_key(db: sqlite3.Connection, run_id: int, key: str, most: int) -> list[Any]:
    """Return a few points of one key of a run."""
    points = []
    last = key.rpartition(".")[2]
    is_plain = PLAIN.issuperset(last)
    for position, line in enumerate(streams.lines(db, run_id, run_streams.HISTORY)):
        # Most lines of a run may be of other keys.
        if is_plain and f'{last}"' not in line:
            continue
        row = json.loads(line)
        value = next((_number(v) for k, v in flat(row) if k == key), None)
        if value is not None:
            step = _number(row.get("_step"))
            points.append((position if step is None else step, _number(row.get("_runtime")), value))
    return thinned(points, most)
