"""Predictions of objective and cost from few runs."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats

from carbs import (
    CARBS,
    CategoricalSpace,
    LinearSpace,
    LogSpace,
    ObservationInParam,
    Param,
)
from carbs.models.groups import group
from carbs.models.surrogate import Surrogate
from carbs.spaces.search_space import SearchSpace, as_space
from searches import PARAMS


def space() -> SearchSpace:
    return as_space(
        [
            Param("steps", LogSpace(1, 1e6), 2.0),
            Param("rate", LogSpace(1e-5, 1e-1), 1e-3),
            Param("dropout", LinearSpace(0, 1), 0.3),
        ]
    )


def fit(configs: list[dict[str, float]], objective: list[float], cost: list[float]) -> Surrogate:
    searched = space()
    X = searched.encode(configs)
    return Surrogate.fit(searched, group(X, np.array(objective), np.log(cost)), np.empty((0, searched.width)))


def configs(number: int, largest: float, seed: int) -> list[dict[str, float]]:
    rng = np.random.default_rng(seed)
    return [
        {"steps": largest ** rng.random(), "rate": 10 ** rng.uniform(-5, -1), "dropout": rng.random()}
        for _ in range(number)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_runs_in_a_cheap_corner_do_not_make_the_whole_space_cheap(seed: int) -> None:
    seen = configs(8, largest=4, seed=seed)
    noise = np.random.default_rng(seed).lognormal(0.0, 0.1, len(seen))
    cost = [config["steps"] * float(factor) for config, factor in zip(seen, noise, strict=True)]
    model = fit(seen, list(noise), cost)
    beliefs = model.predict(space().encode([{"steps": 1e5, "rate": 1e-3, "dropout": 0.5}]))
    # A factor of four says nothing certain about a factor of 25000; but that it may cost a hundred times as much.
    assert beliefs.log_cost[0, 0] + 2.5 * beliefs.log_cost_std[0] > math.log(4 * 100)


def test_costs_that_are_a_power_law_are_extrapolated_by_orders_of_magnitude() -> None:
    seen = configs(12, largest=100, seed=1)
    model = fit(seen, [config["dropout"] for config in seen], [3 * config["steps"] ** 0.8 for config in seen])
    beliefs = model.predict(space().encode([{"steps": 1e5, "rate": 1e-2, "dropout": 0.9}]))
    assert beliefs.log_cost[0, 0] == pytest.approx(math.log(3 * 1e5**0.8), abs=math.log(2))


def test_noise_is_found_beside_more_runs_than_the_fit_takes() -> None:
    rng = np.random.default_rng(0)
    seen = [config for config in configs(300, largest=1e6, seed=3) for _ in range(2)]
    cost = [config["steps"] * rng.lognormal(0.0, 0.05) for config in seen]
    model = fit(seen, [config["dropout"] + 0.1 * rng.standard_normal() for config in seen], cost)
    assert math.sqrt(model.cost.hyper.noise) == pytest.approx(0.05, rel=0.2)
    assert math.sqrt(model.objective.hyper.noise) * model.objective_scaler.deviation == pytest.approx(0.1, rel=0.2)


def test_what_drives_the_cost_is_expected_to_saturate() -> None:
    seen = configs(8, largest=1e6, seed=2)
    cost = [config["steps"] for config in seen]
    # The objective says nothing yet: the model's view of it is the prior.
    warps = fit(seen, [0.0] * len(seen), cost).objective.hyper.warps
    assert warps is not None
    assert warps == pytest.approx([-1.0, 0.0, 0.0], abs=0.3)
    seen = configs(30, largest=1e6, seed=2)
    cost = [config["steps"] for config in seen]
    told_otherwise = fit(seen, [config["steps"] ** 0.3 for config in seen], cost).objective.hyper.warps
    assert told_otherwise is not None
    assert told_otherwise[0] > warps[0] + 0.5


HARD: dict[str, Callable[[int], tuple[float, float]]] = {
    "constant objective": lambda i: (1.0, 1.0 + i),
    "constant cost": lambda i: (float(i % 5), 1.0),
    "constant both": lambda _: (2.0, 3.0),
    "huge objectives": lambda i: (1e12 * math.sin(i), 1.0 + i),
    "tiny objectives": lambda i: (1e-12 * math.sin(i), 1.0 + i),
    "objectives whose squares overflow": lambda i: (1e200 * math.sin(i), 1.0 + i),
    "objectives at both ends of the floats": lambda i: ((-1) ** i * 1.7e308, 1.0 + i),
    "objectives whose squares vanish": lambda i: (1e-200 * math.sin(i), 1.0 + i),
    "costs equal up to rounding": lambda i: (math.sin(i), 3.0 * (1 + 1e-12 * (i % 3))),
    "huge and tiny costs": lambda i: (math.sin(i), 10.0 ** (12 * math.sin(2 * i))),
    "ties": lambda i: (float(i % 2), float(1 + i % 2)),
}


@pytest.mark.parametrize("evaluate", HARD.values(), ids=HARD.keys())
def test_hard_histories_keep_the_model_in_use(
    evaluate: Callable[[int], tuple[float, float]], caplog: pytest.LogCaptureFixture
) -> None:
    carbs = CARBS(params=PARAMS)
    for i in range(20):
        output = carbs.suggest()
        carbs.observe(ObservationInParam(output.suggestion, *evaluate(i)))
    assert "could not be used" not in output.log.get("reason", "")
    assert math.isfinite(output.log["predicted_objective"])
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_the_cost_that_people_see_is_less_sure_far_from_the_runs() -> None:
    """One setting of the hyperparameters gives only one of several plausible answers on a distant region."""
    far = space().encode([{"steps": 1e5, "rate": 1e-1, "dropout": 0.9}])
    ratios = []
    for seed in range(9):
        seen = configs(12, largest=30, seed=seed)
        model = fit(seen, [config["dropout"] for config in seen], [3 * config["steps"] ** 0.8 for config in seen])
        beliefs = model.predict(far)
        mean, deviation = model.predict_cost(far)
        assert mean == pytest.approx(beliefs.log_cost[:, 0])
        ratios.append(deviation[0] / beliefs.log_cost_std[0])
    assert np.median(ratios) > 1.1


def test_the_objective_that_people_see_is_less_sure_than_the_most_probable_model() -> None:
    """It has the same mean, and the deviation from it of all models, with an allowance for few runs."""
    seen = configs(12, largest=1e3, seed=1)
    model = fit(seen, [math.log(config["steps"]) for config in seen], [config["steps"] for config in seen])
    points = space().encode(configs(50, largest=1e4, seed=2))
    beliefs = model.predict(points)
    mean, deviation = model.predict_objective(points, beliefs)
    assert mean == pytest.approx(beliefs.objective[:, 0])
    running = model.with_pending(points[:2], np.random.default_rng(0).standard_normal((2, 2, 3)))
    local = points - running.origin
    squares = [beliefs.objective_std**2]
    for other in running.alternatives:  # they know nothing of what is running
        theirs, their_deviation = other.predict(local)
        squares.append(their_deviation**2 + (theirs[:, 0] - mean) ** 2)
    assert len(squares) > 1
    allowance = deviation / np.sqrt(np.mean(squares, axis=0))
    assert allowance == pytest.approx(allowance[0])
    assert allowance[0] > 1.1


def test_means_alone_are_those_of_the_whole_prediction() -> None:
    seen = configs(12, largest=1e3, seed=1)
    model = fit(seen, [math.log(config["steps"]) for config in seen], [config["steps"] for config in seen])
    points = space().encode(configs(5, largest=1e4, seed=2))
    running = model.with_pending(points[:2], np.random.default_rng(0).standard_normal((2, 2, 3)))
    for surrogate in (model, running):
        beliefs, means = surrogate.predict(points), surrogate.expect(points)
        assert means.objective == pytest.approx(beliefs.objective)
        assert means.log_cost == pytest.approx(beliefs.log_cost)
        assert means.known_log_cost == pytest.approx(beliefs.known_log_cost)


def test_evidence_of_effects_is_what_the_model_knows_beyond_the_mean() -> None:
    """It is that of the others' mean and variance for each run, and zero or less where the objective is noise."""
    rng = np.random.default_rng(0)
    runs = configs(30, 1000.0, 0)
    noise = rng.standard_normal(30)
    effect = [math.log(run["rate"]) for run in runs]
    assert fit(runs, noise.tolist(), [1.0] * 30).evidence_of_effects() < 3
    found = fit(runs, (noise + effect).tolist(), [1.0] * 30)
    assert found.evidence_of_effects() > 10
    errors, deviation = found.objective.leave_one_out()
    by_model = scipy.stats.norm.logpdf(errors[:, 0], 0.0, deviation)
    others = [np.delete(found.y, place) for place in range(30)]
    by_mean = [
        scipy.stats.norm.logpdf(y, np.mean(rest), np.std(rest, ddof=1) * math.sqrt(30 / 29))
        for y, rest in zip(found.y, others, strict=True)
    ]
    assert found.evidence_of_effects() == pytest.approx(np.sum(by_model) - np.sum(by_mean))


def test_thousands_of_choices_leave_the_scale_of_the_objective_alone() -> None:
    """No draw of the hyperparameters takes one choice's objective for ten times as uncertain as the others."""
    rng = np.random.default_rng(0)
    searched = as_space(
        [Param("c", CategoricalSpace(tuple(f"c{i}" for i in range(2000)))), Param("x", LinearSpace(0, 1))]
    )
    x = rng.random(15)
    y = np.sin(3 * x) + 0.1 * rng.standard_normal(15)
    X = searched.encode([{"c": f"c{i}", "x": value} for i, value in enumerate(x.tolist())])
    models = Surrogate.fit(searched, group(X, y, np.zeros(15)), np.empty((0, searched.width)))
    for posterior in (models.objective, *models.alternatives):
        assert np.all(np.sqrt(np.diag(posterior.covariance(X - searched.middle, X - searched.middle))) < 10)
    assert models.objective.hyper.length_scales[-1] != pytest.approx(models.objective.hyper.length_scales[0], rel=1e-3)
