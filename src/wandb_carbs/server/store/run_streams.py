"""The streams of runs: lines of their history, their output and their machine's metrics, summaries, and their end."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.metrics import MAX_NAME, flat
from wandb_carbs.plain import finite, is_number
from wandb_carbs.record import KEY_PREFIX, OUTCOMES, STATE_KEY
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import run_states, writers
from wandb_carbs.server.store.json_objects import json_object
from wandb_carbs.server.store.runs import ensure

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from wandb_carbs.server.store.database import Store

HISTORY, EVENTS, SUMMARY, OUTPUT = "wandb-history.jsonl", "wandb-events.jsonl", "wandb-summary.json", "output.log"
_COUNTERS = {HISTORY: "history_lines", EVENTS: "event_lines", OUTPUT: "log_lines"}
# GraphQL's largest Int, in which clients read how many lines a run has.
_MAX_POSITION = 2**31 - 1
# Keys of a history that are listed: each request of the run reads the list. All lines are kept, whatever their keys.
_MAX_KEYS = 10_000


def stream(store: Store, entity: str, project: str, name: str, body: Any, writer: str | None = None) -> dict[str, bool]:
    """Take one `file_stream` request of a run.

    Lines carry their offset, so a request that is sent twice changes nothing the second time.

    Args:
        store: The storage.
        entity: The run's entity.
        project: The run's project.
        name: The run's name; an unknown run is made, since a refusal would lose its data without a word.
        body: The request's JSON.
        writer: The process that sends this, where several write the run at once.

    Returns:
        The reply: `stopped` once the run was asked to stop.

    Raises:
        RequestError: The body is malformed.
    """
    chunks, exit_code = _checked(body)
    with store.transaction() as db:
        run_id, _ = ensure(store, db, entity, project, name)
        # Once one writer has ended the run, others may go on for a while.
        if writer is None or not run_states.has_ended(db, run_id):
            run_states.revive(db, run_id, store.now())
        for file, (offset, lines) in chunks.items():
            if writer is None:
                _write(db, run_id, file, offset, lines)
            else:
                _write_with_others(db, run_id, writer, file, offset, lines)
        if body.get("preempting"):
            db.execute("UPDATE runs SET state = ? WHERE id = ?", (run_states.PREEMPTING, run_id))
        run = db.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
        # Old SDKs send `"complete": false` along with every request.
        if body.get("complete"):
            run_states.close(db, run, exit_code)
        return {"stopped": True} if run["stop_requested"] else {}


def _checked(body: Any) -> tuple[dict[str, tuple[int, list[str]]], int]:
    if not isinstance(body, dict):
        raise RequestError("file_stream body must be a JSON object")
    files, exit_code = body.get("files") or {}, body.get("exitcode") or 0
    if not isinstance(files, dict) or not isinstance(exit_code, int) or abs(exit_code) >= 2**31:
        raise RequestError("file_stream: 'files' must be an object and 'exitcode' an integer")
    chunks: dict[str, tuple[int, list[str]]] = {}
    for file, chunk in files.items():
        offset = chunk.get("offset", 0) if isinstance(chunk, dict) else None
        lines = chunk.get("content", []) if isinstance(chunk, dict) else None
        if isinstance(lines, str):  # old SDKs send a lone line bare
            lines = [lines]
        whole = isinstance(offset, int) and not isinstance(offset, bool) and offset >= 0
        if not whole or not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise RequestError(f"file_stream: {file!r} needs an 'offset' >= 0 and 'content', a list of strings")
        assert offset is not None
        if offset + len(lines) > _MAX_POSITION:
            raise RequestError(f"file_stream: {file!r} must have less than {_MAX_POSITION} lines, not {offset}")
        chunks[file] = offset, lines
    return chunks, exit_code


def _write_with_others(
    db: sqlite3.Connection, run_id: int, writer: str, file: str, offset: int, lines: list[str]
) -> None:
    run = db.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
    if file == SUMMARY and lines:
        _write(db, run_id, file, 0, [writers.merged(run["summary"], json_object(SUMMARY, lines[-1]))])
    elif file in _COUNTERS:
        places = writers.places(db, run_id, writer, file, offset, len(lines), run[_COUNTERS[file]])
        if file == HISTORY:
            rows = zip((json_object(file, line) for line in lines), places, strict=True)
            lines = [json.dumps({**row, "_step": place}) for row, place in rows]
        for start, part in writers.together(places, lines):
            _write(db, run_id, file, start, part)
        if file == EVENTS and lines:
            metrics = writers.merged(run["system_metrics"] or "{}", json.loads(lines[-1]))
            db.execute("UPDATE runs SET system_metrics = ? WHERE id = ?", (metrics, run_id))


def _keep_record(db: sqlite3.Connection, run_id: int, text: str) -> str:
    """Return a streamed summary, with what was recorded of the run's end if the summary is from before that.

    An agent records how its run ended by an upsert. After an outage the SDK sends once more what it had under way,
    which can be older; a run that is started again without being resumed begins with an empty summary. What follows
    would make good for both, unless the process is killed first. An agent that takes up its run again says so by an
    upsert. A program that knows nothing of the record sends summaries without it all the time.
    """
    summary = json_object(SUMMARY, text)
    if summary.get(STATE_KEY) in OUTCOMES:
        return text
    stored = json.loads(db.execute("SELECT summary FROM runs WHERE id = ?", (run_id,)).fetchone()["summary"])
    if stored.get(STATE_KEY) not in OUTCOMES and (STATE_KEY in summary or STATE_KEY not in stored):
        return text
    return json.dumps({**summary, **{key: value for key, value in stored.items() if key.startswith(KEY_PREFIX)}})


def _write(db: sqlite3.Connection, run_id: int, file: str, offset: int, lines: list[str]) -> None:
    if not lines:
        return
    if file == SUMMARY:
        text = _keep_record(db, run_id, lines[-1])
        db.execute("UPDATE runs SET summary = ? WHERE id = ?", (text, run_id))
        return
    counter = _COUNTERS.get(file)
    if counter is None:
        return
    rows = [json_object(file, line) for line in lines] if file in {HISTORY, EVENTS} else []
    db.executemany(
        "INSERT OR REPLACE INTO lines (run_id, stream, position, text) VALUES (?, ?, ?, ?)",
        [(run_id, file, offset + place, line) for place, line in enumerate(lines)],
    )
    db.execute(
        f"UPDATE runs SET {counter} = max({counter}, ?) WHERE id = ?",  # noqa: S608 - our own names
        (offset + len(lines), run_id),
    )
    if file == EVENTS:
        db.execute("UPDATE runs SET system_metrics = ? WHERE id = ?", (lines[-1], run_id))
    elif file == HISTORY:
        run = db.execute(
            "SELECT history_keys, last_values, last_step, history_lines FROM runs WHERE id = ?", (run_id,)
        ).fetchone()
        known: list[str] = json.loads(run["history_keys"])
        keys = dict.fromkeys([*known, *(key for row in rows for key in row)])
        steps = [row["_step"] for row in rows if isinstance(row.get("_step"), int)]
        last = max([run["last_step"], *(step for step in steps if abs(step) <= _MAX_POSITION)])
        # Lines that are sent again may be older than what has come since.
        is_newest = offset + len(lines) == run["history_lines"]
        values = last_values(rows, json.loads(run["last_values"])) if is_newest else run["last_values"]
        db.execute(
            "UPDATE runs SET history_keys = ?, last_values = ?, last_step = ? WHERE id = ?",
            (json.dumps(list(keys)[:_MAX_KEYS]), values, last, run_id),
        )


def last_values(rows: Sequence[Mapping[str, Any]], known: Mapping[str, Any]) -> str:
    """Return the last number of each key of a history, nested ones by dotted names, as a JSON object.

    Args:
        rows: Rows of the history.
        known: The last numbers before.
    """
    found: dict[str, Any] = {}
    for row in reversed(rows):
        for name, value in flat(row):
            if name not in found and (is_number(value) or isinstance(value, float)) and len(name) <= MAX_NAME:
                found[name] = finite(value)
    oldest_first = {**known, **dict(reversed(found.items()))}
    return json.dumps(dict(itertools.islice(oldest_first.items(), _MAX_KEYS)))
