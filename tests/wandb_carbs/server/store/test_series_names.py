"""Which keys the runs of a sweep have logged."""

from __future__ import annotations

from stored import make_run, make_sweep, send
from wandb_carbs.server.store import run_streams, series_names
from wandb_carbs.server.store.database import Store


def test_keys_of_all_runs_are_listed_without_the_own_ones_of_the_sdk(store: Store) -> None:
    sweep = make_sweep(store)
    make_run(store, "r", sweep=sweep["name"])
    send(store, run_streams.HISTORY, 0, '{"_step": 0, "loss": 1}', '{"_step": 1, "acc": 1, "_runtime": 2}')
    make_run(store, "beside", sweep=make_sweep(store)["name"])
    with store.reading() as db:
        assert series_names.of_sweep(db, sweep["id"]) == ["acc", "loss"]
