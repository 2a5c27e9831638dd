"""Each kind of numeric space has rules of its own."""

from __future__ import annotations

import pytest

from carbs import (
    CARBS,
    CarbsError,
    LinearSpace,
    LogSpace,
    Param,
    Pow2Space,
)


@pytest.mark.parametrize("space", [LinearSpace(0.5, 1.5, is_integer=True), LogSpace(1, 1.5, is_integer=True)])
def test_a_space_of_one_value_suggests_that_value(space: LinearSpace | LogSpace) -> None:
    assert CARBS(params=[Param("n", space)]).suggest().suggestion["n"] == 1


def test_rounding_in_a_space_of_powers_of_two_is_refused() -> None:
    with pytest.raises(CarbsError, match="rounding_factor=3"):
        CARBS(params=[Param("n", Pow2Space(1, 64, rounding_factor=3))])
