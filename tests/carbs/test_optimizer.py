"""CARBS through its public surface: what must hold whatever the history."""

from __future__ import annotations

import json
import logging
import math
import random
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carbs import (
    CARBS,
    CarbsError,
    CARBSParams,
    CategoricalSpace,
    LinearSpace,
    LogitSpace,
    LogSpace,
    ObservationInParam,
    Param,
    ParamDict,
    Pow2Space,
)

PARAMS = [
    Param("lr", LogSpace(min=1e-5, max=1e-1)),
    Param("batch", Pow2Space(8, 256)),
    Param("layers", LinearSpace(1, 6, is_integer=True)),
    Param("gamma", LogitSpace(0.8, 0.999)),
    Param("optimizer", CategoricalSpace(("adam", "sgd"))),
]
SMALL = [Param("x", LinearSpace(0, 1)), Param("y", LogSpace(1, 100, is_integer=True))]

INPUT: ParamDict = {"x": 0.5, "y": 3}


def nested(depth: int) -> Any:
    value: Any = None
    for _ in range(depth):
        value = [value]
    return value


# No float holds the first two, and Python does not even write the second as digits; nor does it write the third.
EXTREME: dict[str, Any] = {"huge": 10**400, "endless": -(10**5000), "nested": nested(100_000)}


def without_id(suggestion: ParamDict) -> ParamDict:
    return {name: value for name, value in suggestion.items() if name != "suggestion_uuid"}


def run(
    carbs: CARBS, number: int, evaluate: Callable[[ParamDict], tuple[float, float]]
) -> list[tuple[ParamDict, float, float]]:
    rows = []
    for _ in range(number):
        suggestion = carbs.suggest().suggestion
        objective, cost = evaluate(suggestion)
        carbs.observe(ObservationInParam(input=suggestion, output=objective, cost=cost))
        rows.append((suggestion, objective, cost))
    return rows


def bowl(values: ParamDict) -> tuple[float, float]:
    x, y = float(values["x"]), float(values["y"])
    return -((x - 0.7) ** 2) + 0.3 * math.log(y), 1 + y


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


def test_same_history_and_seed_give_the_same_suggestion_in_any_process(tmp_path: Path) -> None:
    carbs = CARBS(CARBSParams(seed=3), PARAMS)
    rng = random.Random(1)
    run(carbs, 12, lambda _: (rng.random(), 1 + rng.random()))
    carbs.suggest("waiting")
    carbs.save(tmp_path / "a.json")
    here = without_id(carbs.suggest(is_suggestion_remembered=False).suggestion)
    assert without_id(carbs.suggest(is_suggestion_remembered=False).suggestion) == here
    code = "import carbs, json, sys; print(json.dumps(carbs.CARBS.load(sys.argv[1]).suggest('i').suggestion))"
    command = [sys.executable, "-c", code, str(tmp_path / "a.json")]
    there = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert without_id(there) == here


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


def test_importing_needs_neither_wandb_nor_torch_nor_sklearn() -> None:
    code = "import sys, carbs; print(sorted({'wandb', 'torch', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_given_center_is_the_first_run_and_early_runs_stay_near() -> None:
    params = [
        Param("n", LogSpace(1e3, 1e12), 1e5),
        Param("t", LogSpace(1e3, 1e12), 1e5),
        Param("z", LinearSpace(), 0.0),
    ]
    dearest = []
    for seed in range(7):
        carbs = CARBS(CARBSParams(seed=seed), params)
        rows = run(carbs, 6, lambda v: (math.log(float(v["n"])) - float(v["z"]) ** 2, float(v["n"]) * float(v["t"])))
        assert without_id(rows[0][0]) == {"n": 1e5, "t": 1e5, "z": 0.0}
        dearest.append(max(cost for _, _, cost in rows) / rows[0][2])
    # The costs of this space span eighteen orders of magnitude, and nothing says at first what drives them.
    assert np.median(dearest) < 30


