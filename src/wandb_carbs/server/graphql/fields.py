"""How fields of the schema are answered.

The value of an object is the row of the database that it stands for, and each field of its type has a function from the
row to the field's value. Only the fields that a query selects are ever computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.store.database import timestamp
from wandb_carbs.server.store.ids import global_id

if TYPE_CHECKING:
    import sqlite3

    from wandb_carbs.server.limits import Budget
    from wandb_carbs.server.store.database import Store
    from wandb_carbs.server.store.files import RunFiles

Node = dict[str, Any]


@dataclass(frozen=True)
class Context:
    """One request.

    Attributes:
        store: The storage.
        files: The runs' files.
        base_url: The address at which the client has reached the server.
        db: The database as it is at each statement; a query sees what a mutation before it has committed.
        now: The request's time, in microseconds since the epoch.
        budget: The cost that the request may still have.
        writer: The process that speaks, where several write one run.
    """

    store: Store
    files: RunFiles
    base_url: str
    db: sqlite3.Connection
    now: int
    budget: Budget
    writer: str | None = None


# A field's function: called with the object's row, the request, and the field's arguments by name.
Field = Callable[..., Any]
# type -> field -> function
Fields = Mapping[str, Mapping[str, Field]]


def columns(*names: str, **renamed: str) -> dict[str, Field]:
    """Return fields that are columns of the row, by their names; those of other names by `field="column"`."""
    return {field: _column(name) for field, name in {**{name: name for name in names}, **renamed}.items()}


def _column(name: str) -> Field:
    return lambda row, _context: row[name]


def moments(**names: str) -> dict[str, Field]:
    """Return fields that are columns with a time: `field="column"`."""
    return {field: _moment(name) for field, name in names.items()}


def _moment(name: str) -> Field:
    return lambda row, _context: timestamp(row[name])


def constants(**values: Any) -> dict[str, Field]:
    """Return fields that are the same for all objects of their type."""
    return {field: _constant(value) for field, value in values.items()}


def _constant(value: Any) -> Field:
    return lambda _row, _context, **_: value


def identifier(kind: str) -> dict[str, Field]:
    """Return the field `id`, the row's opaque id."""
    return {"id": lambda row, _context: global_id(kind, row["id"])}


def project_of(row: sqlite3.Row, context: Context) -> sqlite3.Row:
    """Return the row of the project that a row belongs to."""
    found: sqlite3.Row = context.db.execute("SELECT * FROM projects WHERE id = ?", (row["project_id"],)).fetchone()
    return found


def count(context: Context, query: str, *values: Any) -> int:
    """Return the number that a query of one row and column gives."""
    number: int = context.db.execute(query, values).fetchone()[0]
    return number


def position_after(cursor: str | None) -> int:
    """Return the position behind that of a cursor which is a position; 0 for any other."""
    return int(cursor) + 1 if cursor and cursor.isascii() and cursor.isdigit() and len(cursor) < 18 else 0


def connection(
    items: Sequence[Any], first: int | None = None, after: str | None = None, node: Callable[[Any], Any] | None = None
) -> Node:
    """Return a page of a short list, whose cursors are positions.

    Args:
        items: The whole list.
        first: How many of it there are on the page; None for all.
        after: The cursor that the page begins behind.
        node: Makes the node of an item, which takes its time: only those of the page are made.
    """
    start = position_after(after)
    end = len(items) if first is None else start + max(first, 0)
    nodes = items[start:end] if node is None else [node(item) for item in items[start:end]]
    edges = [{"node": item, "cursor": str(start + place)} for place, item in enumerate(nodes)]
    last = edges[-1]["cursor"] if edges else None
    page = {"endCursor": last, "hasNextPage": end < len(items)}
    return {"edges": edges, "pageInfo": page, "totalCount": len(items)}
