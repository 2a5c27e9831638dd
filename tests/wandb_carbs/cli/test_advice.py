"""The advice of a search's laws for given sizes."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from carbs import CARBS, CarbsError, CARBSParams, CategoricalSpace, LogSpace, ObservationInParam, Param
from wandb_carbs.cli.advice import Advice, advise

PARAMS = [
    Param("rate", LogSpace(min=1e-5, max=1e-1)),
    Param("n", LogSpace(min=1e6, max=1e9)),
    Param("opt", CategoricalSpace(("sgd", "adam"))),
    Param("batch", LogSpace(min=1, max=4096, is_integer=True)),
]


@pytest.fixture(scope="module")
def carbs() -> CARBS:
    """Make a table of runs at four sizes."""
    rng = np.random.default_rng(0)
    carbs = CARBS(CARBSParams(better_direction_sign=-1), PARAMS)
    for n in (1e6, 1e7, 1e8, 1e9):
        for _ in range(12):
            rate, batch = 10 ** rng.uniform(-5, -1), 2 ** int(rng.integers(0, 12))
            opt = ("sgd", "adam")[int(rng.integers(2))]
            off = math.log10(rate * n**0.25 / 0.1), math.log10(batch / 64)
            loss = 1.5 + 30 * n**-0.25 + 0.1 * off[0] ** 2 + 0.1 * off[1] ** 2 + 0.2 * (opt == "sgd")
            values = {"rate": rate, "n": n, "opt": opt, "batch": batch}
            carbs.observe(ObservationInParam(values, loss + 0.002 * rng.standard_normal(), n))
        # A run that diverged.
        carbs.observe(ObservationInParam({"rate": 0.1, "n": n, "opt": "adam", "batch": 1}, 40.0, n))
    return carbs


@pytest.fixture(scope="module")
def advice(carbs: CARBS) -> Advice:
    """Advice for a size that is ten times as large as its bound."""
    return advise(carbs, {"n": 10_000_000_000})


def test_advice_is_a_whole_configuration_in_the_spaces_order(advice: Advice) -> None:
    assert list(advice.config) == ["rate", "n", "opt", "batch"]
    assert advice.config["n"] == 10_000_000_000
    assert isinstance(advice.config["n"], int)
    assert advice.config["rate"] == pytest.approx(0.1 * 1e10**-0.25, rel=0.3)
    assert isinstance(advice.config["batch"], int)


def test_choices_are_those_of_the_best_run(advice: Advice) -> None:
    assert (advice.choices, advice.config["opt"]) == (("opt",), "adam")


def test_runs_that_diverged_are_counted(advice: Advice) -> None:
    assert 4 <= advice.num_diverged <= 8
    assert advice.num_unused == 0


def test_of_very_many_runs_those_that_are_not_used_are_counted(carbs: CARBS, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carbs.scaling.line._MAX_RUNS", 40)
    number = len(carbs.success_observations)
    assert advise(carbs, {"n": 1e10}).to_dict()["unused"] == number - 40 > 0


def test_ends_follow_the_objective_and_the_configuration(advice: Advice) -> None:
    low, high = advice.ends("low"), advice.ends("high")
    assert [end is None for end in low] == [False, False, True, True, False]
    found = advice.recommendation
    assert found.objective is not None
    assert (low[0], high[0]) == (found.objective.low, found.objective.high)
    assert (low[1], high[1]) == (found.params["rate"].low, found.params["rate"].high)


def test_json_holds_all_of_it(advice: Advice) -> None:
    read = json.loads(json.dumps(advice.to_dict(), allow_nan=False))
    assert read["given"] == {"n": 1e10}
    assert read["config"] == advice.config
    assert list(read["intervals"]) == ["rate", "batch"]
    assert set(read["objective"]) == {"value", "low", "high"}


def test_a_choice_is_no_size() -> None:
    with pytest.raises(CarbsError, match="must name a numeric hyperparameter"):
        advise(CARBS(params=PARAMS), {"opt": 1.0})