@pytest.mark.parametrize(
    ("space", "center"),
    [
        (LinearSpace(0, 1), 0.1234567890123456),
        (LinearSpace(), 12345678.901234567),
        (LogSpace(1e-5, 1), 0.00012345678901234567),
        (LogSpace(), 9.87654321098765e20),
        (LogitSpace(), 0.99999999123456789),
        (LinearSpace(0, 2**60, is_integer=True), 2**59 + 1),
        (LogSpace(1, 2**62, is_integer=True), 1234567890123456789),
        (LinearSpace(0, 10, is_integer=True), 4.0),
        (Pow2Space(1, 2**62), 2**61),
    ],
)
def test_the_first_suggestion_is_the_center_to_the_last_digit(
    space: LinearSpace | LogSpace | LogitSpace | Pow2Space, center: float
) -> None:
    params = [Param("x", space, center), Param("other", LinearSpace(0, 1))]
    suggestion = CARBS(params=params).suggest().suggestion
    assert suggestion["x"] == center
    assert type(suggestion["x"]) is (int if space.is_integer else float)


def test_a_center_beside_the_multiples_or_just_out_of_bounds_is_moved_onto_the_nearest_value() -> None:
    params = [
        Param("n", LinearSpace(0, 1000, is_integer=True, rounding_factor=8), 100),
        Param("x", LinearSpace(0, 0.1), float(np.float32(0.1))),
    ]
    assert without_id(CARBS(params=params).suggest().suggestion) == {"n": 96, "x": 0.1}


def test_without_a_center_the_first_runs_spread_over_the_box() -> None:
    carbs = CARBS(params=SMALL)
    x = [float(carbs.suggest().suggestion["x"]) for _ in range(6)]
    assert min(x) < 0.35
    assert max(x) > 0.65


def test_outstanding_suggestions_are_never_repeated() -> None:
    carbs = CARBS(params=PARAMS)
    rng = random.Random(2)
    run(carbs, 10, lambda _: (rng.random(), 1 + rng.random()))
    batch = [json.dumps(without_id(carbs.suggest().suggestion)) for _ in range(16)]
    assert len(set(batch)) == 16
    assert len(carbs.outstanding_suggestions) == 16


def test_a_parallel_batch_spreads_nearly_as_far_as_the_initial_design() -> None:
    carbs = CARBS(params=SMALL)
    run(carbs, 10, bowl)
    points = carbs.space.encode([carbs.suggest().suggestion for _ in range(8)])
    distance = np.linalg.norm(points[:, None] - points[None], axis=2) + 10 * np.eye(8)
    assert np.mean(np.min(distance, axis=1)) > 0.1


def test_observing_or_forgetting_ends_a_suggestion() -> None:
    carbs = CARBS(params=SMALL)
    first, second = carbs.suggest("a").suggestion, carbs.suggest("b").suggestion
    assert set(carbs.outstanding_suggestions) == {"a", "b"}
    carbs.observe(ObservationInParam(first, 1.0, 1.0))
    carbs.forget_suggestion(second)
    carbs.forget_suggestion({"suggestion_uuid": "unknown"})
    assert carbs.outstanding_suggestions == {}
    carbs.remember_suggestion({"x": 0.5, "y": 3}, "c")
    assert carbs.outstanding_suggestions == {"c": {"x": 0.5, "y": 3}}


@pytest.mark.parametrize("suggestion_id", ["", 5, 0, uuid.UUID(int=5), b"a", ["a"]])
def test_an_identifier_that_is_not_a_string_is_refused(suggestion_id: Any) -> None:
    carbs = CARBS(params=SMALL)
    for call in (carbs.suggest, lambda id_: carbs.remember_suggestion({"x": 0.5, "y": 3}, id_)):
        with pytest.raises(CarbsError, match=r"suggestion_id=.*non-empty string"):
            call(suggestion_id)
    assert carbs.outstanding_suggestions == {}


def test_a_suggestion_of_the_same_identifier_is_replaced() -> None:
    carbs = CARBS(params=SMALL)
    carbs.suggest("a")
    second = carbs.suggest("a").suggestion
    assert carbs.outstanding_suggestions == {"a": without_id(second)}
    carbs.remember_suggestion({"x": 0.5, "y": 3}, "a")
    assert carbs.outstanding_suggestions == {"a": {"x": 0.5, "y": 3}}


