"""An entry of a sweep's parameters, in our form or in W&B's, is understood or explained."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from carbs import CarbsError, CategoricalSpace, LinearSpace, LogSpace, OrdinalSpace, Param
from wandb_carbs import create_sweep
from wandb_carbs.sweep.distributions import space_of


def test_search_center_is_taken_with_any_form() -> None:
    settings = {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-1, "search_center": 1e-3}
    found = space_of({"parameters": {"x": settings}})
    assert found.params == (Param("x", LogSpace(1e-5, 1e-1), 1e-3),)


@pytest.mark.parametrize(
    ("settings", "space"),
    [
        ({"values": np.array([0.1, 0.2])}, OrdinalSpace((0.1, 0.2))),
        ({"values": range(3, 6)}, OrdinalSpace((3, 4, 5))),
        ({"values": (Path("a"), np.str_("b"))}, CategoricalSpace(("a", "b"))),
        ({"space": "ordinal", "choices": range(3, 6)}, OrdinalSpace((3, 4, 5))),
        ({"min": np.int64(1), "max": np.float32(4)}, LinearSpace(1, 4.0)),
    ],
)
def test_values_of_python_s_own_types_are_taken_for_what_they_hold(settings: dict[str, Any], space: Any) -> None:
    assert space_of({"parameters": {"x": settings}}).params == (Param("x", space),)


def test_a_path_or_a_number_of_numpy_may_be_a_constant() -> None:
    parameters = {"x": {"value": Path("a")}, "y": {"value": np.int64(3)}, "z": {"value": {"w": np.array([1])}}}
    constants = space_of({"parameters": parameters}, may_be_constant=True).constants
    assert json.loads(json.dumps(constants)) == {"x": "a", "y": 3, "z": {"w": [1]}}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"values": {16}}, "values={16} must be a list, not of type set: write `list(…)`, or `sorted(…)`"),
        ({"space": "categorical", "choices": {"a": 1}.keys()}, "must be a list, not of type dict_keys"),
        ({"value": date(2024, 1, 1)}, "value=datetime.date(2024, 1, 1) must be text, a number, a boolean, None, or a"),
        ({"values": [1, object]}, "must be text, a number, a boolean, None, or a list or mapping of these"),
    ],
)
def test_what_json_cannot_hold_is_a_problem_of_its_parameter(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(CarbsError) as caught:
        create_sweep("s", None, "p", parameters={"x": settings, "lr": {"min": 0.1, "max": 1.0}})
    assert "parameter 'x': " in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["seed", "train.seed", "random-seed", "random_state", "Seeds"])
@pytest.mark.parametrize("settings", [{"values": [8, 9]}, {"space": "linear", "min": 0, "max": 1000}])
def test_a_seed_that_is_searched_is_noted(name: str, settings: Any) -> None:
    [note] = space_of({"parameters": {name: settings}}).notes
    assert note.startswith(f"parameter {name!r}: a seed is searched like any other")


@pytest.mark.parametrize(("name", "settings"), [("seed", {"value": 8}), ("seed_length", {"min": 1, "max": 9})])
def test_a_constant_seed_and_other_names_are_not_noted(name: str, settings: Any) -> None:
    parameters = {name: settings, "x": {"min": 0.0, "max": 1.0}}
    assert space_of({"parameters": parameters}).notes == ()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (None, ["is empty", "`{space: log, min: 1e-4, max: 1e-2}`"]),
        (3, ["not 3", "write `{value: 3}`"]),
        ([1, 2], ["write `{values: [1, 2]}`"]),
        ({}, ["is empty"]),
        ({"min": 0.1}, ["'max' is missing", "`{space: log, min: 0.1, max: 10}`"]),
        ({"max": 5.0}, ["'min' is missing"]),
        ({"min": 2, "max": 1}, ["min=2 must not be above max=1", "write min: 1, max: 2"]),
        ({"min": "a", "max": 1}, ["min='a' must be a finite number"]),
        (
            {"distribution": "loguniform", "min": 1e-4, "max": 1e-2},
            ["'log_uniform'", "`{space: log, min: 0.0001, max: 0.01}`"],
        ),
        (
            {"distribution": "log_uniform_values", "min": 0, "max": 1},
            ["min=0 must be positive", "`{space: log, min: 0.01, max: 1}`"],
        ),
        ({"distribution": "log_uniform", "min": 1e-5, "max": 1e5}, ["exponents of e"]),
        ({"distribution": "uniform", "max": 1}, ["needs 'min'"]),
        ({"distribution": "constant"}, ["needs 'value'"]),
        (
            {"distribution": "uniform", "values": [0.1, 0.3, 0.2]},
            [
                "'distribution' uniform needs 'min', and 'values' is given: leave 'distribution' out, or write `",
                "tion: categorical`",
            ],
        ),
        (
            {"distribution": "constant", "values": [1, 2]},
            [
                "'distribution' constant needs 'value', and 'values' is given: leave 'distribution' out, or write `",
                "tion: categorical`",
            ],
        ),
        (
            {"distribution": "categorical", "min": 1, "max": 3},
            [
                "categorical needs 'values', and 'min' and 'max' are given: leave 'distribution' out",
                "`distribution: int_uniform`",
            ],
        ),
        ({"distribution": "normal", "sigma": 0}, ["sigma=0 must be positive"]),
        ({"distribution": "q_uniform", "min": 9, "max": 15, "q": 8}, ["q=8 leaves no multiple"]),
        (
            {"distribution": "q_log_uniform_values", "min": 1e-5, "max": 3e-3},
            ["q=1 leaves no", "min: 1e-05, max: 0.003"],
        ),
        ({"min": "10^-5", "max": 1}, ["min='10^-5' must be a number: write 1e-05"]),
        ({"space": "log", "min": "1/8", "max": 1}, ["min='1/8' must be a number: write 0.125"]),
        ({"space": "linear", "min": "0,5", "max": 1}, ["write 0.5"]),
        ({"min": 0, "max": "50 %"}, ["write 0.5"]),
        ({"min": "2**-3", "max": 1}, ["write 0.125"]),
        ({"min": "1,000", "max": 1}, ["min='1,000' must be a finite number"]),
        ({"min": "9**9**9", "max": 1}, ["must be a finite number"]),
        ({"min": "9**999999", "max": 1}, ["must be a finite number"]),
        ({"min": "1/0", "max": 1}, ["must be a finite number"]),
        ({"values": "adam, sgd"}, ["must be a list: write `values: [adam, sgd]`"]),
        ({"values": []}, ["at least one value"]),
        ({"values": {"a": 1}}, ["must be a list"]),
        ({"values": [{"a": 1}, "b"]}, ["must be a string, a finite number"]),
        ({"minimum": 0, "max": 1}, ["unknown key 'minimum'", "write 'min'"]),
        ({"lr": {"space": "log"}}, ["`{parameters: {lr: …}}`", "`x.lr`"]),
        ({"choices": [1, 2]}, ["'space' is missing"]),
        ({"space": "linera", "min": 0, "max": 1}, ["did you mean 'linear'"]),
        ({"space": "linear", "min": 0, "max": 1, "integer": True}, ["unknown key 'integer'", "write 'is_integer'"]),
        ({"space": "log", "min": 1e-5, "max": 1, "center": 1e-3}, ["write 'search_center'"]),
        ({"space": "categorical", "values": ["a", "b"]}, ["unknown key 'values'", "write 'choices'"]),
        ({"space": "categorical"}, ["'choices' is missing"]),
        ({"space": "LogSpace", "min": 1e-3, "max": 1}, ["did you mean 'log'"]),
        ({"space": "log_uniform", "min": 1e-3, "max": 1}, ["`distribution: log_uniform`"]),
        ({"type": "log", "min": 1e-3, "max": 1}, ["unknown key 'type'", "write 'space'"]),
    ],
)
def test_an_unclear_entry_is_an_error_that_names_the_replacement(settings: Any, words: list[str]) -> None:
    with pytest.raises(CarbsError) as caught:
        space_of({"parameters": {"x": settings}})
    [problem] = caught.value.problems
    assert problem.place == "parameter 'x'"
    for word in ("parameter 'x': ", *words):
        assert word in str(caught.value)
