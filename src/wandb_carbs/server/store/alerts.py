"""Alerts that runs send (`run.alert`): there is nobody to mail them to, so the run's page shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import runs

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from wandb_carbs.server.store.database import Store


def add(store: Store, values: Mapping[str, Any]) -> None:
    """Keep an alert of a run.

    Args:
        store: The storage.
        values: Arguments of the mutation `notifyScriptableRunAlert`.

    Raises:
        RequestError: The run is unknown (404).
    """
    with store.transaction() as db:
        run = runs.find(db, values.get("entityName"), values.get("projectName"), values["runName"])
        if run is None:
            raise RequestError(f"unknown run {values['runName']!r}", 404)
        db.execute(
            "INSERT INTO alerts (run_id, title, text, severity, created_at) VALUES (?, ?, ?, ?, ?)",
            (run["id"], values["title"], values.get("text") or "", values.get("severity") or "INFO", store.now()),
        )


def of_run(db: sqlite3.Connection, run_id: int) -> list[sqlite3.Row]:
    """Return a run's alerts, the newest first."""
    return db.execute("SELECT * FROM alerts WHERE run_id = ? ORDER BY id DESC", (run_id,)).fetchall()