def test_an_observation_without_an_identifier_ends_no_suggestion() -> None:
    carbs = CARBS(params=SMALL)
    carbs.suggest("None")
    carbs.observe(ObservationInParam({"x": 0.5, "y": 3}, 1.0, 1.0))
    assert set(carbs.outstanding_suggestions) == {"None"}


def test_what_is_handed_out_or_in_may_be_changed_without_changing_the_history() -> None:
    carbs = CARBS(params=SMALL)
    given: ParamDict = {"x": 0.5, "y": 3}
    carbs.observe(ObservationInParam(given, 1.0, 1.0))
    carbs.observe(ObservationInParam(given, is_failure=True))
    carbs.remember_suggestion(given, "a")
    drawn = carbs.suggest("b").suggestion
    expected = {"a": dict(given), "b": without_id(drawn)}
    for handed in (
        given,
        drawn,
        carbs.success_observations[0].input,
        carbs.failure_observations[0].input,
        *carbs.outstanding_suggestions.values(),
    ):
        handed["x"] = 99.0
    carbs.outstanding_suggestions.clear()
    carbs.success_observations.clear()
    assert carbs.success_observations[0].input == carbs.failure_observations[0].input == {"x": 0.5, "y": 3}
    assert carbs.outstanding_suggestions == expected


def test_suggestions_that_are_not_remembered_leave_no_trace() -> None:
    carbs = CARBS(params=SMALL)
    assert "suggestion_uuid" not in carbs.suggest(is_suggestion_remembered=False).suggestion
    assert carbs.outstanding_suggestions == {}


@pytest.mark.parametrize(
    ("observation", "words"),
    [
        (ObservationInParam({"x": 0.5}, 1.0, 1.0), ["'y' is missing"]),
        (ObservationInParam({"x": 2, "y": 5}, 1.0, 1.0), ["'x'", "value 2", "between"]),
        (ObservationInParam({"x": 0.5, "y": 5}, 1.0, 0.0), ["cost=0.0", "positive"]),
        (ObservationInParam({"x": 0.5, "y": 5}, 1.0, math.nan), ["cost=nan"]),
        (ObservationInParam({"x": 0.5, "y": "five"}, "good", -1.0), ["'y'", "output='good'"]),  # type: ignore[arg-type]
    ],
)
def test_a_bad_observation_is_refused_and_changes_nothing(observation: ObservationInParam, words: list[str]) -> None:
    carbs = CARBS(params=SMALL)
    carbs.suggest("a")
    with pytest.raises(CarbsError) as caught:
        carbs.observe(
            ObservationInParam({**observation.input, "suggestion_uuid": "a"}, observation.output, observation.cost)
        )
    assert all(word in str(caught.value) for word in words)
    assert not carbs.success_observations
    assert not carbs.failure_observations
    assert set(carbs.outstanding_suggestions) == {"a"}


@pytest.mark.parametrize("bad", [None, 5, "text", [1], *EXTREME.values()], ids=["None", "5", "text", "list", *EXTREME])
@pytest.mark.parametrize(
    "call",
    [
        lambda bad: CARBS(params=bad),
        lambda bad: CARBS(params=[bad]),
        lambda bad: CARBS(params=[Param(bad, LinearSpace(0, 1)), bad]),
        lambda bad: CARBS(params=[Param("x", bad)]),
        lambda bad: CARBS(bad, SMALL).observe(bad),
        lambda bad: CARBS(params=SMALL).observe(bad),
        lambda bad: CARBS(params=SMALL).observe(ObservationInParam(bad, 1.0, 1.0)),
        lambda bad: CARBS(params=SMALL).observe(ObservationInParam({"x": bad, "y": 3.5}, 1.0, 1.0)),
        lambda bad: CARBS(params=SMALL).remember_suggestion(bad, "a"),
        lambda bad: CARBS(params=SMALL).remember_suggestion(bad, bad),
        lambda bad: CARBS(params=SMALL).forget_suggestion(bad),
        lambda bad: CARBS(params=SMALL).initialize_from_observations(bad),
        lambda bad: CARBS(params=SMALL).warm_start(bad),
    ],
)
def test_whatever_is_given_in_place_of_what_is_wanted_is_a_clear_error(call: Callable[[Any], object], bad: Any) -> None:
    with pytest.raises(CarbsError, match="must"):
        call(bad)


