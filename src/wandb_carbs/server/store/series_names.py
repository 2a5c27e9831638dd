"""Which keys the runs of a sweep have logged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


def of_sweep(db: sqlite3.Connection, sweep_id: int) -> list[str]:
    """Return the keys that the runs of a sweep have logged, by name, without the SDK's own."""
    found = db.execute("SELECT DISTINCT history_keys FROM runs WHERE sweep_id = ?", (sweep_id,))
    keys = {key for row in found for key in json.loads(row["history_keys"])}
    return sorted(key for key in keys if not key.startswith("_"))
