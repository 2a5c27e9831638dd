"""A storage of runs that differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filtered import RUNS, Clock
from wandb_carbs.server.store import runs
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.sweeps import sweeps

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def four_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Hold four runs, r0 to r3, ten seconds apart; the last two belong to a sweep. Tests only read them."""
    clock = Clock()
    store = Store(tmp_path_factory.mktemp("runs") / "db", clock)
    sweep_id, _ = sweeps.upsert(store, {"projectName": "p", "config": "{method: random, parameters: {x: {value: 1}}}"})
    with store.reading() as db:
        sweep = db.execute("SELECT name FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()["name"]
    for number, run in enumerate(RUNS):
        clock.time += 10
        runs.upsert(
            store,
            {
                "name": f"r{number}",
                "modelName": "p",
                "sweep": sweep if number >= 2 else None,
                "config": json.dumps({key: {"value": value} for key, value in run["config"].items()}),
                "summaryMetrics": json.dumps(run["summary"]),
                "tags": run["tags"],
            },
        )
    yield store
    store.close()