@pytest.mark.parametrize(
    "bad",
    [[1], {"a": 1}, 1j, np.array([1.0, 2.0]), *EXTREME.values()],
    ids=["list", "dict", "complex", "array", *EXTREME],
)
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("output", lambda bad: CARBS(params=SMALL).observe(ObservationInParam(INPUT, bad, 1.0))),
        ("cost", lambda bad: CARBS(params=SMALL).observe(ObservationInParam(INPUT, 1.0, bad))),
        ("is_failure", lambda bad: CARBS(params=SMALL).observe(ObservationInParam(INPUT, 1.0, 1.0, bad))),
        ("value", lambda bad: CARBS(params=SMALL).observe(ObservationInParam({**INPUT, "x": bad}, 1.0))),
        ("search_center", lambda bad: CARBS(params=[Param("x", LinearSpace(), bad)])),
        ("search_center", lambda bad: CARBS(params=[Param("x", CategoricalSpace(("a", "b")), bad)])),
        ("min", lambda bad: CARBS(params=[Param("x", LogSpace(min=bad))])),
        ("max", lambda bad: CARBS(params=[Param("x", LogitSpace(max=bad))])),
        ("scale", lambda bad: CARBS(params=[Param("x", LinearSpace(scale=bad))])),
        ("base", lambda bad: CARBS(params=[Param("x", LogSpace(base=bad))])),
        ("is_integer", lambda bad: CARBS(params=[Param("x", LinearSpace(is_integer=bad))])),
        ("rounding_factor", lambda bad: CARBS(params=[Param("x", LinearSpace(rounding_factor=bad))])),
        ("choice", lambda bad: CARBS(params=[Param("x", CategoricalSpace(("a", "b", bad)))])),
        ("better_direction_sign", lambda bad: CARBSParams(better_direction_sign=bad)),
        ("seed", lambda bad: CARBSParams(seed=bad)),
        ("num_random_samples", lambda bad: CARBSParams(num_random_samples=bad)),
        ("resample_frequency", lambda bad: CARBSParams(resample_frequency=bad)),
        ("initial_search_radius", lambda bad: CARBSParams(initial_search_radius=bad)),
        ("max_suggestion_cost", lambda bad: CARBSParams(max_suggestion_cost=bad)),
        ("for_cost", lambda bad: CARBS(params=SMALL).suggest(for_cost=bad)),
        ("seed", lambda bad: CARBS(params=SMALL).suggest(seed=bad)),
    ],
)
def test_what_is_no_number_that_a_float_holds_is_named(name: str, call: Callable[[Any], object], bad: Any) -> None:
    with pytest.raises(CarbsError, match=name):
        call(bad)


@pytest.mark.parametrize("output", [math.nan, math.inf, -math.inf])
def test_an_objective_that_is_not_finite_is_a_failure(output: float) -> None:
    carbs = CARBS(params=SMALL)
    carbs.observe(ObservationInParam({"x": 0.5, "y": 5}, output, 3.0))
    assert len(carbs.failure_observations) == 1
    assert not carbs.success_observations


def observations(draw: Callable[[Any], Any]) -> list[tuple[float, float, bool]]:
    objective = st.sampled_from([0.0, 1.0, 1e12, -1e12, 1e-12, 3.5, math.nan]) | st.floats(-1e3, 1e3)
    cost = st.sampled_from([1e-12, 1.0, 1e12]) | st.floats(1e-3, 1e3)
    return draw(st.lists(st.tuples(objective, cost, st.booleans()), max_size=14))  # type: ignore[no-any-return]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
    assert (output.log["kind"] == "random") == (num_awaited > 0)
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
    assert not awaited or output.log["reason"] == f"{awaited} more runs are needed before the model suggests"


