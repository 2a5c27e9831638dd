"""Orders of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wandb_carbs.metrics import chosen
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.run_fields import JSON, RunDocument, check_field, kind_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

# Each key costs a sort.
_MAX_KEYS = 8
_MAX_LENGTH = 2_000


def parse_order(order: str | None) -> list[tuple[str, bool]]:
    """Parse an order such as `-summary_metrics.loss, +created_at`.

    Returns:
        Fields with whether they descend. Without a sign a field ascends; W&B's default is the newest first.

    Raises:
        RequestError: It has too many keys or characters, or a field that runs do not have.
    """
    if order and (len(order) > _MAX_LENGTH or order.count(",") >= _MAX_KEYS):
        raise RequestError(f"an order has at most {_MAX_KEYS} keys and {_MAX_LENGTH} characters")
    signed = [key.strip() for key in (order or "-created_at").split(",") if key.strip()]
    keys = [(key.lstrip("+-"), key.startswith("-")) for key in signed] or [("created_at", True)]
    for key, _ in keys:
        check_field(key)
    return keys


def sort_runs(rows: list[sqlite3.Row], keys: Sequence[tuple[str, bool]]) -> list[sqlite3.Row]:
    """Sort runs; ties go by insertion, in the first key's direction, and runs without the key come last."""
    documents = sorted((RunDocument(row) for row in rows), key=lambda d: d.row["id"], reverse=keys[0][1])
    for key, descending in reversed(keys):
        held: list[tuple[tuple[int, Any], RunDocument]] = []
        rest: list[RunDocument] = []
        for document in documents:
            value = _sorted_by(document, key, descending=descending)
            rank = _rank(value)
            if rank is None:
                rest.append(document)
            else:
                held.append(((rank, value), document))
        held.sort(key=lambda pair: pair[0], reverse=descending)
        documents = [document for _, document in held] + rest
    return [document.row for document in documents]


def _sorted_by(document: RunDocument, key: str, *, descending: bool) -> Any:
    """Return the value of a key; of a metric of which the SDK keeps others than the last, the one that counts."""
    value = document.get(key)
    in_summary = JSON.get(key.partition(".")[0]) == "summary"
    # The SDK asks for its best run in this way, so that the largest first means: the more, the better.
    return chosen(value, maximize=descending) if in_summary else value


def _rank(value: Any) -> int | None:
    """Order values of different kinds among each other; None for what has no order."""
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - NaN
        return None
    kinds = {"truth": 0, "number": 1, "text": 2, "time": 3}
    return kinds.get(kind_of(value))
