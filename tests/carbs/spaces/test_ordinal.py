"""Ordered choices."""

from __future__ import annotations

import numpy as np
import pytest

from carbs import CARBS, CarbsError, ObservationInParam, OrdinalSpace, Param, SearchSpace

SIZES = OrdinalSpace(("small", "medium", "large", "huge"))


def test_neighbours_are_equally_far_apart_in_their_order() -> None:
    coordinates = SIZES.encode(["small", "medium", "large", "huge"])
    assert coordinates.shape == (4, 1)
    assert np.diff(coordinates[:, 0]) == pytest.approx(2 / 3)


def test_any_coordinate_is_the_nearest_choice() -> None:
    coordinates = np.array([[-9.0], [0.3], [0.4], [9.0]])
    assert SIZES.decode(coordinates) == ["small", "small", "medium", "huge"]
    assert SIZES.decode(SIZES.round(coordinates)) == SIZES.decode(coordinates)


def test_search_starts_in_the_middle_or_where_it_is_told() -> None:
    assert SearchSpace((Param("size", SIZES),)).params[0].center == "medium"
    assert CARBS(params=[Param("size", SIZES, "huge")]).suggest().suggestion["size"] == "huge"
    with pytest.raises(CarbsError, match="search_center='giant' must be one of"):
        CARBS(params=[Param("size", SIZES, "giant")])


def test_numbers_stay_the_user_s() -> None:
    space = OrdinalSpace((0, 0.1, 1e6, 2))
    values = space.decode(space.encode([0, 0.1, 1e6, 2]))
    assert values == [0, 0.1, 1e6, 2]
    assert [type(value) for value in values] == [int, float, float, int]


def test_the_model_knows_the_order() -> None:
    """Of twenty choices of which the best is the fifteenth, one is found near it before all have been run."""
    carbs = CARBS(params=[Param("x", OrdinalSpace(tuple(f"c{i}" for i in range(20))))])
    for _ in range(11):
        values = carbs.suggest().suggestion
        carbs.observe(ObservationInParam(values, -abs(int(str(values["x"])[1:]) - 14.0), cost=1.0))
    best = max(carbs.success_observations, key=lambda seen: seen.output)
    assert best.output >= -1


def test_a_million_choices_are_no_burden() -> None:
    carbs = CARBS(params=[Param("x", OrdinalSpace(tuple(range(1_000_000))))])
    for number in range(8):
        carbs.observe(ObservationInParam(carbs.suggest().suggestion, float(number), cost=1.0))
    assert 0 <= float(carbs.suggest().suggestion["x"]) < 1_000_000
