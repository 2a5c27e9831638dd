"""Many observations are kept as a short text."""

from __future__ import annotations

from typing import Any

import pytest

from carbs import CarbsError, ObservationInParam
from wandb_carbs.sweep.packing import pack, unpack


def test_thousands_of_runs_pack_into_a_short_text() -> None:
    runs = [
        ObservationInParam({"lr": float(f"{10 ** (-5 + n / 500):.12g}"), "n": n}, 0.1 * n, 1.0 + n, is_old=True)
        for n in range(2000)
    ]
    failed = ObservationInParam({"lr": 1.0, "n": 1}, float("nan"), 3.0, is_failure=True, is_old=True)
    text = pack([*runs, failed])
    assert len(text) < 60 * len(runs)
    *again, last = unpack(text)
    assert again == runs
    assert (last.is_failure, last.is_old, last.cost, last.input) == (True, True, 3.0, failed.input)


def test_points_on_the_way_are_packed_with_their_runs() -> None:
    way = tuple(ObservationInParam({"n": n}, 0.5, 1.0 + n, is_old=True) for n in (1, 2))
    runs = [
        ObservationInParam({"n": 4}, 0.25, 5.0, is_old=True, points=way),
        ObservationInParam({"n": 3}, 0.75, 5.0, is_old=True),
    ]
    assert list(unpack(pack(runs))) == runs
    (failed,) = unpack(pack([ObservationInParam({"n": 4}, is_failure=True, points=way)]))
    assert (failed.is_failure, failed.points) == (True, way)


@pytest.mark.parametrize("text", ["", "x", 3, "eJw=", pack([ObservationInParam({"x": 1}, 1.0, 1.0)])[:-8]])
def test_damaged_runs_are_an_error(text: Any) -> None:
    with pytest.raises(CarbsError, match="old runs are damaged"):
        unpack(text)
