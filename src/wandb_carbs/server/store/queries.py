"""Reading runs: selection, order, pages."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.conditions import Order
from wandb_carbs.server.store.conditions import order as order_by
from wandb_carbs.server.store.filters import Filter
from wandb_carbs.server.store.orders import parse_order, sort_runs

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

# A run's row, with the name of its sweep.
SELECT_RUNS = "SELECT runs.*, sweeps.name AS sweep_name FROM runs LEFT JOIN sweeps ON sweeps.id = runs.sweep_id"

_ROWS_AT_ONCE = 1_000


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
    return len(_matching(db, condition, where, values))


def _matching(
    db: sqlite3.Connection,
    condition: Filter,
    where: str,
    values: Sequence[int | str],
    order: Sequence[Order] = (),
    *,
    descending: bool = False,
) -> list[int]:
    """Return the row ids of the runs that match, in order; ties go by insertion.

    They come as one text: a thread that fetches rows gives up Python's lock at each, and waits for it again.
    """
    sql = condition.sql
    columns = ", ".join([f"2 * runs.id + (({sql.text}) IS NULL) AS code", *(key.columns for key in order)])
    terms = ", ".join([*(key.terms for key in order), f"code {'DESC' if descending else 'ASC'}"])
    sweeps = "LEFT JOIN sweeps ON sweeps.id = runs.sweep_id" if "sweeps." in columns else ""
    codes = db.execute(
        f"""SELECT json_group_array(code) FROM (SELECT code FROM (
                SELECT {columns} FROM runs {sweeps} WHERE {where} AND ({sql.text}) IS NOT 0)
            ORDER BY {terms})""",  # noqa: S608 - our own names
        [*sql.values, *values, *sql.values],
    ).fetchone()[0]
    found: list[int] = json.loads(codes)
    unsure = [code // 2 for code in found if code % 2]
    wrong = {row["id"] for row in _rows(db, unsure) if not condition.matches(row)}
    return [code // 2 for code in found if code // 2 not in wrong]


def _rows(db: sqlite3.Connection, ids: Sequence[int]) -> Iterator[sqlite3.Row]:
    """Yield runs by their row ids, in the ids' order; those that are gone meanwhile are left out."""
    for start in range(0, len(ids), _ROWS_AT_ONCE):
        part = ids[start : start + _ROWS_AT_ONCE]
        query = f"{SELECT_RUNS} WHERE runs.id IN (SELECT value FROM json_each(?))"  # noqa: S608 - a constant
        rows = db.execute(query, (json.dumps(part),))
        by_id = {row["id"]: row for row in rows}
        yield from (by_id[place] for place in part if place in by_id)


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
    terms = [order_by(key, descending=descending, place=place) for place, (key, descending) in enumerate(keys)]
    known = [term for term in terms if term is not None]
    if len(known) == len(terms):
        ids = _matching(db, condition, where, values, known, descending=keys[0][1])
    else:
        ids = [row["id"] for row in sort_runs(list(_rows(db, _matching(db, condition, where, values))), keys)]
    start = 0
    if position is not None:
        start = (ids.index(position[1]) if position[1] in ids else position[2]) + 1
    end = len(ids) if first is None else start + first
    return Page(list(_rows(db, ids[start:end])), start, end < len(ids))


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
        f"{SELECT_RUNS} WHERE {where} ORDER BY runs.created_at {direction}, runs.id {direction} LIMIT ?",
        [*values, -1 if first is None else first + 1],
    ).fetchall()
    if first is None:
        return Page(rows, start, has_next=False)
    return Page(rows[:first], start, has_next=len(rows) > first)
