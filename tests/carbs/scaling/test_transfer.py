"""The three figures of hyperparameter transfer, on a table whose truth is known."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from carbs import CarbsError, CARBSParams, CategoricalSpace, LogSpace, ObservationInParam, Param
from carbs.scaling import Transfer, measure_transfer, scaling_laws

PARAMS = (
    Param("n", LogSpace(min=1e6, max=1e10)),
    Param("rate", LogSpace(min=1e-5, max=1e-1)),
    Param("kind", CategoricalSpace(("plain", "good"))),
)
LOSS = CARBSParams(better_direction_sign=-1)
SIZES = (1e6, 1e7, 1e8, 1e9, 1e10)


def table(bend: float = 0.0) -> list[ObservationInParam]:
    """Return a grid of rates at five sizes, without noise; the largest's best rate is `bend` decades off the law."""
    runs = []
    for n in SIZES:
        for place in range(17):
            rate, kind = 10 ** (-5 + place / 4), "good" if place % 2 else "plain"
            off = math.log10(rate / (0.1 * n**-0.25)) - (bend if n == SIZES[-1] else 0.0)
            runs.append(ObservationInParam({"n": n, "rate": rate, "kind": kind}, 2 + 10 * n**-0.25 + 0.1 * off**2))
    return runs


def measure(runs: list[ObservationInParam], config: CARBSParams = LOSS, **options: Any) -> Transfer:
    return measure_transfer(PARAMS, runs, config, scale=["n"], **{"num_bootstrap": 2, **options})


def test_where_the_law_is_right_nothing_is_paid() -> None:
    """The best rates are on the grid but for an eighth of a decade at most, half of its step."""
    found = measure(table())
    assert found.sizes == ({"n": 1e10},)
    assert found.fit["rate"] < 0.15
    assert found.objective_fit > 0.999
    assert found.extrapolation_error < 0.005
    assert 0 <= found.loss_paid < 0.1 * 0.13**2


def test_where_the_law_bends_beyond_what_it_saw_that_is_paid() -> None:
    """One decade off, which costs 0.1 of a loss of about 2.03."""
    found = measure(table(bend=1.0))
    assert found.loss_paid == pytest.approx(0.1 / 2.03, abs=0.015)
    assert found.extrapolation_error < 0.005


def test_the_laws_have_not_seen_the_largest_sizes() -> None:
    runs = table()
    found = measure(runs, held_out=0.3)
    assert [size["n"] for size in found.sizes] == [1e9, 1e10]
    assert found.laws.reach.high == {"n": 1e8}
    seen = [run for run in runs if float(run.input["n"]) < 1e9]
    assert found.laws.params == scaling_laws(PARAMS, seen, LOSS, scale=["n"], num_bootstrap=2).params
    assert (len(found.errors), len(found.paid)) == (2, 2)


def test_neither_the_order_nor_the_direction_matters() -> None:
    runs = table(bend=0.5)
    one = measure(runs)
    assert measure(runs[::-1]) == one
    turned = [replace(run, output=-run.output) for run in runs]
    other = measure(turned, CARBSParams())
    assert other.paid == pytest.approx(one.paid)
    assert other.fit == pytest.approx(one.fit)
    assert other.errors == pytest.approx([-error for error in one.errors], abs=1e-9)


def test_failures_are_left_out() -> None:
    runs = table()
    failed = ObservationInParam({"n": 1e12 / 1e2, "rate": 1e-3, "kind": "good"}, is_failure=True)
    assert measure([*runs, failed]) == measure(runs)


@pytest.mark.parametrize("share", [0, 1, -0.5, "half", None])
def test_a_bad_share_is_refused(share: Any) -> None:
    with pytest.raises(CarbsError, match=r"held_out=.* must be a number between 0 and 1"):
        measure(table(), held_out=share)


def test_what_is_no_size_is_refused() -> None:
    with pytest.raises(CarbsError, match="must name a numeric hyperparameter"):
        measure_transfer(PARAMS, table(), LOSS, scale=["kind"])
