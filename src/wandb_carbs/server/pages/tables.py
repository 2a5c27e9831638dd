"""Tables of runs: search, filter, order, columns and pages, all said by the page's address."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from wandb_carbs.server.sweeps import run_tables
from wandb_carbs.server.sweeps.run_rows import RunRow
from wandb_carbs.server.sweeps.run_tables import Counts, Scope, Search

PAGE = 100
# Columns of parameters that are shown unless the address says which.
_MAX_COLUMNS = 8


@dataclass(frozen=True)
class Query:
    """The part of a table that a visitor asks for.

    Attributes:
        search: Text that the run's name, title or a value of its parameters must hold.
        state: State that it must have, or empty.
        sort: Column to sort by, or empty for the newest first.
        descending: Whether the largest come first.
        page: Number of the page, from 0.
        columns: Parameters to show, or None for the first few.
    """

    search: str = ""
    state: str = ""
    sort: str = ""
    descending: bool = False
    page: int = 0
    columns: tuple[str, ...] | None = None

    @classmethod
    def of(cls, parameters: Mapping[str, str], columns: Sequence[str]) -> Query:
        """Read an address's parameters."""
        sort, page = parameters.get("sort", ""), parameters.get("page", "0")
        return cls(
            search=parameters.get("q", "")[:200],
            state=parameters.get("state", "")[:20],
            sort=sort.removeprefix("-"),
            descending=sort.startswith("-"),
            page=int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 0,
            columns=tuple(columns) or None,
        )

    def address(self, **changes: Any) -> str:
        """Return the address's query with some parts changed; the first page unless `page` is given."""
        values: dict[str, Any] = {"q": self.search, "state": self.state, "sort": self._sort(), "page": 0, **changes}
        pairs = [(key, value) for key, value in values.items() if value]
        pairs += [("column", column) for column in self.columns or ()]
        return "?" + urlencode(pairs, errors="replace")

    def _sort(self) -> str:
        return f"-{self.sort}" if self.descending else self.sort


@dataclass(frozen=True)
class Table:
    """One page of a table of runs.

    Attributes:
        rows: The runs of the page.
        query: What was asked.
        total: How many runs there are.
        found: How many match.
        keys: All parameters.
        columns: The parameters that are shown.
        states: The states that occur.
        best: Names of the runs on the frontier.
    """

    rows: Sequence[RunRow]
    query: Query
    total: int
    found: int
    keys: Sequence[str]
    columns: Sequence[str]
    states: Sequence[str]
    best: frozenset[str]

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(-(-self.found // PAGE), 1)

    def sort_address(self, column: str) -> str:
        """Return the address that sorts by a column, and turns the order if it is sorted by it."""
        turned = self.query.sort == column and not self.query.descending
        return self.query.address(sort=f"-{column}" if turned else column)


def make_table(db: sqlite3.Connection, scope: Scope, counts: Counts, query: Query, best: Sequence[RunRow]) -> Table:
    """Read one page of a table.

    Args:
        db: The database.
        scope: The runs.
        counts: How many there are.
        query: What is asked.
        best: The runs on the frontier.
    """
    keys = run_tables.parameter_names(db, scope)
    search = Search(query.search, query.state, query.sort, query.descending)
    rows, found = run_tables.page(db, scope, search, start=query.page * PAGE, size=PAGE)
    columns = [key for key in keys if key in query.columns] if query.columns is not None else keys[:_MAX_COLUMNS]
    return Table(
        rows=rows,
        query=query,
        total=counts.total,
        found=found,
        keys=keys,
        columns=columns,
        states=list(counts.states),
        best=frozenset(row.name for row in best),
    )
