"""Reading runs: selection, order, pages."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.filters import Filter, parse_order, sort_runs

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_SELECT = "SELECT runs.*, sweeps.name AS sweep_name FROM runs LEFT JOIN sweeps ON sweeps.id = runs.sweep_id"


@dataclass(frozen=True)
class Page:
    """One page of runs.

    Attributes:
        rows: The runs, each with its `sweep_name`.
        start: Position of the first one in the whole result.
        has_next: Whether more follow.
    """

    rows: Sequence[sqlite3.Row]
    start: int
    has_next: bool

    def cursor(self, place: int) -> str:
        """Return the cursor of the page's row at this place."""
        row = self.rows[place]
        return base64.b64encode(f"{row['created_at']}:{row['id']}:{self.start + place}".encode()).decode()


def _parse_cursor(cursor: str | None) -> tuple[int, int, int] | None:
    if not cursor:
        return None
    try:
        created_at, run_id, position = map(int, base64.b64decode(cursor.encode(), validate=True).decode().split(":"))
        if max(created_at, run_id, position) >= 2**63 or min(created_at, run_id, position) < 0:
            raise ValueError  # noqa: TRY301
    except (binascii.Error, UnicodeError, ValueError):
        raise RequestError(f"malformed cursor {cursor!r}") from None
    return created_at, run_id, position


def _scope(project_id: int, condition: Filter) -> tuple[str, list[int | str]]:
    if condition.sweep is None:
        return "runs.project_id = ?", [project_id]
    # By the sweep's row, so that the index runs_of_sweep serves both the selection and the order.
    return "runs.sweep_id = (SELECT id FROM sweeps WHERE name = ? AND project_id = ?)", [condition.sweep, project_id]


def count_runs(db: sqlite3.Connection, project_id: int, filters: str | None) -> int:
    """Return how many of a project's runs match."""
    condition = Filter.parse(filters)
    where, values = _scope(project_id, condition)
    if condition.exact:
        count: int = db.execute(f"SELECT count(*) FROM runs WHERE {where}", values).fetchone()[0]  # noqa: S608
        return count
    return sum(map(condition.matches, db.execute(f"{_SELECT} WHERE {where}", values)))


def select_runs(
    db: sqlite3.Connection,
    project_id: int,
    filters: str | None = None,
    order: str | None = None,
    *,
    first: int | None = None,
    after: str | None = None,
) -> Page:
    """Return a page of a project's runs.

    Args:
        db: The database.
        project_id: The project's row id.
        filters: Filter as JSON.
        order: Order, the newest first by default.
        first: Page size; all without.
        after: Cursor of the row before the page.

    Raises:
        RequestError: An argument is malformed.
    """
    if first is not None and first < 0:
        raise RequestError(f"page size {first} must not be negative")
    condition, keys, position = Filter.parse(filters), parse_order(order), _parse_cursor(after)
    where, values = _scope(project_id, condition)
    if condition.exact and keys in ([("created_at", False)], [("created_at", True)]):
        return _select_sorted(db, where, values, descending=keys[0][1], first=first, position=position)
    rows = [row for row in db.execute(f"{_SELECT} WHERE {where}", values) if condition.matches(row)]
    rows = sort_runs(rows, keys)
    start = 0
    if position is not None:
        places = {row["id"]: place for place, row in enumerate(rows)}
        start = places.get(position[1], position[2]) + 1
    end = len(rows) if first is None else start + first
    return Page(rows[start:end], start, end < len(rows))


def _select_sorted(
    db: sqlite3.Connection,
    where: str,
    values: list[int | str],
    *,
    descending: bool,
    first: int | None,
    position: tuple[int, int, int] | None,
) -> Page:
    """Page by key in the index's order, so that a page costs its own length only."""
    direction, beyond = ("DESC", "<") if descending else ("ASC", ">")
    start = 0
    if position is not None:
        where += f" AND (runs.created_at, runs.id) {beyond} (?, ?)"
        values = [*values, position[0], position[1]]
        start = position[2] + 1
    rows = db.execute(
        f"{_SELECT} WHERE {where} ORDER BY runs.created_at {direction}, runs.id {direction} LIMIT ?",
        [*values, -1 if first is None else first + 1],
    ).fetchall()
    if first is None:
        return Page(rows, start, has_next=False)
    return Page(rows[:first], start, has_next=len(rows) > first)