HARD: dict[str, Callable[[int], tuple[float, float]]] = {
    "constant objective": lambda i: (1.0, 1.0 + i),
    "constant cost": lambda i: (float(i % 5), 1.0),
    "constant both": lambda _: (2.0, 3.0),
    "huge objectives": lambda i: (1e12 * math.sin(i), 1.0 + i),
    "tiny objectives": lambda i: (1e-12 * math.sin(i), 1.0 + i),
    "objectives whose squares overflow": lambda i: (1e200 * math.sin(i), 1.0 + i),
    "objectives at both ends of the floats": lambda i: ((-1) ** i * 1.7e308, 1.0 + i),
    "objectives whose squares vanish": lambda i: (1e-200 * math.sin(i), 1.0 + i),
    "costs equal up to rounding": lambda i: (math.sin(i), 3.0 * (1 + 1e-12 * (i % 3))),
    "huge and tiny costs": lambda i: (math.sin(i), 10.0 ** (12 * math.sin(2 * i))),
    "ties": lambda i: (float(i % 2), float(1 + i % 2)),
}


@pytest.mark.parametrize("evaluate", HARD.values(), ids=HARD.keys())
def test_hard_histories_keep_the_model_in_use(
    evaluate: Callable[[int], tuple[float, float]], caplog: pytest.LogCaptureFixture
) -> None:
    carbs = CARBS(params=PARAMS)
    for i in range(20):
        output = carbs.suggest()
        carbs.observe(ObservationInParam(output.suggestion, *evaluate(i)))
    assert output.log["kind"] in ("model", "resample")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


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


def test_ten_identical_outstanding_suggestions_do_no_harm() -> None:
    carbs = CARBS(params=SMALL)
    run(carbs, 8, bowl)
    for i in range(10):
        carbs.remember_suggestion({"x": 0.25, "y": 7}, str(i))
    output = carbs.suggest()
    assert output.log["kind"] in ("model", "resample")
    assert without_id(output.suggestion) != {"x": 0.25, "y": 7}


def test_only_failures_move_the_search_away_from_them() -> None:
    carbs = CARBS(params=[Param("x", LogSpace(1e-6, 1e6), 1.0), Param("y", LinearSpace(), 0.0)])
    points = []
    for _ in range(20):
        suggestion = carbs.suggest().suggestion
        points.append(abs(math.log10(float(suggestion["x"]))) + abs(float(suggestion["y"])))
        carbs.observe(ObservationInParam(suggestion, is_failure=True))
    assert max(points[10:]) > 2 * max(points[:4])


def test_the_success_model_learns_where_runs_fail() -> None:
    carbs = CARBS(params=SMALL)
    failed = []
    for _ in range(40):
        suggestion = carbs.suggest().suggestion
        is_failure = float(suggestion["x"]) > 0.8
        failed.append(is_failure)
        carbs.observe(ObservationInParam(suggestion, *bowl(suggestion), is_failure=is_failure))
    assert sum(failed[20:]) <= 1


def test_nothing_is_suggested_above_the_cost_cap() -> None:
    carbs = CARBS(CARBSParams(max_suggestion_cost=20.0), SMALL)
    rows = run(carbs, 25, bowl)
    assert all(cost <= 22 for _, _, cost in rows[10:])


def test_the_cost_cap_holds_for_the_first_runs_too_once_costs_are_known() -> None:
    carbs = CARBS(CARBSParams(max_suggestion_cost=20.0, num_random_samples=20), SMALL)
    rows = run(carbs, 20, bowl)
    assert all(cost <= 22 for _, _, cost in rows[5:])


def test_a_cap_below_everything_seen_is_told_and_leads_to_cheap_runs() -> None:
    carbs = CARBS(CARBSParams(max_suggestion_cost=1e-6), SMALL)
    run(carbs, 8, bowl)
    output = carbs.suggest()
    assert "reason" in output.log
    assert float(output.suggestion["y"]) <= 3


def test_a_small_space_is_exhausted_before_anything_is_repeated() -> None:
    params = [Param("k", LinearSpace(1, 3, is_integer=True)), Param("c", CategoricalSpace(("a", "b")))]
    carbs = CARBS(CARBSParams(num_random_samples=2, resample_frequency=0), params)
    rows = run(carbs, 6, lambda v: (float(v["k"]), float(v["k"])))
    assert len({(row[0]["k"], row[0]["c"]) for row in rows}) == 6
    again = carbs.suggest()
    assert again.log["kind"] == "resample"
    assert "has been tried" in again.log["reason"]


