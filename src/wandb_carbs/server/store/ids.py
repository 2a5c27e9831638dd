"""Names of runs, sweeps and projects, and identifiers of objects."""

from __future__ import annotations

import base64
import binascii
import secrets
import string
from typing import TYPE_CHECKING

from wandb_carbs.server.errors import RequestError

if TYPE_CHECKING:
    import sqlite3


def new_name() -> str:
    """Return a random name of eight lower-case letters and digits, as W&B gives to sweeps and runs."""
    alphabet = string.ascii_lowercase + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(8))


def global_id(kind: str, number: int) -> str:
    """Return the opaque id of a row."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def row_id(kind: str, identifier: str) -> int:
    """Return the row that an opaque id stands for.

    Raises:
        RequestError: The id is not one of this kind (404).
    """
    try:
        text = base64.b64decode(identifier.encode(), validate=True).decode()
        prefix, _, number = text.partition(":")
        if prefix == kind and number.isascii() and number.isdigit() and len(number) < 18:
            return int(number)
    except (binascii.Error, UnicodeError):
        pass
    raise RequestError(f"unknown {kind.lower()} id {identifier!r}", 404)


def row_by_id(db: sqlite3.Connection, table: str, kind: str, identifier: str) -> sqlite3.Row:
    """Return the row of a table that an opaque id stands for.

    Raises:
        RequestError: There is none (404).
    """
    number = row_id(kind, identifier)
    row: sqlite3.Row | None = db.execute(f"SELECT * FROM {table} WHERE id = ?", (number,)).fetchone()  # noqa: S608
    if row is None:
        raise RequestError(f"unknown {kind.lower()} id {identifier!r}", 404)
    return row


def checked_name(kind: str, name: str) -> str:
    """Return a name that is fit for an address.

    Raises:
        RequestError: The name is empty, too long, or holds characters that an address cannot hold.
    """
    if (
        not name
        or len(name) > 128
        or name in {".", ".."}
        or not set("/\\#?%:").isdisjoint(name)
        or not name.isprintable()
    ):
        raise RequestError(f"{kind} name {name!r} must have 1 to 128 printable characters, none of / \\ # ? % :")
    return name
