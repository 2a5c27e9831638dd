"""Laws over given sizes, on simulated tables of language-model runs, a quarter of them diverged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from carbs import CarbsError, CARBSParams, CategoricalSpace, LinearSpace, LogSpace, ObservationInParam, Param
from carbs.scaling import SizeLaws, recommend, scaling_laws

LOSS = CARBSParams(better_direction_sign=-1)
SCALE = ["n", "d"]


def fit(table: Any, observations: list[ObservationInParam], **options: Any) -> SizeLaws:
    return scaling_laws(table.params, observations, LOSS, scale=SCALE, **options)


@pytest.fixture(scope="module")
def laws(tables: Any) -> SizeLaws:
    table = tables.Table()
    return fit(table, table.observations())


@pytest.mark.parametrize("number", [100, 300, None])
def test_exponents_of_a_table_with_diverged_runs(tables: Any, number: int | None) -> None:
    """A few runs of any order are enough."""
    table = tables.Table()
    found = fit(table, table.observations(order=7)[:number], num_bootstrap=5)
    tolerance = 0.04 if number is None else 0.15
    for name, truth in table.exponents.items():
        assert found[name].exponents == pytest.approx(truth, abs=tolerance)


def test_diverged_runs_do_not_move_the_laws_and_are_named(tables: Any, laws: SizeLaws) -> None:
    table = tables.Table()
    without = fit(table, table.observations(diverges=False))
    seen = table.observations()
    for law, same in zip(laws.params, without.params, strict=True):
        assert law.exponents == pytest.approx(same.exponents, abs=0.03)
    bad = {place for place, run in enumerate(seen) if run.output > 4}
    assert len(bad) > 200
    assert bad <= set(laws.diverged)
    good = {place for place, run in enumerate(seen) if run.output < 2.6}
    assert len(good & set(laws.diverged)) < 0.02 * len(good)


def test_sound_tables_have_no_diverged_runs(tables: Any) -> None:
    table = tables.Table()
    found = fit(table, table.observations(diverges=False), num_bootstrap=2)
    assert len(found.diverged) < 0.02 * len(table.observations())


@pytest.mark.parametrize("scale", [SCALE, None])
def test_the_order_of_the_rows_does_not_matter(tables: Any, scale: list[str] | None) -> None:
    table = tables.Table()
    one, other = (table.observations(order)[:] for order in (0, 1))
    found = [scaling_laws(table.params, runs, LOSS, scale=scale, num_bootstrap=3) for runs in (one, other)]
    assert found[0].params == found[1].params
    assert found[0].objective == found[1].objective
    names = [
        {tuple(runs[i].input.values()) for i in laws.diverged} for runs, laws in zip((one, other), found, strict=True)
    ]
    assert names[0] == names[1]
    assert names[0]


def test_the_largest_size_is_predicted_without_it(tables: Any) -> None:
    """The loss at the predicted rate and batch size is close to the best on the grid."""
    for seed in (1, 2, 3):
        table = tables.draw_table(seed)
        n, d = tables.SIZES[-1]
        smaller = [run for run in table.observations() if (run.input["n"], run.input["d"]) != (n, d)]
        advice = fit(table, smaller, num_bootstrap=2).at(n=n, d=d)
        paid = table.loss(n, d, advice.values["rate"], advice.values["batch"]) / table.best_on_grid(n, d)
        assert paid < 1.002
        assert advice.objective is not None
        assert advice.objective.value == pytest.approx(table.best_loss(n, d), rel=0.01)


def test_a_recommendation_is_a_configuration_with_intervals(laws: SizeLaws, tables: Any) -> None:
    advice = laws.at(n=7e9, d=1e12)
    assert advice.given == {"n": 7e9, "d": 1e12}
    assert list(advice.values) == ["n", "d", "rate", "batch"]
    assert isinstance(advice.values["batch"], int)
    for prediction in advice.params.values():
        assert prediction.low < prediction.value < prediction.high
    a, b, c = tables.Table().rate
    truth = 10 ** (a + b * math.log10(7e9) + c * 12)
    assert advice.params["rate"].low < truth < advice.params["rate"].high
    assert advice.objective is not None
    assert advice.objective.value == pytest.approx(tables.Table().best_loss(7e9, 1e12), rel=0.01)


def test_intervals_widen_with_the_distance(laws: SizeLaws) -> None:
    near, far = (laws["rate"].predict(n=n, d=5e10) for n in (4e8, 9e9))
    assert math.log(far.high / far.low) > 2 * math.log(near.high / near.low)


def test_the_laws_as_text(laws: SizeLaws) -> None:
    assert laws["rate"].formula.startswith("rate = ")
    assert " * n^-0.7" in laws["rate"].formula
    assert laws.objective.formula.startswith("loss = 1.")
    assert laws["rate"].is_scaling == {"n": True, "d": True}
    assert not laws["batch"].is_scaling["n"]


def test_recommend_is_the_laws_in_one_call(tables: Any) -> None:
    table = tables.Table()
    runs = table.observations()[:200]
    given = {"n": 2e9, "d": 1e11}
    assert recommend(table.params, runs, LOSS, given=given) == fit(table, runs).at(**given)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"n": 1e9}, "size 'd' is missing"),
        ({"n": 1e9, "d": 1e11, "rate": 1.0}, "rate=1.0 is not a size of these laws"),
        ({"n": -1.0, "d": 1e11}, r"n=-1\.0 must be a positive"),
        ({"n": math.nan, "d": 1e11}, "n=nan must be a positive"),
        ({"n": 1e15, "d": 1e11}, "too far from the sizes 2e[+]08 to 1.1e[+]09"),
        ({"n": 1e9, "d": 1.0}, "too far from the sizes 4e[+]09 to 1e[+]11"),
    ],
)
def test_sizes_that_make_no_sense_are_named(laws: SizeLaws, sizes: dict[str, float], words: str) -> None:
    for predict in (laws.at, laws["rate"].predict, laws.objective.predict):
        with pytest.raises(CarbsError, match=words):
            predict(**sizes)


def test_an_unknown_law_is_named(laws: SizeLaws) -> None:
    with pytest.raises(CarbsError, match="no law of 'n', only of"):
        laws["n"]


def test_choices_and_other_spaces_over_one_size() -> None:
    """A linear hyperparameter changes by so much a decade; choices only shift the objective."""
    rng = np.random.default_rng(0)
    params = (
        Param("width", LogSpace(min=8, max=4096, is_integer=True)),
        Param("depth", LinearSpace(min=0, max=12)),
        Param("kind", CategoricalSpace(("plain", "good"))),
    )
    runs = []
    for _ in range(150):
        width, depth, kind = int(2 ** rng.uniform(4, 10)), float(rng.uniform(1, 11)), str(rng.choice(["plain", "good"]))
        best = 2 + 2.5 * math.log10(width / 16)
        loss = (
            1 + 5 * width**-0.5 + 0.02 * (depth - best) ** 2 + 0.1 * (kind == "plain") + 0.003 * rng.standard_normal()
        )
        runs.append(ObservationInParam({"width": width, "depth": depth, "kind": kind}, float(loss)))
    found = scaling_laws(params, runs, LOSS, scale=["width"])
    assert [law.name for law in found.params] == ["depth"]
    assert found["depth"].exponents["width"] == pytest.approx(2.5, abs=0.15)
    assert "log10(width)" in found["depth"].formula
    assert found.at(width=512).params["depth"].value == pytest.approx(2 + 2.5 * math.log10(32), abs=0.3)


def test_sizes_alone_have_a_law_of_the_objective(tables: Any) -> None:
    """No other hyperparameter is needed."""
    rng = np.random.default_rng(0)
    table = tables.Table()
    runs = [
        ObservationInParam({"n": n, "d": d}, table.best_loss(n, d) + 0.002 * float(rng.standard_normal()))
        for n, d in tables.SIZES
    ]
    found = scaling_laws(table.params[:2], runs, LOSS, scale=SCALE)
    assert found.params == ()
    assert found.at(n=5e9, d=5e11).objective.value == pytest.approx(table.best_loss(5e9, 5e11), rel=0.01)  # type: ignore[union-attr]
