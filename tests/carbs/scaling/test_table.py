"""A table of runs as arrays."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from carbs import CarbsError, CategoricalSpace, LogSpace, ObservationInParam, Param
from carbs.scaling.line import Line
from carbs.scaling.table import Table
from carbs.spaces.search_space import as_space

SPACE = as_space([Param("n", LogSpace(min=1, max=1e6)), Param("kind", CategoricalSpace(("a", "b")))])
RUNS = [
    ObservationInParam({"n": 10.0 ** (place / 4), "kind": "ab"[place % 2]}, 3.0 + place / 7, 2.0**place)
    for place in range(16)
]


@pytest.mark.parametrize("sign", [1, -1])
def test_objectives_are_centred_and_losses_are_their_inverse(sign: int) -> None:
    table = Table(SPACE, RUNS, sign)
    assert np.max(table.y) == pytest.approx(1.0)
    assert np.median(table.y) == pytest.approx(0.0)
    expected = [-sign * RUNS[place].output for place in table.places]
    assert table.losses(table.y) == pytest.approx(np.array(expected))


def test_the_order_of_the_caller_does_not_matter_and_places_lead_back() -> None:
    one, other = Table(SPACE, RUNS, 1), Table(SPACE, RUNS[::-1], 1)
    assert np.array_equal(one.X, other.X)
    assert np.array_equal(one.y, other.y)
    assert [RUNS[place] for place in one.places] == [RUNS[::-1][place] for place in other.places]
    assert one.values["n"].tolist() == [RUNS[place].input["n"] for place in one.places]


def test_failures_are_no_rows_but_count_as_places() -> None:
    failed = [ObservationInParam(RUNS[0].input, is_failure=True), replace(RUNS[1], output=math.nan)]
    table = Table(SPACE, [*failed, *RUNS], 1)
    assert sorted(table.places.tolist()) == list(range(2, 18))


def test_numeric_columns_and_those_of_choices_are_apart() -> None:
    table = Table(SPACE, RUNS, 1)
    assert table.columns(table.numeric) == [0]
    assert table.others().shape == (16, 2)


def test_runs_that_no_line_was_fitted_to_are_counted() -> None:
    table = Table(SPACE, RUNS, 1)
    axes, nothing = table.t[:12, None], np.zeros(0)
    line = Line(nothing, nothing, nothing, axes, nothing, nothing, np.zeros(16, bool), 1.0)
    assert table.num_unused(line) == 4


def test_what_floats_cannot_square_is_pulled_in() -> None:
    table = Table(SPACE, [replace(RUNS[0], output=-1e308), *RUNS[1:]], 1)
    assert np.all(np.isfinite(table.y**2))
    assert np.min(table.y) == pytest.approx(-1e6)


def test_too_few_different_configurations_are_refused() -> None:
    with pytest.raises(CarbsError, match="10 different configurations succeeded, for 1 numeric"):
        Table(SPACE, RUNS[:10] * 3, 1)


def test_of_equally_long_runs_only_whole_ones_are_rows_and_their_length_has_no_law() -> None:
    space = as_space([*SPACE.params, Param("epochs", LogSpace(min=1, max=50, is_integer=True), fixed=50)])
    runs = [replace(run, input={**run.input, "epochs": 50}) for run in RUNS]
    stopped = replace(runs[0], input={**runs[0].input, "epochs": 7}, output=100.0)
    table, expected = Table(space, [stopped, *runs], 1), Table(SPACE, RUNS, 1)
    assert np.array_equal(table.X, expected.X)
    assert np.array_equal(table.y, expected.y)
    assert table.places.tolist() == [1 + place for place in expected.places]
    assert list(table.values) == ["n"]
