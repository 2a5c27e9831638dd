"""Projects."""

from __future__ import annotations

import pytest

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.database import DEFAULT_ENTITY, DEFAULT_PROJECT, Store
from wandb_carbs.server.store.projects import ensure_project, find_project


def test_project_is_made_once_and_found(store: Store) -> None:
    with store.transaction() as db:
        assert find_project(db, "team", "p") is None
        made = ensure_project(db, "team", "p", 5)
        assert ensure_project(db, "team", "p", 9)["created_at"] == made["created_at"] == 5
        assert find_project(db, "team", "p")["id"] == made["id"]  # type: ignore[index]
        assert find_project(db, "other", "p") is None


def test_missing_names_are_those_of_this_server(store: Store) -> None:
    with store.transaction() as db:
        made = ensure_project(db, None, "", 5)
        assert (made["entity"], made["name"]) == (DEFAULT_ENTITY, DEFAULT_PROJECT)
        assert find_project(db, "", None) is not None


def test_name_that_does_not_fit_into_an_address_is_refused(store: Store) -> None:
    with store.transaction() as db:
        for entity, name in (("/", "p"), ("team", "a/b")):
            with pytest.raises(RequestError, match="must have"):
                ensure_project(db, entity, name, 5)
        assert db.execute("SELECT count(*) FROM projects").fetchone()[0] == 0
