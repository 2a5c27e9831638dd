"""Projects, sweeps and runs are found by the addresses of the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stored import make_run, make_sweep
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.pages.lookup import cost_name, project_row, run_row, sweep_row
from wandb_carbs.server.sweeps import standings

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store


def test_what_is_named_is_found_and_what_is_not_is_missing(store: Store) -> None:
    sweep = make_sweep(store)
    run = make_run(store, "r")
    with store.reading() as db:
        assert project_row(db, "local", "p")["id"] == sweep["project_id"]
        assert run_row(db, "local", "p", "r")["id"] == run
        assert sweep_row(db, "local", "p", sweep["name"])["id"] == sweep["id"]
        for find, names in (
            (project_row, ("local", "q")),
            (run_row, ("local", "p", "q")),
            (sweep_row, ("local", "p", "q")),
            (sweep_row, ("local", "q", sweep["name"])),
        ):
            with pytest.raises(RequestError, match=r"there is no .* on this server") as caught:
                find(db, *names)
            assert caught.value.status == 404


def test_costs_are_run_times_unless_carbs_has_recorded_one(store: Store) -> None:
    sweep = make_sweep(store)
    names = []
    for summary in ({"loss": 1.0}, {"carbs.state": "running"}):
        make_run(store, "r", summary=summary, sweep=sweep["name"])
        standings.refresh(store, sweep["project_id"])
        with store.reading() as db:
            names.append(cost_name(db, sweep["id"]))
    assert names == ["run time, s", "cost"]
