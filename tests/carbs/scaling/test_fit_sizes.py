"""Which sizes laws can be fitted over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from carbs import CarbsError, CARBSParams, LinearSpace, LogSpace, ObservationInParam, Param
from carbs.scaling import SizeLaws, checked_scale, scaling_laws
from carbs.spaces.search_space import as_space

LOSS = CARBSParams(better_direction_sign=-1)
SCALE = ["n", "d"]


def fit(table: Any, observations: list[ObservationInParam], **options: Any) -> SizeLaws:
    return scaling_laws(table.params, observations, LOSS, scale=SCALE, **options)


def test_the_names_stay_in_the_callers_order() -> None:
    space = as_space([Param(name, LogSpace(min=1, max=10)) for name in ("a", "b", "c")])
    assert checked_scale(space, ["c", "a"]) == ("c", "a")


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        ("n", "scale='n' must be a list of names"),
        ([], r"scale=\[\] must be a list of names"),
        (5, "scale=5 must be a list of names"),
        (["n", "width"], "scale='width' must name a numeric hyperparameter"),
        (["n", "n"], "must name each hyperparameter once"),
    ],
)
def test_a_bad_scale_is_named(tables: Any, scale: Any, words: str) -> None:
    table = tables.Table()
    with pytest.raises(CarbsError, match=words):
        scaling_laws(table.params, table.observations()[:50], LOSS, scale=scale)


def test_the_length_of_all_runs_is_no_size() -> None:
    space = as_space([Param("n", LogSpace(min=1, max=10)), Param("epochs", LogSpace(min=1, max=50), fixed=50)])
    with pytest.raises(CarbsError, match="scale='epochs' is 50 in every run: leave it out"):
        checked_scale(space, ["n", "epochs"])


def test_too_few_sizes_are_refused(tables: Any) -> None:
    """Sizes on one line cannot show which of the two matters."""
    table = tables.Table()
    runs = [run for run in table.observations() if run.input["n"] in (2e8, 2.7e8) and run.input["d"] < 6e9]
    with pytest.raises(CarbsError, match=r"too few sizes for scaling laws over .*: 2 different ones"):
        fit(table, runs)
    on_a_line = [
        replace(run, input={**run.input, "d": min(1e12, 20 * float(run.input["n"]))}) for run in table.observations()
    ]
    with pytest.raises(CarbsError, match="too few sizes"):
        fit(table, on_a_line)


def test_sizes_must_be_positive() -> None:
    params = (Param("depth", LinearSpace(min=0, max=8)), Param("rate", LogSpace(min=1e-4, max=1)))
    runs = [ObservationInParam({"depth": float(i % 9), "rate": 10 ** -(i % 4 + 0.1)}, 1.0 + i) for i in range(36)]
    with pytest.raises(CarbsError, match=r"depth=0\.0 is a size, so it must be positive"):
        scaling_laws(params, runs, scale=["depth"])
