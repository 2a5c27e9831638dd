"""The fields of runs that filters and orders name, and their values."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from wandb_carbs.metrics import MISSING, find
from wandb_carbs.server.errors import RequestError, shortened
from wandb_carbs.server.store.database import DEFAULT_ENTITY, MICROSECONDS

if TYPE_CHECKING:
    import sqlite3

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

# Fields that are columns, as SQL.
COLUMNS = {
    "name": "runs.name",
    "displayName": "runs.display_name",
    "display_name": "runs.display_name",
    "state": "runs.state",
    "sweep": "sweeps.name",
    "sweepName": "sweeps.name",
    "group": "runs.group_name",
    "jobType": "runs.job_type",
    "job_type": "runs.job_type",
    "host": "runs.host",
    "notes": "runs.notes",
    "description": "runs.description",
    "commit": "runs.commit_hash",
}
TIMES = {
    "createdAt": "runs.created_at",
    "created_at": "runs.created_at",
    "heartbeatAt": "runs.heartbeat_at",
    "heartbeat_at": "runs.heartbeat_at",
}
# Columns that hold a JSON object.
JSON = {"config": "config", "summary_metrics": "summary", "summaryMetrics": "summary", "summary": "summary"}
FIELDS = frozenset({*COLUMNS, *TIMES, "tags", "username", "user.username", "duration"})


def check_field(key: str) -> None:
    """Check that runs have a field: one that no run has would match nothing, or everything.

    Raises:
        RequestError: They have not.
    """
    head, _, rest = key.partition(".")
    if key in FIELDS or (head in JSON and rest) or key.startswith("keys_info.keys."):
        return
    raise RequestError(
        f"runs have no field {shortened(key, 100)!r}; those of the configuration and the summary are written "
        f"config.{shortened(key, 100)} and summary_metrics.{shortened(key, 100)}"
    )


class RunDocument:
    """A run as filters see it; its JSON is parsed only when a filter looks inside.

    Args:
        row: The run's row with its `sweep_name`.
    """

    def __init__(self, row: sqlite3.Row) -> None:
        self.row = row
        self._parsed: dict[str, Any] = {}

    def get(self, path: str) -> Any:
        """Return the value at a dotted path, or `MISSING`."""
        if path in COLUMNS:
            return self.row[_row_key(COLUMNS[path])]
        if path in TIMES:
            return EPOCH + timedelta(microseconds=self.row[_row_key(TIMES[path])])
        if path == "tags":
            return self._json("tags")
        if path in {"username", "user.username"}:
            return DEFAULT_ENTITY
        if path == "duration":
            return (self.row["heartbeat_at"] - self.row["created_at"]) / MICROSECONDS
        head, _, rest = path.partition(".")
        if head in JSON and rest:
            found = self._json(JSON[head])
            if head != "config":
                return find(found, rest)
            # Stored as {"lr": {"value": 0.1}}; asked for as config.lr or config.lr.value.
            bare = {k: v["value"] for k, v in found.items() if isinstance(v, dict) and "value" in v}
            value = find(bare, rest)
            return find(found, rest) if value is MISSING else value
        if head == "keys_info" and rest.startswith("keys."):
            name = rest.removeprefix("keys.")
            return {} if name in self._json("history_keys") or name in self._json("last_values") else MISSING
        return MISSING

    def _json(self, column: str) -> Any:
        if column not in self._parsed:
            self._parsed[column] = json.loads(self.row[column])
        return self._parsed[column]


def _row_key(column: str) -> str:
    return "sweep_name" if column == "sweeps.name" else column.removeprefix("runs.")


def parse_moment(value: Any) -> datetime | None:
    """Return the moment that an ISO-8601 text stands for, in UTC where it names no zone; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


def kind_of(value: Any) -> str:
    """Return the kind of a JSON value; values of different kinds differ, and have no order."""
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "text"
    return "time" if isinstance(value, datetime) else type(value).__name__