def test_resampling_is_limited_and_can_be_switched_off() -> None:
    def noisy(frequency: int) -> int:
        rng = np.random.default_rng(0)
        carbs = CARBS(CARBSParams(resample_frequency=frequency), SMALL)
        return sum(
            carbs.suggest().log["kind"] == "resample"
            for _ in run(carbs, 30, lambda v: (bowl(v)[0] + rng.normal(), bowl(v)[1]))
        )

    assert noisy(0) == 0


def test_checkpoints_keep_everything_and_are_json(tmp_path: Path) -> None:
    carbs = CARBS(CARBSParams(better_direction_sign=-1, max_suggestion_cost=50.0), PARAMS)
    rng = random.Random(4)
    run(carbs, 7, lambda _: (rng.random(), 1 + rng.random()))
    carbs.observe(ObservationInParam(carbs.suggest().suggestion, is_failure=True))
    carbs.suggest("waiting")
    path = tmp_path / "carbs.json"
    carbs.save(path)
    again = CARBS.load(path)
    assert json.loads(path.read_text())["schema_version"] == 1
    assert again.config == carbs.config
    assert again.params == carbs.params
    assert again.success_observations == carbs.success_observations
    assert [o.input for o in again.failure_observations] == [o.input for o in carbs.failure_observations]
    assert again.outstanding_suggestions == carbs.outstanding_suggestions
    assert list(tmp_path.iterdir()) == [path]


def test_numpy_values_become_plain_and_can_be_saved(tmp_path: Path) -> None:
    single: Any = np.float32
    whole: Any = np.int64
    true: Any = np.bool_(True)
    params = [
        Param("x", LinearSpace(single(0), np.float64(1), scale=single(0.5)), single(0.5)),
        Param("n", LogSpace(whole(1), whole(64), is_integer=true, base=single(2)), whole(4)),
        Param("c", CategoricalSpace((true, np.str_("a"), whole(3), single(0.5))), true),
        Param("d", CategoricalSpace(np.array(["u", "v"]))),  # type: ignore[arg-type]
    ]
    config = CARBSParams(better_direction_sign=whole(-1), seed=whole(3), max_suggestion_cost=single(50))
    carbs = CARBS(config, params)
    values = {"x": single(0.25), "n": whole(8), "c": true, "d": np.str_("u")}
    carbs.observe(ObservationInParam(values, single(1), np.float64(2)))
    carbs.observe(ObservationInParam(values, is_failure=true))
    carbs.remember_suggestion(values, np.str_("waiting"))
    carbs.save(tmp_path / "carbs.json")
    again = CARBS.load(tmp_path / "carbs.json")
    assert again.params == carbs.params
    assert again.config == carbs.config
    assert again.success_observations == carbs.success_observations
    plain = {"x": 0.25, "n": 8, "c": True, "d": "u"}
    seen = [run.input for run in (*carbs.success_observations, *carbs.failure_observations)]
    for stored in (*seen, carbs.outstanding_suggestions["waiting"]):
        assert {name: (type(value), value) for name, value in stored.items()} == {
            name: (type(value), value) for name, value in plain.items()
        }
    assert {type(carbs.success_observations[0].output), type(carbs.success_observations[0].cost)} == {float}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema_version": 2}',
        '{"schema_version": 1, "params": 3, "config": {}}',
        '{"schema_version": 1, "params": "abc", "config": {}}',
        "\x00\xff\xfe",
        "9" * 5000,
        "[" * 100_000,
        '{"schema_version":' + "[" * 900 + "]" * 900 + "}",
    ],
    ids=lambda text: text[:20],
)
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "carbs.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(CarbsError, match="not a"):
        CARBS.load(path)


