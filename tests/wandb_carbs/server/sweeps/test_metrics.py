"""The metric of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stored import make_run, make_sweep
from wandb_carbs.server.sweeps.metrics import best_objective, value_of

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store


def test_nested_metric() -> None:
    assert value_of({"a": {"b": 2}}, "a.b") == 2.0
    assert value_of({"a.b": 3, "a": {"b": 2}}, "a.b") == 3.0
    for odd in ({"a": 1}, {"a": {"b": True}}, {"a": {"b": "NaN"}}, {"a": {"b": 10**400}}, {}):
        assert value_of(odd, "a.b") is None


@pytest.mark.parametrize(
    ("kept", "smallest", "greatest"),
    [
        ({"min": 1}, 1, 1),
        ({"max": 3}, 3, 3),
        ({"min": 1, "max": 3}, 1, 3),
        ({"min": 1, "max": 3, "last": 2}, 2, 2),
        ({"best": 3, "mean": 2}, 3, 3),
        ({"min": 1, "other": 2}, None, None),
        ({}, None, None),
    ],
)
def test_metric_of_which_the_sdk_keeps_something_else_than_its_last_value(
    store: Store, kept: dict[str, float], smallest: float | None, greatest: float | None
) -> None:
    """`run.define_metric("loss", summary="min")` makes an object of it."""
    for metric, summary in (("loss", {"loss": kept}), ("val.loss", {"val": {"loss": kept}})):
        assert value_of(summary, metric) == smallest
        assert value_of(summary, metric, maximize=True) == greatest
        row = make_sweep(store)
        make_run(store, f"r{row['id']}", summary=summary, sweep=row["name"], state="finished")
        with store.reading() as db:
            assert best_objective(db, row["id"], {"metric": {"name": metric}}) == smallest
            assert best_objective(db, row["id"], {"metric": {"name": metric, "goal": "maximize"}}) == greatest
