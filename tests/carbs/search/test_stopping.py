"""The chance of a run that goes on, against the arithmetic of one place and one rival."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from carbs import LogSpace, Param, SearchSpace
from carbs.models.gaussian_process import Posterior
from carbs.models.groups import group
from carbs.models.noise import Noise
from carbs.models.surrogate import Surrogate
from carbs.search.stopping import chance

SPACE = SearchSpace((Param("rate", LogSpace(min=1e-4, max=1.0)), Param("epochs", LogSpace(min=1, max=64))))
EPOCHS = 1  # column


def at(rate: float, *epochs: float) -> np.ndarray:
    return SPACE.encode([{"rate": rate, "epochs": number} for number in epochs])


def observed(rate: float, epochs: float) -> tuple[float, float]:
    return -((math.log10(rate) + 2) ** 2) - 1 / epochs, math.log(epochs)


@pytest.fixture(scope="module")
def models() -> Surrogate:
    """Models of twelve runs, of at most 16 epochs, with some noise."""
    rng = np.random.default_rng(0)
    runs = [(10 ** rng.uniform(-4, 0), 2 ** rng.uniform(0, 4)) for _ in range(12)]
    y, log_cost = np.array([observed(*one) for one in runs]).T
    return Surrogate.fit(
        SPACE,
        group(np.vstack([at(*one) for one in runs]), y + 0.2 * rng.standard_normal(12), log_cost),
        SPACE.encode([]),
    )


@pytest.mark.parametrize("loss", [0.0, 0.3, 1.0])
def test_the_chance_against_the_best_run_is_that_of_the_models_with_the_run_added(
    models: Surrogate, loss: float
) -> None:
    rate, epochs = 0.003, (2.0, 4.0, 8.0)
    y, log_cost = np.array([observed(rate, number) for number in epochs]).T
    y = y - loss
    ahead = at(rate, 64.0)  # more expensive than all runs, so that only the best of them is its rival
    X = np.vstack([models.groups.X, at(rate, *epochs)]) - models.origin
    noise = Noise(np.ones(15), np.append(np.arange(12), [12, 12, 12]))
    outputs = np.append(models.y, models.objective_scaler.forward(y))
    posterior = Posterior.condition(models.objective.hyper, X, outputs[:, None], noise)
    mean, deviation = posterior.predict(ahead - models.origin)
    rivals = [models.expect(models.groups.X).objective.max(), posterior.mean(X[12:]).max()]
    expected = norm.sf(max(rivals), mean[0, 0], deviation[0])
    seen = chance(models, group(at(rate, *epochs), y, log_cost), ahead, EPOCHS, 5.0, np.random.default_rng(1))
    assert 0.001 < expected < 0.999
    assert seen == pytest.approx(expected, abs=0.05)


def test_more_places_ahead_are_more_chances(models: Surrogate) -> None:
    y, log_cost = np.array([observed(0.01, 2.0)]).T
    way = group(at(0.01, 2.0), y - 0.2, log_cost)
    one, many = (
        chance(models, way, at(0.01, *ahead), EPOCHS, 5.0, np.random.default_rng(1))
        for ahead in ((64.0,), (8.0, 16.0, 64.0))
    )
    assert many > one


def test_predictions_that_are_not_finite_are_no_chance(models: Surrogate) -> None:
    way = replace(group(at(0.01, 2.0), np.zeros(1), np.zeros(1)), y=np.array([np.inf]))
    with np.errstate(all="ignore"), pytest.raises(ArithmeticError, match="not finite"):
        chance(models, way, at(0.01, 64.0), EPOCHS, 5.0, np.random.default_rng(1))


def test_a_run_far_worse_than_all_others_were_when_they_were_no_further_has_no_chance(models: Surrogate) -> None:
    early = models.groups.y[models.groups.X[:, EPOCHS] <= at(0.01, 8.0)[0, EPOCHS]]
    assert len(early) > 4
    diverged, bad = early.min() - 20 * np.ptp(early), early.min()
    chances = []
    for y in (diverged, bad):
        way = group(at(0.01, 2.0, 8.0), np.array([y, y]), np.log([2.0, 8.0]))
        chances.append(chance(models, way, at(0.01, 64.0), EPOCHS, 5.0, np.random.default_rng(1)))
    assert chances[0] == 0.0
    # With hardly any others to compare it with, nobody knows.
    way = group(at(0.01, 1.0), np.array([diverged]), np.zeros(1))
    assert np.sum(models.groups.X[:, EPOCHS] <= way.X[-1, EPOCHS]) < 4
    assert chance(models, way, at(0.01, 64.0), EPOCHS, 5.0, np.random.default_rng(1)) >= 0.0


@pytest.mark.parametrize("loss", [0.0, 0.2, 0.5])
def test_equally_long_runs_are_rivals_by_their_ends_and_all_cost_the_same(loss: float) -> None:
    """All costs are the same at the same epoch, so that the predicted ones differ by rounding alone."""
    rng = np.random.default_rng(0)
    rates = 10 ** rng.uniform(-4, 0, 8)
    X = np.vstack([at(rate, 2.0, 4.0, 16.0) for rate in rates])
    y, log_cost = np.array([observed(rate, epochs) for rate in rates for epochs in (2.0, 4.0, 16.0)]).T
    models = Surrogate.fit(SPACE, group(X, y + 0.2 * rng.standard_normal(24), log_cost), SPACE.encode([]))
    rate, epochs = float(rates[np.argmax(y[2::3])]), (2.0, 4.0)
    way, its_cost = np.array([observed(rate * 1.1, number) for number in epochs]).T
    way = way - loss
    ahead = at(rate * 1.1, 16.0)
    seen = chance(
        models,
        group(at(rate * 1.1, *epochs), way, its_cost),
        ahead,
        EPOCHS,
        5.0,
        np.random.default_rng(1),
        counts_at_end=True,
    )
    noise = Noise(np.ones(26), np.append(np.arange(24), [24, 24]))
    points = np.vstack([models.groups.X, at(rate * 1.1, *epochs)]) - models.origin
    outputs = np.append(models.y, models.objective_scaler.forward(way))
    posterior = Posterior.condition(models.objective.hyper, points, outputs[:, None], noise)
    mean, deviation = posterior.predict(ahead - models.origin)
    rival = models.expect(X[2::3]).objective.max()
    assert seen == pytest.approx(norm.sf(rival, mean[0, 0], deviation[0]), abs=0.05)