@pytest.mark.parametrize("member", ["params", "config", "successes", "failures", "outstanding"])
@pytest.mark.parametrize("bad", [None, 5, "text", [5], [[]], {"a": 5}, {"self": 1}, [{}], [{"input": 5}], nested(500)])
def test_a_checkpoint_with_a_member_of_the_wrong_type_is_refused(tmp_path: Path, member: str, bad: Any) -> None:
    path = tmp_path / "carbs.json"
    CARBS(params=SMALL).save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), member: bad}))
    with pytest.raises(CarbsError):
        CARBS.load(path)


def test_a_warm_start_takes_what_fits() -> None:
    old = CARBS(params=SMALL)
    run(old, 10, bowl)
    new = CARBS(params=[SMALL[0], Param("y", LogSpace(1, 10, is_integer=True)), Param("z", LinearSpace(0, 1), 0.25)])
    added = new.warm_start(old)
    assert added == sum(float(o.input["y"]) <= 10 for o in old.success_observations) > 0
    assert {o.input["z"] for o in new.success_observations} == {0.25}
    with pytest.raises(CarbsError, match="better_direction_sign"):
        CARBS(CARBSParams(better_direction_sign=-1), SMALL).warm_start(old)


def test_legacy_options_warn_and_unknown_ones_are_refused() -> None:
    with pytest.warns(DeprecationWarning, match="exploration_bias"):
        CARBSParams(exploration_bias=1.0, is_wandb_logging_enabled=False)
    with pytest.raises(CarbsError, match="unknown option 'explore'"):
        CARBSParams(explore=1.0)
    with pytest.raises(CarbsError, match="3 problems"):
        CARBSParams(better_direction_sign=0, seed=-1, num_random_samples=0)
    with pytest.raises(CarbsError, match="CARBSParams"):
        CARBS(SMALL)  # type: ignore[arg-type]


