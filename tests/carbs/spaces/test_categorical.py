"""Choices: any JSON value, found and given back as they are."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest

from carbs import CARBS, CarbsError, CategoricalSpace, ObservationInParam, OrdinalSpace, Param, SearchSpace

CHOICES: list[Any] = [None, "cosine", [128, 128], [[64], [32, 16]], True, 1, 0.5, []]


@pytest.mark.parametrize("kind", [CategoricalSpace, OrdinalSpace])
def test_json_values_come_back_as_they_are(kind: type[CategoricalSpace | OrdinalSpace]) -> None:
    space = kind(tuple(CHOICES))
    assert space.problems() == []
    found = space.decode(space.encode(CHOICES))
    assert found == CHOICES
    assert [type(value) for value in found] == [type(value) for value in CHOICES]


@pytest.mark.parametrize("kind", [CategoricalSpace, OrdinalSpace])
def test_choices_survive_json(kind: type[CategoricalSpace | OrdinalSpace]) -> None:
    param = Param("layers", kind(tuple(CHOICES)), [128, 128])
    assert Param.from_dict(json.loads(json.dumps(param.to_dict()))) == param


def test_a_list_that_is_given_back_is_a_copy() -> None:
    space = CategoricalSpace(([1], [2]))
    given: Any = space.decode(space.encode([[2]]))[0]
    given.append(3)
    assert space.choices == ([1], [2])


def test_tuples_and_arrays_are_the_lists_that_json_makes_of_them() -> None:
    space = CategoricalSpace(((128, 128), np.array([256, 256])))
    assert space.choices == ([128, 128], [256, 256])
    assert space.problem_with((256, 256)) is None
    assert SearchSpace((Param("layers", space),)).select({"layers": (256, 256)}) == {"layers": [256, 256]}


@pytest.mark.parametrize("value", [np.float32(0.1), float(np.float32(0.1)), np.float16(0.1), np.float64(0.1)])
def test_a_shorter_float_finds_its_choice(value: Any) -> None:
    space = SearchSpace((Param("dropout", CategoricalSpace((0.1, 0.2, "none"))),))
    assert space.problems_with({"dropout": value}) == []
    assert space.select({"dropout": value}) == {"dropout": 0.1}


def test_choices_that_differ_in_64_bits_alone_are_told_apart() -> None:
    space = CategoricalSpace((0.1, float(np.float32(0.1))))
    assert space.problems() == []
    assert space.decode(space.encode([0.1, float(np.float32(0.1))])) == [0.1, float(np.float32(0.1))]


@pytest.mark.parametrize("value", [{"a": 1}, float("nan"), 1e300, [1, 2], "0.1", None])
def test_what_is_no_choice_is_a_problem(value: Any) -> None:
    assert CategoricalSpace((0.1, [1])).problem_with(value) == "must be one of [0.1, [1]]"


@pytest.mark.parametrize("choice", [{"a": 1}, [{"a": 1}], float("inf"), object(), [float("nan")]])
def test_what_json_lacks_or_merges_is_refused(choice: Any) -> None:
    with pytest.raises(CarbsError, match="must be a string, a finite number, a boolean, None or a list of these"):
        CARBS(params=[Param("x", CategoricalSpace(("a", choice)))])


def test_an_object_is_refused_with_what_to_write() -> None:
    rule = "name the objects, as in ['small', 'large'], and let the program look the name up"
    space = CategoricalSpace(({"width": 8}, {"width": 64}, "x"))
    assert [(problem.value, problem.rule.endswith(rule)) for problem in space.problems()] == [
        ({"width": 8}, True),
        ({"width": 64}, True),
    ]
    [problem] = CategoricalSpace(("x", float("nan"))).problems()
    assert problem.rule.endswith("None or a list of these")


def test_equal_lists_are_one_choice() -> None:
    with pytest.raises(CarbsError, match="must differ"):
        CARBS(params=[Param("x", CategoricalSpace(([1, 2.0], (1.0, 2))))])


def test_a_search_among_lists_learns() -> None:
    carbs = CARBS(params=[Param("layers", CategoricalSpace((None, [64], [64, 64])))])
    for _ in range(9):
        values = carbs.suggest().suggestion
        carbs.observe(ObservationInParam(values, 1.0 if values["layers"] == [64, 64] else 0.0, cost=1.0))
    assert {str(seen.input["layers"]) for seen in carbs.success_observations} == {"None", "[64]", "[64, 64]"}


def test_thousands_of_choices_take_no_square_of_memory() -> None:
    space = CategoricalSpace(tuple(range(5000)))
    tracemalloc.start()
    try:
        assert space.decode(space.round(space.encode([4999]))) == [4999]
        assert tracemalloc.get_traced_memory()[1] < 20e6  # 5000^2 floats are 200 MB
    finally:
        tracemalloc.stop()


def test_too_many_choices_are_an_error_that_names_the_way_out() -> None:
    with pytest.raises(CarbsError, match=r"40000 values, and at most 5000 .* OrdinalSpace"):
        CARBS(params=[Param("x", CategoricalSpace(tuple(range(40_000))))])


@pytest.mark.parametrize("choice", [True, "a", 3, 0.5])
def test_a_numpy_value_is_the_choice_that_it_equals(choice: Any) -> None:
    space = CategoricalSpace(("other", choice))
    numpy_choice = np.array([choice])[0]
    assert space.problem_with(numpy_choice) is None
    assert space.decode(space.encode([numpy_choice])) == [choice]
    assert CategoricalSpace(("other", numpy_choice)) == space
