"""The best of a sweep's runs by its metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stored import make_run, make_sweep
from wandb_carbs.server.sweeps.metrics import best_objective

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store


@pytest.mark.parametrize("metric", ["loss", "val.loss", "étage"])
def test_best_value_whatever_the_sdk_keeps_of_the_metric(store: Store, metric: str) -> None:
    """Some runs have called `run.define_metric("loss", summary="min,max")`, others have not."""
    row = make_sweep(store)

    def best(goal: str) -> float | None:
        with store.reading() as db:
            return best_objective(db, row["id"], {"metric": {"name": metric, "goal": goal}})

    values: list[Any] = [{"min": 4, "max": 8}, "low", {"min": 1, "other": 2}, {"last": float("nan")}, 5.5, {"max": 7}]
    assert best("minimize") is None
    for place, value in enumerate(values):
        first, _, last = metric.rpartition(".")
        summary = {first: {last: value}} if first else {metric: value}
        make_run(store, f"r{place}", summary=summary, sweep=row["name"], state="finished")
    make_run(store, "alive", summary={metric: 0.5}, sweep=row["name"])
    assert (best("minimize"), best("maximize")) == (4.0, 8.0)