def test_a_model_that_fails_after_thousands_of_runs_is_told_and_survived(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from carbs.search import most_gain

    def fail(*_: object) -> None:
        raise np.linalg.LinAlgError("singular")

    carbs = CARBS(params=[Param("x", LinearSpace(0, 1), 0.5), Param("y", LogSpace(1, 100, is_integer=True), 10)])
    for i in range(1100):
        carbs.observe(ObservationInParam({"x": i / 1100, "y": 1 + i % 100}, float(i % 7), 1.0))
    monkeypatch.setattr(most_gain, "propose", fail)
    output = carbs.suggest()
    assert output.log["kind"] == "random"
    assert "singular" in output.log["reason"]
    assert "singular" in caplog.text


@pytest.mark.parametrize("seed", range(3))
def test_no_guess_costs_many_times_what_was_seen_although_all_runs_so_far_were_cheap(seed: int) -> None:
    others = [Param(f"x{i}", LinearSpace(0, 1), 0.5) for i in range(4)]
    carbs = CARBS(CARBSParams(seed=seed), [Param("n", LogSpace(1, 1e4), 10.0), *others])
    costs: list[float] = []
    for _ in range(20):
        output = carbs.suggest()
        cost = float(output.suggestion["n"])
        if output.log["kind"] != "random":
            assert cost <= 4 * max(2 * max(costs), 0.3 * sum(costs))
        misses = sum((float(output.suggestion[param.name]) - 0.4) ** 2 for param in others)
        carbs.observe(ObservationInParam(output.suggestion, math.log(cost) - 3 * misses, cost))
        costs.append(cost)
    assert max(costs) > 300


@pytest.mark.parametrize("space", [LinearSpace(0.5, 1.5, is_integer=True), LogSpace(1, 1.5, is_integer=True)])
def test_a_space_of_one_value_suggests_that_value(space: LinearSpace | LogSpace) -> None:
    assert CARBS(params=[Param("n", space)]).suggest().suggestion["n"] == 1


def test_rounding_in_a_space_of_powers_of_two_is_refused() -> None:
    with pytest.raises(CarbsError, match="rounding_factor=3"):
        CARBS(params=[Param("n", Pow2Space(1, 64, rounding_factor=3))])


def test_a_failure_does_not_lift_the_limit_of_early_draws() -> None:
    params = [Param(f"p{i}", LogSpace(1e-3, 1e3), 1.0) for i in range(4)]
    carbs = CARBS(CARBSParams(seed=9), params)
    for place in range(7):
        suggestion = carbs.suggest().suggestion
        cost = math.prod(float(suggestion[param.name]) for param in params)
        assert cost < 100
        carbs.observe(ObservationInParam(suggestion, math.log(cost), cost, is_failure=place == 1))


@pytest.mark.parametrize("seed", range(3))
def test_an_open_space_is_climbed_not_descended(seed: int) -> None:
    params = [Param("n", LogSpace(), 1000.0), Param("rate", LogSpace(), 1e-3), Param("x", LinearSpace(0, 1), 0.3)]
    carbs = CARBS(CARBSParams(seed=seed), params)
    rng = np.random.default_rng(seed)
    costs: list[float] = []
    for _ in range(40):
        suggestion = carbs.suggest().suggestion
        n, rate, x = (float(suggestion[param.name]) for param in params)
        loss = n**-0.3 + 0.05 * (math.log10(rate) + 2) ** 2 + 0.3 * (x - 0.5) ** 2 + 0.003 * rng.standard_normal()
        carbs.observe(ObservationInParam(suggestion, -loss, n))
        costs.append(n)
    assert max(costs) > 1e6
    assert min(costs) > 1  # the centre costs 1000; ever cheaper runs would "gain" at ever lower costs


def test_workers_do_not_climb_on_one_anothers_shoulders() -> None:
    workers = 16
    rng = np.random.default_rng(workers)
    x = [Param(name, LinearSpace(0, 1), 0.5) for name in ("x", "y")]
    carbs = CARBS(params=[Param("n", LogSpace(1, 1e9), 1), *x])
    running: list[ParamDict] = []
    observed: list[float] = []
    for i in range(64):
        output = carbs.suggest(seed=str(i))
        cost = float(output.suggestion["n"])
        # Eight times what was observed, two steps being for what runs already; and twice that if the prediction errs.
        if observed and output.log["kind"] != "random":
            assert cost <= max(20 * max(observed), 0.75 * sum(observed))
        running.append(output.suggestion)
        if len(running) == workers:
            done = running.pop(0)
            shortfall = sum((float(done[name]) - 0.4) ** 2 for name in ("x", "y"))
            cost = float(done["n"]) * rng.lognormal(0.0, 0.02)
            observed.append(cost)
            carbs.observe(ObservationInParam(done, math.log(cost) - 3 * shortfall, cost))
    assert max(observed) > 16


@pytest.mark.parametrize("seed", [0, 2, 7])
def test_workers_that_start_in_a_cheap_corner_do_not_take_the_whole_space_for_cheap(seed: int) -> None:
    rates = [Param(f"rate{i}", LogSpace(1e-5, 1e-1), 1e-3) for i in range(3)]
    carbs = CARBS(CARBSParams(seed=seed), [Param("n", LogSpace(1, 1e6), 2.0), *rates])
    rng = np.random.default_rng(seed)
    running: list[tuple[float, ParamDict]] = []
    everything = 0.0
    for i in range(32):
        suggestion = carbs.suggest(seed=str(i)).suggestion
        cost = float(suggestion["n"]) * rng.lognormal(0.0, 0.1)
        assert i < 8 or cost < 2 * everything
        everything += cost
        running.append((cost, suggestion))
        if len(running) == 8:
            cost, done = running.pop(int(np.argmin([cost for cost, _ in running])))
            shortfall = sum((math.log10(float(done[param.name])) + 2) ** 2 for param in rates)
            carbs.observe(ObservationInParam(done, -(cost**-0.2) - 0.02 * shortfall, cost))


def test_many_first_runs_at_once_stay_affordable_in_many_dimensions() -> None:
    params = [Param(f"p{i}", LogSpace(1e-3, 1e3), 1.0) for i in range(8)]
    for seed in range(12):
        carbs = CARBS(CARBSParams(seed=seed), params)
        suggestions = [without_id(carbs.suggest(seed=str(i)).suggestion) for i in range(16)]
        assert max(math.prod(float(value) for value in suggestion.values()) for suggestion in suggestions) < 100
