"""A run in a table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from stored import make_run, send
from wandb_carbs.server.sweeps.run_rows import Goal, RunRow, drawable, read_run, run_values

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store


@pytest.mark.parametrize(
    ("goal", "config", "summary", "shown"),
    [
        # The server has drawn it, and the program has not said anything.
        (Goal(), {"x": {"value": 1}}, {}, {}),
        (Goal(), {"x": {"value": 1}, "_wandb": {"value": {}}}, {}, {"x": 1}),
        (Goal(is_sweep=False), {"x": {"value": 1}}, {}, {"x": 1}),
        # In a sweep of CARBS a run begins with W&B's draw.
        (Goal(is_carbs=True), {"x": {"value": 1}, "_wandb": {"value": {}}}, {}, {}),
        (Goal(is_carbs=True), {"x": {"value": 1}}, {"carbs.suggestion": '{"x": 2}'}, {"x": 2}),
        (Goal(is_carbs=True), {"x": {"value": 1}}, {"carbs.suggestion": {"x": 2}}, {"x": 2}),
        (
            Goal(is_carbs=True),
            {"x": {"value": 1}, "seed": {"value": 7}},
            {"carbs.suggestion": '{"x": 2}', "carbs.config": '{"x": 4}'},
            {"x": 4, "seed": 7},
        ),
        (Goal(is_carbs=True), {"x": {"value": 1}}, {"carbs.suggestion": "damaged"}, {}),
    ],
)
def test_values_are_those_that_the_run_has_had(goal: Goal, config: Any, summary: Any, shown: Any) -> None:
    assert run_values(json.dumps(config), summary, goal) == shown


def test_only_finite_numbers_are_drawn() -> None:
    assert [drawable(value) for value in (1, 0.5, True, "1", None, float("nan"), float("inf"), 10**400)] == [
        *(1.0, 0.5),
        *[None] * 6,
    ]


@pytest.mark.parametrize(
    ("state", "carbs_state", "objective", "cost", "counts"),
    [
        ("running", "success", 0.0, 1.0, True),
        ("finished", "", 0.0, 1.0, True),
        ("running", "", 0.0, 1.0, False),
        ("finished", "failure", 0.0, 1.0, False),
        ("finished", "success", None, 1.0, False),
        ("finished", "success", 0.0, None, False),
        ("finished", "success", 0.0, 0.0, False),
    ],
)
def test_run_counts_once_it_has_succeeded_with_an_objective_and_a_cost(
    state: str, carbs_state: str, objective: float | None, cost: float | None, counts: bool
) -> None:
    assert RunRow("r", "r", state, carbs_state, objective, cost, {}, 0).counts is counts


@pytest.mark.parametrize(
    ("metric", "summary"),
    [
        ("loss", {"loss": 0.5}),
        ("val.loss", {"val": {"loss": 0.5}}),
        ("val.loss", {"val.loss": 0.5}),
        ("loss", {"loss": {"min": 0.1, "max": 0.5}}),
        ("ended", {"ended": {"mean": 0.3}}),
    ],
)
def test_objective_is_the_metric_wherever_the_summary_has_it(store: Store, metric: str, summary: Any) -> None:
    make_run(store, "r")
    send(store, "wandb-history.jsonl", 0, '{"ended": 0.5}')
    make_run(store, "r", summary={**summary, "_runtime": 3}, state="finished")
    with store.reading() as db:
        row = db.execute("SELECT * FROM runs").fetchone()
    read = read_run(row, Goal(metric, maximize=True))
    assert (read.objective, read.cost, read.counts) == (0.5, 3, True)


def test_run_of_less_than_a_second_counts(store: Store) -> None:
    """The SDK counts the whole seconds of a run, and nothing costs nothing."""
    make_run(store, "r", summary={"loss": 1, "_runtime": 0}, state="finished")
    with store.reading() as db:
        read = read_run(db.execute("SELECT * FROM runs").fetchone(), Goal("loss"))
    assert (read.cost, read.counts) == (0.5, True)
