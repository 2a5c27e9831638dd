"""Search coordinates of a line in the units of the laws."""

from __future__ import annotations

import numpy as np
import pytest

from carbs import LinearSpace, LogSpace, Param, Pow2Space
from carbs.scaling.line import Line
from carbs.scaling.units import in_law_units
from carbs.spaces.search_space import as_space

SPACE = as_space(
    [
        Param("ten", LogSpace(min=1e-4, max=1.0)),
        Param("two", LogSpace(min=1e-4, max=1.0, base=2)),
        Param("power", Pow2Space(min=1, max=1024)),
        Param("linear", LinearSpace(min=0, max=10)),
    ]
)


def a_line(widening: float = 1.0) -> Line:
    """Return an estimate and a draw that is 0.1 higher and 0.1 steeper in every coordinate; the middle is at 1."""
    position, slope = np.array([[0.2] * 4, [0.3] * 4]), np.array([[[0.5] * 4], [[0.6] * 4]])
    nothing = np.empty((2, 0))
    return Line(np.array([1.0]), position, slope, np.empty((0, 1)), nothing, nothing, np.empty(0, bool), widening)


@pytest.mark.parametrize(("place", "per_unit"), [(0, 2.0), (1, 2.0), (2, 5 * np.log10(2)), (3, 5.0)])
def test_slopes_are_in_decades_or_in_values(place: int, per_unit: float) -> None:
    """A bounded space has two search units: here two decades each, five doublings, or five."""
    space, positions, slopes = in_law_units(SPACE, place, a_line(), place, np.array([1.0]))
    assert space is SPACE.spaces[place]
    assert positions == pytest.approx(per_unit * np.array([0.2, 0.3]))
    assert slopes[:, 0] == pytest.approx(per_unit * np.array([0.5, 0.6]))


def test_positions_move_with_the_middle() -> None:
    _, positions, _ = in_law_units(SPACE, 3, a_line(), 3, np.array([3.0]))
    assert positions == pytest.approx(5 * np.array([0.2 + 2 * 0.5, 0.3 + 2 * 0.6]))


def test_few_sizes_widen_the_draws_around_the_estimate() -> None:
    _, positions, slopes = in_law_units(SPACE, 3, a_line(widening=3.0), 3, np.array([1.0]))
    assert positions == pytest.approx(5 * np.array([0.2, 0.2 + 3 * 0.1]))
    assert slopes[:, 0] == pytest.approx(5 * np.array([0.5, 0.5 + 3 * 0.1]))
