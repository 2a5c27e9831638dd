"""Transactions, and the version of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import runs
from wandb_carbs.server.store.database import Store

if TYPE_CHECKING:
    from pathlib import Path


def test_newer_database_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "new")
    with store.transaction() as db:
        db.execute("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(RequestError, match="schema version 99"):
        Store(tmp_path / "new")


def test_nested_transaction_rolls_back_with_the_outer_one(store: Store) -> None:
    def fail() -> None:
        with store.transaction():
            runs.upsert(store, {"name": "r", "modelName": "p"})
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM runs").fetchone()[0] == 0
