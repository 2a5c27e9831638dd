"""Reading a run's history: whole lines, samples, and chosen keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.metrics import MISSING, find
from wandb_carbs.plain import finite
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.json_fields import json_paths
from wandb_carbs.server.store.json_objects import json_object
from wandb_carbs.server.store.run_streams import HISTORY

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

_DEFAULT_SAMPLES = 500
_TAIL = 1
# Lines that are in memory at once, and keys that SQLite looks for.
_LINES_AT_ONCE = 1_000
_MAX_KEYS = 100


def lines(db: sqlite3.Connection, run_id: int, stream: str) -> Iterator[str]:
    """Yield a stream's lines in order; there may be millions."""
    for row in db.execute("SELECT text FROM lines WHERE run_id = ? AND stream = ? ORDER BY position", (run_id, stream)):
        yield row["text"]


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
    return _sampled(db, (run_id, stream), [], steps, samples)


def sampled_rows(db: sqlite3.Connection, run_id: int, specs: Sequence[str]) -> list[list[dict[str, Any]]]:
    """Return, for each spec, the rows that have all of its keys; those of nested values have dots, `train.loss`.

    Args:
        db: The database.
        run_id: The run.
        specs: JSON objects with `keys`, `samples`, `minStep` and `maxStep`, all optional.

    Raises:
        RequestError: A spec is malformed.
    """
    return [_sample(db, run_id, json_object("history spec", spec)) for spec in specs]


def _sample(db: sqlite3.Connection, run_id: int, spec: dict[str, Any]) -> list[dict[str, Any]]:
    keys, samples = spec.get("keys") or [], spec.get("samples")
    low, high = spec.get("minStep"), spec.get("maxStep")
    if (
        not isinstance(keys, list)
        or not all(isinstance(key, str) for key in keys)
        or any(number is not None and not isinstance(number, int) for number in (samples, low, high))
    ):
        raise RequestError("history spec: 'keys' must be strings; 'samples', 'minStep', 'maxStep' integers")
    steps = low, None if high is None else high + 1  # the client counts the last step in, unlike with whole lines
    rows = [json.loads(line) for line in _sampled(db, (run_id, HISTORY), keys, steps, samples)]
    return [finite({key: find(row, key) for key in keys} if keys else row) for row in rows]


def _sampled(
    db: sqlite3.Connection,
    stream: tuple[int, str],
    keys: Sequence[str],
    steps: tuple[int | None, int | None],
    samples: int | None,
) -> list[str]:
    """Return some of the lines that have all keys and a step in `[minimum, maximum)`.

    A stream may have millions of lines: SQLite finds those that are asked for, and only the sample comes here. Lines of
    which SQLite cannot tell, such as those with NaN, are looked at one by one.
    """
    own = "FROM lines WHERE run_id = ? AND stream = ?"
    test, values = _test(keys, steps)
    codes = db.execute(
        f"SELECT json_group_array(2 * position + (({test}) IS NULL)) {own} AND ({test}) IS NOT 0",
        [*values, *stream, *values],
    ).fetchone()[0]
    found = sorted(json.loads(codes))
    unsure = [code // 2 for code in found if code % 2]
    wrong = set()
    for start in range(0, len(unsure), _LINES_AT_ONCE):
        for position, line in _lines_at(db, stream, unsure[start : start + _LINES_AT_ONCE]):
            row = json.loads(line)
            if not (_within(row, steps) and all(find(row, key) is not MISSING for key in keys)):
                wrong.add(position)
    positions = [code // 2 for code in found if code // 2 not in wrong]
    chosen = positions if _is_page(steps, samples) else _thin(positions, samples)
    return [line for _, line in _lines_at(db, stream, chosen)]


def _test(keys: Sequence[str], steps: tuple[int | None, int | None]) -> tuple[str, list[str]]:
    """Return SQL of whether a line has all keys and a step within bounds, with the values of its question marks."""
    exact = {key: paths for key in keys[:_MAX_KEYS] if (paths := json_paths(key))}
    kinds = [[f"json_type(text, '{path}')" for path in paths] for paths in exact.values()]
    tests = [f"coalesce({', '.join([*own, 'NULL'])}) IS NOT NULL" for own in kinds]
    tests += [
        f"(json_type(text, '$._step') IN ('integer', 'real') AND json_extract(text, '$._step') {sign} {number:d})"
        for sign, number in zip((">=", "<"), steps, strict=True)
        if number is not None
    ]
    if len(exact) < len(set(keys)):
        tests.append("NULL")
    if not tests:
        return "1", []
    # Most lines without a key are found by their text alone.
    first = "".join("instr(text, ?) AND " for _ in exact)
    texts = [f'{key.rpartition(".")[2]}"' for key in exact]
    return f"{first}CASE WHEN json_valid(text) THEN {' AND '.join(tests)} END", texts


def _lines_at(db: sqlite3.Connection, stream: tuple[int, str], positions: Sequence[int]) -> list[tuple[int, str]]:
    rows = db.execute(
        """SELECT position, text FROM lines WHERE run_id = ? AND stream = ?
           AND position IN (SELECT value FROM json_each(?)) ORDER BY position""",
        (*stream, json.dumps(positions)),
    )
    return [(row["position"], row["text"]) for row in rows]


def _within(row: dict[str, Any], steps: tuple[int | None, int | None]) -> bool:
    low, high = steps
    step = row.get("_step")
    if not isinstance(step, (int, float)):
        return low is None and high is None
    return (low is None or step >= low) and (high is None or step < high)


def _is_page(steps: tuple[int | None, int | None], samples: int | None) -> bool:
    """Tell whether a client reads page by page: all lines of no more steps than samples, of which it leaves out none.

    A run that was started again without being resumed has several lines of a step.
    """
    low, high = steps
    return None not in {low, high, samples} and (high or 0) - (low or 0) <= (samples or 0)


def _thin(found: list[Any], samples: int | None) -> list[Any]:
    wanted = _DEFAULT_SAMPLES if samples is None or samples < 1 else samples
    if len(found) <= wanted:
        return found
    if wanted == 1:
        return found[-1:]
    # Both ends stay.
    return [found[round(place * (len(found) - 1) / (wanted - 1))] for place in range(wanted)]
