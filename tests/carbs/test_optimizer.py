"""CARBS through its public surface: what must hold whatever the history."""

from __future__ import annotations

import doctest
import json
import math
import random
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbs import (
    CARBS,
    CarbsError,
    CARBSParams,
    LinearSpace,
    LogSpace,
    ObservationInParam,
    Param,
    ParamDict,
)
from searches import PARAMS, SMALL, bowl, run, without_id


def test_the_example_of_the_docstring_runs() -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(CARBS)
    result = doctest.DocTestRunner().run(example)
    assert result.attempted > 5
    assert result.failed == 0


def test_suggestions_are_legal_plain_and_survive_json() -> None:
    carbs = CARBS(params=PARAMS)
    rng = random.Random(0)
    for i in range(25):
        output = carbs.suggest()
        values = without_id(output.suggestion)
        assert carbs.space.problems_with(values) == []
        assert {type(value) for value in values.values()} <= {int, float, str, bool}
        assert json.loads(json.dumps(output.suggestion)) == output.suggestion
        assert json.loads(json.dumps(output.log, allow_nan=False)) == output.log
        carbs.observe(ObservationInParam(output.suggestion, rng.random(), 1 + rng.random(), is_failure=i % 7 == 6))
    assert output.log["kind"] in ("model", "resample")


def test_a_cost_aware_search_finds_the_frontier() -> None:
    rows = run(CARBS(params=SMALL), 30, bowl)
    best_cheap = max(objective for _, objective, cost in rows if cost <= 5)
    best = max(objective for _, objective, _ in rows)
    assert best_cheap > 0.3 * math.log(4) - 0.01
    assert best > 0.3 * math.log(100) - 0.02


def test_minimising_is_maximising_the_opposite() -> None:
    up, down = CARBS(params=SMALL), CARBS(CARBSParams(better_direction_sign=-1), SMALL)
    rows_up = run(up, 12, bowl)
    rows_down = run(down, 12, lambda values: (-bowl(values)[0], bowl(values)[1]))
    assert [without_id(row[0]) for row in rows_up] == [without_id(row[0]) for row in rows_down]
    assert up.suggest().log["predicted_objective"] == -down.suggest().log["predicted_objective"]


def test_the_extra_seed_tells_processes_with_the_same_history_apart() -> None:
    carbs = CARBS(params=SMALL)
    draws = {
        json.dumps(carbs.suggest(is_suggestion_remembered=False, seed=f"run {i}").suggestion["x"]) for i in range(20)
    }
    assert len(draws) == 20


def test_no_global_random_state_is_touched() -> None:
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002 - the global state is what this test is about
    before = random.getstate(), repr(np.random.get_state())  # noqa: NPY002
    run(CARBS(params=SMALL), 8, bowl)
    assert (random.getstate(), repr(np.random.get_state())) == before  # noqa: NPY002


@pytest.mark.parametrize("suggestion_id", ["", 5, 0, uuid.UUID(int=5), b"a", ["a"]])
def test_an_identifier_that_is_not_a_string_is_refused(suggestion_id: Any) -> None:
    carbs = CARBS(params=SMALL)
    for call in (carbs.suggest, lambda id_: carbs.remember_suggestion({"x": 0.5, "y": 3}, id_)):
        with pytest.raises(CarbsError, match=r"suggestion_id=.*non-empty string"):
            call(suggestion_id)
    assert carbs.outstanding_suggestions == {}


def test_suggestions_that_are_not_remembered_leave_no_trace() -> None:
    carbs = CARBS(params=SMALL)
    assert "suggestion_uuid" not in carbs.suggest(is_suggestion_remembered=False).suggestion
    assert carbs.outstanding_suggestions == {}


def observations(draw: Callable[[Any], Any]) -> list[tuple[float, float, bool]]:
    objective = st.sampled_from([0.0, 1.0, 1e12, -1e12, 1e-12, 3.5, math.nan]) | st.floats(-1e3, 1e3)
    cost = st.sampled_from([1e-12, 1.0, 1e12]) | st.floats(1e-3, 1e3)
    return draw(st.lists(st.tuples(objective, cost, st.booleans()), max_size=14))  # type: ignore[no-any-return]


@settings(max_examples=40)
@given(data=st.data())
def test_no_history_makes_suggest_raise_turn_random_or_leave_the_space(data: st.DataObject) -> None:
    carbs = CARBS(CARBSParams(max_suggestion_cost=data.draw(st.sampled_from([None, 1e-9, 1.0, 1e9]))), SMALL)
    seen = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seen)
    for objective, cost, failed in observations(data.draw):
        values: ParamDict = {"x": float(np.round(rng.random(), data.draw(st.sampled_from([0, 1, 9])))), "y": 5}
        carbs.observe(ObservationInParam(values, objective, cost, is_failure=failed))
    for i in range(data.draw(st.integers(0, 3))):
        carbs.remember_suggestion({"x": 0.5, "y": 5}, str(i))
    num_awaited = carbs.num_awaited
    output = carbs.suggest()
    assert carbs.space.problems_with(output.suggestion) == []
    reason = output.log.get("reason", "")
    assert "could not be used" not in reason
    assert (output.log["kind"] == "random") == (num_awaited > 0 or "brought no gain" in reason)
    assert all(math.isfinite(value) for value in output.log.values() if isinstance(value, float))


