"""Runs, with their history and files."""

from __future__ import annotations

import fnmatch
import json
import posixpath
from typing import TYPE_CHECKING, Any

from wandb_carbs.plain import finite
from wandb_carbs.server.graphql import fields
from wandb_carbs.server.graphql.fields import Context, Fields, Node, connection
from wandb_carbs.server.graphql.viewer import USER
from wandb_carbs.server.store import files, logs, run_states, run_streams, streams
from wandb_carbs.server.store.json_objects import sdk_part
from wandb_carbs.server.store.queries import SELECT_RUNS, select_runs

if TYPE_CHECKING:
    import sqlite3

# Lines of output of one reply.
_MOST_LINES = 100_000


def find_runs(
    context: Context,
    project_id: int,
    filters: str | None = None,
    order: str | None = None,
    first: int | None = None,
    after: str | None = None,
) -> Node:
    """Return a page of a project's runs.

    Raises:
        RequestError: An argument is malformed.
    """
    page = select_runs(context.db, project_id, filters, order, first=first, after=after)
    edges = [{"node": row, "cursor": page.cursor(place)} for place, row in enumerate(page.rows)]
    end = edges[-1]["cursor"] if edges else None
    return {"edges": edges, "pageInfo": {"endCursor": end, "hasNextPage": page.has_next}}


def run_of(context: Context, run_id: int) -> sqlite3.Row | None:
    """Return a run's row with its `sweep_name`, or None."""
    row: sqlite3.Row | None = context.db.execute(f"{SELECT_RUNS} WHERE runs.id = ?", (run_id,)).fetchone()
    return row


def _files(
    row: sqlite3.Row,
    context: Context,
    names: list[str | None] | None = None,
    pattern: str | None = None,
    first: int | None = None,
    after: str | None = None,
) -> Node:
    found = files.of_run(context.db, row["id"])
    if names:
        # The SDK uploads "./a" as "a", and asks for it by the name that the user gives.
        wanted = {*names, *(posixpath.normpath(name) for name in names if name is not None)}
        found = [file for file in found if file["name"] in wanted]
    if pattern:
        found = [file for file in found if fnmatch.fnmatchcase(file["name"], pattern.replace("%", "*"))]
    return connection(found, first, after, lambda file: context.files.node(file, context.base_url))


def _history(
    row: sqlite3.Row,
    context: Context,
    samples: int | None = None,
    minStep: int | None = None,
    maxStep: int | None = None,
) -> list[str]:
    return streams.sampled_lines(context.db, row["id"], run_streams.HISTORY, samples, (minStep, maxStep))


def _events(row: sqlite3.Row, context: Context, samples: int | None = None) -> list[str]:
    return streams.sampled_lines(context.db, row["id"], run_streams.EVENTS, samples, (None, None))


def _history_keys(row: sqlite3.Row, _context: Context) -> Node:
    keys: dict[str, Any] = {key: {} for key in json.loads(row["history_keys"])}
    keys.update({name: {"previousValue": value} for name, value in json.loads(row["last_values"]).items()})
    return {"lastStep": row["last_step"], "sets": [], "keys": keys}


def _parquet_history(row: sqlite3.Row, context: Context, **_: Any) -> Node:
    """Say that nothing has been exported to Parquet: clients read the history from the first live row on."""
    first = context.db.execute(
        "SELECT text FROM lines WHERE run_id = ? AND stream = ? ORDER BY position LIMIT 1",
        (row["id"], run_streams.HISTORY),
    ).fetchone()
    return {"parquetUrls": [], "liveData": [] if first is None else [finite(json.loads(first["text"]))]}


def _log_lines(
    row: sqlite3.Row,
    context: Context,
    first: int | None = None,
    last: int | None = None,
    after: str | None = None,
    **_: Any,
) -> Node:
    """Return a page of a run's output; the cursors are numbers of lines."""
    if last is not None:
        lines, has_next = logs.last_lines(context.db, row["id"], min(max(last, 0), _MOST_LINES)), False
    else:
        most = _MOST_LINES if first is None else min(max(first, 0), _MOST_LINES)
        lines = logs.lines_from(context.db, row["id"], fields.position_after(after), most + 1)
        lines, has_next = lines[:most], len(lines) > most
    edges = [{"node": line, "cursor": str(line["number"])} for line in lines]
    page = {"endCursor": edges[-1]["cursor"] if edges else None, "hasNextPage": has_next}
    return {"edges": edges, "pageInfo": page, "totalCount": row["log_lines"]}


def _telemetry(row: sqlite3.Row, _context: Context, **_: Any) -> str:
    own = sdk_part(row["config"])
    return json.dumps({"t": own.get("t")} if own else {})


FIELDS: Fields = {
    "Run": {
        **fields.identifier("Run"),
        **fields.columns(
            "name",
            "state",
            "config",
            "host",
            "description",
            "notes",
            projectId="project_id",
            displayName="display_name",
            sweepName="sweep_name",
            summaryMetrics="summary",
            group="group_name",
            groupName="group_name",
            jobType="job_type",
            commit="commit_hash",
            exitcode="exit_code",
            historyLineCount="history_lines",
            eventsLineCount="event_lines",
            logLineCount="log_lines",
        ),
        **fields.moments(createdAt="created_at", heartbeatAt="heartbeat_at"),
        **fields.constants(readOnly=False, user=USER),
        "systemMetrics": lambda row, _context: row["system_metrics"] or "{}",
        "tags": lambda row, _context: json.loads(row["tags"]),
        "project": fields.project_of,
        "shouldStop": lambda row, _context: bool(row["stop_requested"]),
        "stopped": lambda row, _context: bool(row["stop_requested"]),
        "failed": lambda row, _context: row["state"] in {run_states.FAILED, run_states.CRASHED},
        "running": lambda row, _context: row["state"] in run_states.ALIVE,
        "historyTail": lambda row, context: streams.tail(context.db, row["id"], run_streams.HISTORY),
        "eventsTail": lambda row, context: streams.tail(context.db, row["id"], run_streams.EVENTS),
        "historyKeys": _history_keys,
        "wandbConfig": _telemetry,
        "history": _history,
        "events": _events,
        "sampledHistory": lambda row, context, specs: streams.sampled_rows(context.db, row["id"], specs),
        "parquetHistory": _parquet_history,
        "fileCount": lambda row, context: files.count_of_run(context.db, row["id"]),
        "files": _files,
        "logLines": _log_lines,
    },
    "File": {
        # Whether it is to be put or got, a file has one address.
        "url": lambda file, _context, **_: file["url"],
    },
}
