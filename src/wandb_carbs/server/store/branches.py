"""Runs that go on from a step of a run: of another (`fork_from`), or of themselves (`resume_from`)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import run_streams, runs
from wandb_carbs.server.store.json_objects import sdk_part

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from wandb_carbs.server.store.database import Store


def fork(db: sqlite3.Connection, run_id: int) -> None:
    """Give a new run the history that its configuration says it is forked from, if it says so.

    Raises:
        RequestError: The run that it is forked from is unknown (404).
    """
    run = db.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
    point = sdk_part(run["config"]).get("branch_point")
    if not isinstance(point, dict):
        return
    name, step = point.get("run_id"), point.get("step")
    known = "SELECT * FROM runs WHERE project_id = ? AND name = ?"
    parent = db.execute(known, (run["project_id"], name)).fetchone() if isinstance(name, str) else None
    if parent is None or not isinstance(step, (int, float)):
        raise RequestError(f"fork_from: the project has no run {name!r}", 404)
    rows = _until(db, parent["id"], step)
    db.executemany(
        "INSERT INTO lines (run_id, stream, position, text) VALUES (?, ?, ?, ?)",
        [(run_id, run_streams.HISTORY, place, text) for place, (_, text) in enumerate(rows)],
    )
    db.execute("UPDATE runs SET summary = ? WHERE id = ?", (json.dumps(_last_values(rows)), run_id))
    _count(db, run_id, len(rows), rows)


def rewind(store: Store, values: Mapping[str, Any]) -> int:
    """Forget what a run has logged after a step, and return its row id.

    Args:
        store: The storage.
        values: Arguments of the mutation `rewindRun`.

    Raises:
        RequestError: The run is unknown (404), or the metric is not the step.
    """
    if values.get("metricName") != "_step":
        raise RequestError(f"resume_from: runs are rewound to a '_step', not to a {values.get('metricName')!r}")
    with store.transaction() as db:
        run = runs.find(db, values.get("entityName"), values.get("projectName"), values["runName"])
        if run is None:
            raise RequestError(f"resume_from: unknown run {values['runName']!r}", 404)
        rows = _until(db, run["id"], values["metricValue"])
        end = rows[-1][0] + 1 if rows else 0
        db.execute(
            "DELETE FROM lines WHERE run_id = ? AND stream = ? AND position >= ?", (run["id"], run_streams.HISTORY, end)
        )
        _count(db, run["id"], end, rows)
        return int(run["id"])


def _until(db: sqlite3.Connection, run_id: int, step: float) -> list[tuple[int, str]]:
    """Return position and text of the lines of a run's history up to a step."""
    found = []
    for row in db.execute(
        "SELECT position, text FROM lines WHERE run_id = ? AND stream = ? ORDER BY position",
        (run_id, run_streams.HISTORY),
    ):
        own = json.loads(row["text"]).get("_step")
        if isinstance(own, (int, float)) and own > step:
            break
        found.append((row["position"], row["text"]))
    return found


def _last_values(rows: list[tuple[int, str]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for _, text in rows:
        values.update(json.loads(text))
    return values


def _count(db: sqlite3.Connection, run_id: int, lines: int, rows: list[tuple[int, str]]) -> None:
    values = _last_values(rows)
    step = values.get("_step")
    db.execute("DELETE FROM metric_progress WHERE run_id = ?", (run_id,))
    db.execute(
        """UPDATE runs SET history_lines = ?, last_step = ?, history_keys = ?, last_values = ?, judged_at = 0
           WHERE id = ?""",
        (
            lines,
            step if isinstance(step, int) else -1,
            json.dumps(list(values)),
            run_streams.last_values([json.loads(text) for _, text in rows], {}),
            run_id,
        ),
    )
