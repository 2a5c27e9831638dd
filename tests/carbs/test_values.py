"""Values as users write them: numpy's scalars, numbers that no float holds, and foreign objects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

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
)
from searches import EXTREME, INPUT, SMALL


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


@pytest.mark.parametrize("bad", [{"a": 1}, 1j, [1j], *EXTREME.values()], ids=["dict", "complex", "in a list", *EXTREME])
def test_what_is_no_json_value_cannot_be_a_choice(bad: Any) -> None:
    with pytest.raises(CarbsError, match="choice"):
        CARBS(params=[Param("x", CategoricalSpace(("a", "b", bad)))])
