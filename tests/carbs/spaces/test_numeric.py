"""Spaces of numbers: search coordinates and back, bounds, rounding, scales, errors."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbs import (
    CarbsError,
    CategoricalSpace,
    LinearSpace,
    LogitSpace,
    LogSpace,
    Param,
    Pow2Space,
    SearchSpace,
    Space,
)
from carbs.spaces.numeric import NumericSpace
from every_space import spaces

INF = math.inf


def is_legal(space: Space, value: Any) -> bool:
    return space.problem_with(value) is None


@spaces
@given(data=st.data())
def test_any_point_decodes_to_a_legal_plain_value_and_round_trips(space: Space, data: st.DataObject) -> None:
    coordinate = st.floats(-50, 50)
    point = np.array([data.draw(st.lists(coordinate, min_size=space.width, max_size=space.width))])
    value = space.decode(point)[0]
    assert type(value) in (int, float, str, bool)
    assert is_legal(space, value)
    again = space.decode(space.encode([value]))[0]
    assert again == value if not isinstance(value, float) else again == pytest.approx(value, rel=1e-9)


@spaces
@given(data=st.data())
def test_rounding_is_where_decoding_leads_and_is_idempotent(space: Space, data: st.DataObject) -> None:
    point = np.array([data.draw(st.lists(st.floats(-5, 5), min_size=space.width, max_size=space.width))])
    rounded = space.round(point)
    assert rounded == pytest.approx(space.encode(space.decode(point)), abs=1e-9)
    assert space.round(rounded) == pytest.approx(rounded, abs=1e-9)


@pytest.mark.parametrize(
    "bounds",
    [
        LinearSpace(min=-3, max=5.5),
        LinearSpace(min=0.5, max=7.5, is_integer=True),
        LogSpace(min=1e-12, max=1e300),
        LogitSpace(min=1e-9, max=1 - 1e-9),
        LogSpace(min=0, max=10),
        LinearSpace(min=0, scale=1e-3),
    ],
    ids=repr,
)
@given(data=st.data())
def test_within_finite_bounds_no_coordinate_has_to_be_looked_at(bounds: NumericSpace, data: st.DataObject) -> None:
    """Values of a whole history are checked again and again; the long way finds the same."""
    fast, slow = replace(bounds), replace(bounds)
    slow.__dict__["_is_closed"] = False
    low, high = (end if math.isfinite(end) else 1e300 for end in (bounds.min, bounds.max))
    value = data.draw(st.floats(low, high) | st.sampled_from([low, high, low * (1 - 1e-9), high * (1 + 1e-9)]))
    assert fast.problem_with(value) == slow.problem_with(value)


@spaces
def test_default_center_is_legal(space: Space) -> None:
    assert is_legal(space, space.default_center)


def test_bounded_spaces_are_two_units_wide() -> None:
    for space in (LinearSpace(3, 5), LogSpace(1e-9, 1e3), LogitSpace(0.1, 0.9), Pow2Space(2, 1024)):
        low, high = space.coordinate_bounds
        assert high - low == pytest.approx(2.0)


def test_integers_near_their_smallest_value_can_move_by_a_step_of_the_initial_radius() -> None:
    for space in (LinearSpace(min=1, is_integer=True), LogSpace(min=1, max=64, is_integer=True), Pow2Space(1, 64)):
        settled = space.scaled_around(1)
        start = settled.encode([1])
        assert settled.decode(start + 0.35) != [1]


def test_an_open_linear_space_is_scaled_by_its_search_center() -> None:
    assert LinearSpace(min=0).scaled_around(5000).resolved_scale == 5000
    assert LinearSpace(min=0, scale=7).scaled_around(5000).resolved_scale == 7


def test_rounding_factor_gives_way_to_the_bounds() -> None:
    space = LinearSpace(min=5, max=30, is_integer=True, rounding_factor=8)
    assert space.decode(np.array([[-10.0], [0.9], [10.0]])) == [8, 8, 30]


@pytest.mark.parametrize(
    ("param", "words"),
    [
        (Param("x", LinearSpace(min=3, max=1)), ["'x'", "min=3", "max=1"]),
        (Param("x", LogSpace(min=0, max=9, is_integer=True)), ["min=0", "at least 1"]),
        (Param("x", LogSpace(min=-1, max=9)), ["min=-1", "negative"]),
        (Param("x", LinearSpace(0, 1), 2), ["search_center=2", "between"]),
        (Param("x", LogSpace(), 0.0), ["search_center=0.0", "open end"]),
        (Param("x", LinearSpace(0.2, 0.8, is_integer=True)), ["no whole number"]),
        (Param("x", LinearSpace(math.nan, 1)), ["min=nan"]),
        (Param("x", LinearSpace(0, 1, scale=0)), ["scale=0"]),
        (Param("x", LinearSpace(0, 1, rounding_factor=0)), ["rounding_factor=0"]),
        (Param("x", LinearSpace(0, 9, is_integer="1")), ["is_integer='1'", "True or False"]),  # type: ignore[arg-type]
        (Param("x", LinearSpace(0, 9, rounding_factor=True)), ["rounding_factor=True"]),
        (Param("x", LogitSpace(0, 2)), ["0..1"]),
        (Param("x", Pow2Space(3, 8)), ["min=3", "power of two"]),
        (Param("x", Pow2Space(-INF, 8)), ["min=-inf", "power of two"]),
        (Param("x", Pow2Space(1, 2**63)), ["max=9223372036854775808", "must lie in 1..4.6"]),
        (Param("x", LogSpace(1, 2, base=INF)), ["base=inf", "finite"]),
        (Param("x", LinearSpace(-1e308, 1e308)), ["min=-1e+308", "max=1e+308", "must lie in -1e+300..1e+300"]),
        (Param("x", LogSpace(1e-305, 1)), ["min=1e-305", "must lie in 1e-300..1e+300"]),
        (Param("x", LogitSpace(0.5, 1 - 1e-16)), ["max=0.9999999999999999 must lie in"]),
        (Param("x", LogSpace(10.0, math.nextafter(10.0, 11))), ["min=10.0", "too close"]),
        (Param("x", LinearSpace(1e9, math.nextafter(1e9, 2e9))), ["min=1000000000.0", "too close"]),
        (Param("x", LinearSpace(2**60, 2**60 + 2, is_integer=True)), ["too close"]),
        (Param("x", LinearSpace(0, 1, scale=1e-13)), ["scale=1e-13", "too small"]),
        (Param("x", LinearSpace(0, 1, scale=1e-320)), ["too small"]),
        (Param("x", LinearSpace(0, 1, scale=1e9)), ["scale=1000000000.0", "too large"]),
        (Param("x", LinearSpace(scale=1e-6), 1e10), ["search_center=10000000000.0", "search units"]),
        (Param("x", LinearSpace(min=1e13), 1e13 + 1), ["search_center=10000000000001.0", "search units"]),
        (Param("x", CategoricalSpace(("a",))), ["at least two"]),
        (Param("x", CategoricalSpace((1, 1.0))), ["differ"]),
        (Param("", LinearSpace(0, 1)), ["name", "non-empty"]),
        (Param("suggestion_uuid", LinearSpace(0, 1)), ["reserved"]),
    ],
)
def test_a_bad_definition_is_named_with_value_and_rule(param: Param, words: list[str]) -> None:
    with pytest.raises(CarbsError) as caught:
        SearchSpace((param,))
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("value", [0.001, 0.0005, 0.3, 0.95])
def test_a_value_comes_back_as_it_was_written(value: float) -> None:
    for space in (LinearSpace(0, 1), LogSpace(1e-5, 1.0), LogitSpace(1e-4, 0.999), LogSpace(), LogitSpace()):
        assert space.decode(space.encode([value])) == [value]


@pytest.mark.parametrize(
    ("space", "value"),
    [
        (LogSpace(1e-8, 100), 0),
        (LogSpace(1e-8, 100), 9e-9),
        (LogSpace(1e-8, 1e8), -1e-9),
        (LinearSpace(0, 1), -1e-7),
        (LinearSpace(0, 1e6), -0.5),
        (LinearSpace(1e6, 1e6 + 1), 1e6 - 0.9),
        (LinearSpace(-8, 10_000_000, is_integer=True), -9),
        (LinearSpace(1, 10_000_000, is_integer=True), 0),
        (LogSpace(1, 10_000_000, is_integer=True), 10_000_001),
        (Pow2Space(2, 2**40), 1),
        (LogitSpace(0.5, 1 - 1e-7), 1.0),
        (LogitSpace(0.5, 1 - 1e-7), 1 - 0.9e-7),
        (LogitSpace(1e-7, 0.5), 0.0),
        (LinearSpace(0), -1e-7),
    ],
)
def test_a_value_out_of_bounds_is_refused(space: Space, value: float) -> None:
    assert "between" in str(space.problem_with(value))


@pytest.mark.parametrize(
    "space",
    [
        LinearSpace(-0.3, 0.7),
        LinearSpace(1234.5678, 1240.1),
        LogSpace(1e-8, 0.1),
        LogSpace(3e-5, 123456.789),
        LogitSpace(0.1, 0.9999),
        LogitSpace(1e-6, 0.999),
    ],
)
def test_a_bound_that_lost_its_last_digits_is_still_within(space: LinearSpace | LogSpace | LogitSpace) -> None:
    for bound in (space.min, space.max):
        for changed in (float(np.float32(bound)), float(f"{bound:.7g}"), bound * (1 + 1e-15), bound * (1 - 1e-15)):
            assert is_legal(space, changed)


def test_a_bound_of_zero_may_be_missed_by_what_rounding_leaves() -> None:
    assert is_legal(LinearSpace(0, 1), 0.3 - 3 * 0.1)


@pytest.mark.parametrize(
    "space",
    [
        LinearSpace(2**53 + 1, 2**60 + 1, is_integer=True),
        LinearSpace(-(2**60) - 1, -(2**53) - 1, is_integer=True),
        LinearSpace(2**53 + 1, 2**60 + 1, is_integer=True, rounding_factor=1000),
        LogSpace(2**53 + 1, 2**60 + 1, is_integer=True),
        LinearSpace(min=2**60 + 1, is_integer=True),
        LinearSpace(2**70 + 1, 2**80 + 1, is_integer=True),
    ],
    ids=repr,
)
def test_integers_that_no_float_holds_keep_within_bounds_and_to_multiples(space: LinearSpace | LogSpace) -> None:
    low, high = space.coordinate_bounds
    values = space.decode(np.linspace(low, min(high, low + 10), 101)[:, None])
    assert [value for value in values if not is_legal(space, value)] == []
    assert [value for value in values[1:-1] if int(value) % space.rounding_factor] == []
    assert "between" in str(space.problem_with(int(space.min) - 1))
    assert is_legal(space, int(space.min))
    assert not math.isfinite(space.max) or "between" in str(space.problem_with(int(space.max) + 1))


@pytest.mark.parametrize(
    "space",
    [
        LinearSpace(-1e300, 1e300),
        LinearSpace(0, 1e-310),
        LinearSpace(0, 1e9, scale=1),
        LinearSpace(scale=1e250),
        LinearSpace(1e9, 1e9 + 1),
        LinearSpace(min=1e13, is_integer=True),
        LogSpace(1e-300, 1e300),
        LogSpace(1e-300, 1e300, base=3),
        LogSpace(1, 1 + 1e-9),
        LogSpace(base=1 + 1e-15),
        LogSpace(base=1e300),
        LogitSpace(1e-300, 1 - 1e-15),
        Pow2Space(1, 2**62),
    ],
    ids=repr,
)
def test_a_space_at_the_limits_of_floats_works_without_a_warning(space: LinearSpace | LogSpace | LogitSpace) -> None:
    settled = SearchSpace((Param("x", space), Param("y", space, space.default_center))).spaces[0]
    low, high = settled.coordinate_bounds
    low, high = max(low, -50.0) if low == -INF else low, min(high, 50.0) if high == INF else high
    points = np.linspace(low, high, 21)[:, None]
    values = settled.decode(points)
    assert [value for value in values if not is_legal(settled, value)] == []
    assert len(set(values)) > 5
    assert settled.encode(values) == pytest.approx(settled.round(points), abs=2e-3)
