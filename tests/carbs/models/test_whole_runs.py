"""The ends of runs that are all equally long."""

from __future__ import annotations

import math

import numpy as np
import pytest

from carbs import LogSpace, ObservationInParam, Param
from carbs.models.groups import group_points, group_successes
from carbs.models.surrogate import Surrogate
from carbs.models.whole_runs import group_whole_runs
from carbs.spaces.search_space import as_space

SPACE = as_space([Param("rate", LogSpace(1e-4, 1.0)), Param("epochs", LogSpace(1, 50, is_integer=True), fixed=50)])


def after(rate: float, epochs: int) -> tuple[float, float]:
    return 3.0 - (math.log10(rate) + 2) ** 2 - 2 / epochs, 1.5 * epochs


def run(rate: float, *epochs: int, sign: int = 1) -> ObservationInParam:
    *points, end = (
        ObservationInParam({"rate": rate, "epochs": number}, sign * after(rate, number)[0], after(rate, number)[1])
        for number in epochs
    )
    return ObservationInParam(end.input, end.output, end.cost, points=points)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_end_of_a_stopped_run_is_the_predicted_one(sign: int) -> None:
    rates = np.geomspace(2e-4, 0.5, 9).tolist()
    whole = [run(rate, 2, 5, 12, 25, 50, sign=sign) for rate in rates]
    stopped = run(0.004, 2, 5, 12, sign=sign)
    runs = [*whole[:4], stopped, *whole[4:]]
    models = Surrogate.fit(SPACE, group_points(SPACE, runs, [], sign), SPACE.encode([]))
    groups = group_whole_runs(SPACE, runs, sign, lambda: models)
    assert np.array_equal(groups.X, SPACE.encode([{"rate": rate, "epochs": 50} for rate in [*rates, 0.004]]))
    assert groups.y[:-1] == pytest.approx([after(rate, 50)[0] for rate in rates])
    assert groups.y[-1] == pytest.approx(after(0.004, 50)[0], abs=0.1)
    assert np.exp(groups.log_cost[-1]) == pytest.approx(75.0, rel=0.1)
    assert groups.run is None


def test_without_a_stopped_run_they_are_the_ends_alone() -> None:
    runs = [run(0.01, 5, 50), run(0.1, 5, 50), run(0.1, 5, 50)]

    def fail() -> Surrogate:
        raise AssertionError("no model is needed")

    groups, expected = group_whole_runs(SPACE, runs, 1, fail), group_successes(SPACE, runs, 1)
    assert groups.count.tolist() == expected.count.tolist() == [1, 2]
    assert np.array_equal(groups.X, expected.X)
