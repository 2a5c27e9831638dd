"""The best of a sweep's runs by its metric."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from stored import make_run, make_sweep
from wandb_carbs.server.store import run_streams
from wandb_carbs.server.sweeps.metrics import best_objective, value_at_end

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


@pytest.mark.parametrize("metric", ["loss", "val.loss", "étage"])
@pytest.mark.parametrize("goal", ["minimize", "maximize"])
def test_mean_first_and_worst_are_no_end(store: Store, metric: str, goal: str) -> None:
    """The last value in the history counts, as for an agent; without one there is nothing better than what is kept."""
    row, is_max = make_sweep(store), goal == "maximize"
    worst = "min" if is_max else "max"
    kept: list[dict[str, Any]] = [
        {"mean": 50.0},
        {"first": 60.0, "mean": 1.0},
        {worst: 70.0},
        {"last": 3.0, "mean": 9.0},
    ]
    ends = ["4.0", "5.0", "NaN", "8.0", ""]
    for place, (value, end) in enumerate(zip([*kept, {"mean": 6.0}], ends, strict=True)):
        make_run(store, f"r{place}", summary={metric: value}, sweep=row["name"])
        rows = [f'{{"{metric}": {number}}}' for number in ("7", end)] if end else []
        files = {run_streams.HISTORY: {"offset": 0, "content": rows}}
        run_streams.stream(store, "local", "p", f"r{place}", {"files": files, "complete": True, "exitcode": 0})
    with store.reading() as db:
        runs = db.execute("SELECT * FROM runs WHERE sweep_id = ? ORDER BY id", (row["id"],)).fetchall()
        best = best_objective(db, row["id"], {"metric": {"name": metric, "goal": goal}})
    found = [value_at_end(json.loads(run["summary"]), run["last_values"], metric, maximize=is_max) for run in runs]
    assert found == [4.0, 5.0, None, 3.0, 6.0]
    assert best == (6.0 if is_max else 3.0)