@pytest.mark.parametrize(
    ("wanted", "successes", "outstanding", "awaited"),
    [
        (6, 0, 0, 6),
        (6, 5, 0, 1),
        (6, 6, 0, 0),
        (6, 2, 4, 0),
        (6, 2, 3, 1),
        (6, 1, 63, 1),
        (6, 0, 63, 2),
        (1, 0, 9, 1),
        (1, 1, 0, 0),
    ],
)
def test_the_model_suggests_once_the_first_runs_have_succeeded_or_go_on(
    wanted: int, successes: int, outstanding: int, awaited: int
) -> None:
    carbs = CARBS(CARBSParams(num_random_samples=wanted), SMALL)
    for i in range(successes):
        carbs.observe(ObservationInParam({"x": i / 10, "y": 1 + i}, i, 1 + i))
    for i in range(outstanding):
        carbs.remember_suggestion({"x": i / 100, "y": 50}, str(i))
    carbs.observe(ObservationInParam({"x": 1.0, "y": 1}, is_failure=True))
    assert carbs.num_awaited == awaited
    output = carbs.suggest()
    assert (output.log["kind"] == "random") == (awaited > 0)
    assert not awaited or output.log["reason"].startswith(f"{awaited} more run")


def test_strict_settings_of_numpy_change_no_suggestion() -> None:
    def search() -> list[ParamDict]:
        carbs = CARBS(params=PARAMS)
        return [without_id(row[0]) for row in run(carbs, 12, lambda values: (float(values["lr"]), 1e-3))]

    usual = search()
    with np.errstate(all="raise"):
        assert search() == usual


def test_runs_far_out_in_open_spaces_are_followed_as_far_as_floats_go() -> None:
    carbs = CARBS(CARBSParams(initial_search_radius=1e6), [Param("x", LinearSpace(), 0.0), Param("y", LogSpace(), 1.0)])
    for i in range(12):
        suggestion = carbs.suggest().suggestion
        carbs.observe(ObservationInParam(suggestion, float(i), 1.0))
    for i in range(8):
        carbs.observe(ObservationInParam({"x": (-1) ** i * 1e12, "y": 1e300}, float(i), 1.0))
    assert carbs.space.problems_with(carbs.suggest().suggestion) == []
    with pytest.raises(CarbsError, match=r"1e\+12 search units"):
        carbs.observe(ObservationInParam({"x": 1e13, "y": 1.0}, 1.0, 1.0))
    with pytest.raises(CarbsError, match=r"at most 1e\+06"):
        CARBSParams(initial_search_radius=1e7)


def test_a_warm_start_takes_what_fits() -> None:
    old = CARBS(params=SMALL)
    run(old, 10, bowl)
    new = CARBS(params=[SMALL[0], Param("y", LogSpace(1, 10, is_integer=True)), Param("z", LinearSpace(0, 1), 0.25)])
    added = new.warm_start(old)
    assert added == sum(float(o.input["y"]) <= 10 for o in old.success_observations) > 0
    assert {o.input["z"] for o in new.success_observations} == {0.25}
    with pytest.raises(CarbsError, match="better_direction_sign"):
        CARBS(CARBSParams(better_direction_sign=-1), SMALL).warm_start(old)


def with_points(values: ParamDict) -> ObservationInParam:
    """Run one: the state after y' of y epochs is the result of y' epochs."""

    def after(y: int) -> tuple[float, float]:
        return bowl({**values, "y": y})

    length = int(values["y"])
    ways = sorted({max(1, round(length ** (share / 4))) for share in range(4)} - {length})
    return ObservationInParam(
        values, *after(length), points=[ObservationInParam({**values, "y": y}, *after(y)) for y in ways]
    )


def test_a_run_with_points_on_its_way_counts_once() -> None:
    carbs = CARBS(CARBSParams(num_random_samples=4, resample_frequency=0), SMALL)
    for awaited in (4, 1):  # one more success: the points of the first are results, too
        assert carbs.num_awaited == awaited
        output = carbs.suggest(is_suggestion_remembered=False)
        assert output.log["kind"] == "random"
        values = without_id(output.suggestion)
        carbs.observe(with_points({**values, "y": max(20, int(values["y"]))}))
    passed = {(point.input["x"], point.input["y"]) for run in carbs.success_observations for point in run.points}
    assert len(passed) > 4
    for _ in range(12):
        output = carbs.suggest()
        assert output.log["kind"] == "model"  # never what a run has passed already
        assert (output.suggestion["x"], output.suggestion["y"]) not in passed
        carbs.observe(with_points(output.suggestion))


def test_points_on_the_way_teach_what_was_not_run() -> None:
    """Six long runs of one length: only their points show what short ones reach, and cost."""
    short: ParamDict = {"x": 0.3, "y": 3}
    objective, cost = bowl(short)
    errors = []
    for has_points in (False, True):
        carbs = CARBS(params=SMALL)
        for x in np.linspace(0, 1, 6).tolist():
            run = with_points({"x": x, "y": 90})
            carbs.observe(run if has_points else ObservationInParam(run.input, run.output, run.cost))
        log = carbs.suggest(given=short).log
        errors.append((abs(log["predicted_objective"] - objective), abs(math.log(log["predicted_cost"] / cost))))
    assert errors[1][0] < errors[0][0] / 3
    assert errors[1][1] < min(0.2, errors[0][1] / 3)
