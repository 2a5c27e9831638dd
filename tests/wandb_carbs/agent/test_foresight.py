"""Agents that start together draw apart, whatever they have seen of each other."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import combinations

import pytest

from carbs import CARBS, LinearSpace, LogSpace, ObservationInParam, Param, ParamDict
from wandb_carbs import JudgedRun, RunRecord, Standing, Verdict
from wandb_carbs.agent.foresight import are_equal, look_around, seed_of
from wandb_carbs.sweep.path import SweepPath

PARAMS = [Param("lr", LogSpace(min=1e-5, max=1e-1)), Param("x", LinearSpace(min=0, max=1))]
SWEEP = SweepPath("team", "project", "sweep")
NOW = datetime(2026, 5, 1, tzinfo=timezone.utc)


def run(i: int, suggestion: ParamDict | None = None) -> JudgedRun:
    record = RunRecord(f"run{i}", f"run{i}", "running", NOW + timedelta(seconds=i), NOW, {}, {})
    return JudgedRun(record, Verdict(Standing.RUNNING if suggestion else Standing.STARTING), suggestion)


def optimizer(number: int) -> CARBS:
    carbs = CARBS(params=PARAMS)
    for i in range(number):
        carbs.observe(ObservationInParam({"lr": 10 ** (-1 - i % 4), "x": i / max(number, 1)}, i % 3, 1 + i))
    return carbs


def draw(me: int, others: list[JudgedRun], observed: int) -> ParamDict:
    carbs = optimizer(observed)
    look_around(carbs, SWEEP, others, run(me).record)
    return carbs.space.select(carbs.suggest(f"run{me}", seed=seed_of("sweep", f"run{me}")).suggestion)


@pytest.mark.parametrize("observed", [0, 8])
def test_a_foreseen_suggestion_is_the_one_that_is_drawn(observed: int) -> None:
    """With the same history, an agent knows what the runs before it will draw."""
    carbs = optimizer(observed)
    foreseen, later = look_around(carbs, SWEEP, [run(i) for i in range(3)], run(3).record)
    assert (foreseen, later) == (3, [])
    for me in range(3):
        drawn = draw(me, [run(i) for i in range(4) if i != me], observed)
        assert are_equal(carbs, carbs.outstanding_suggestions[f"run{me}"], drawn)


def test_a_later_run_that_was_faster_does_not_shift_the_sequence() -> None:
    """The draws differ widely, not by their jitter alone, whether or not the later run has published."""
    blind = [draw(me, [run(i) for i in range(6) if i != me], 0) for me in range(6)]
    for me in range(5):
        seen = draw(me, [run(i) for i in range(me)] + [run(5, blind[5])], 0)
        assert seen == blind[me]
    space = CARBS(params=PARAMS).space
    for one, other in combinations(space.encode(blind), 2):
        assert max(abs(one - other)) > 0.1


def test_a_later_run_is_told_of_once_the_model_is_used() -> None:
    carbs = optimizer(8)
    _, later = look_around(carbs, SWEEP, [run(5, {"lr": 0.01, "x": 0.5})], run(3).record)
    assert later == []
    assert set(carbs.outstanding_suggestions) == {"run5"}


def test_equality_allows_for_rounding() -> None:
    carbs = optimizer(0)
    assert are_equal(carbs, {"lr": 0.01, "x": 0.5}, {"lr": 0.01 * (1 + 1e-12), "x": 0.5})
    assert not are_equal(carbs, {"lr": 0.01, "x": 0.5}, {"lr": 0.01, "x": 0.5001})
