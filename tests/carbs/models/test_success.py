"""The classifier against scikit-learn's and on a limit that it must learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from carbs import (
    CARBS,
    ObservationInParam,
)
from carbs.models.kernel import Hyperparameters, kernel
from carbs.models.success import Classifier
from searches import SMALL, bowl

HYPER = Hyperparameters(np.full(3, 1.7), signal=4.0, slopes=np.full(3, 4.0), noise=0.0)


def test_the_mode_solves_its_equation_and_the_probability_is_calibrated_by_sampling() -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (40, 3))
    labels = np.where(X.sum(1) > 0.5, -1.0, 1.0)
    classifier = Classifier.fit(HYPER, X, labels)
    K = kernel(X, X, HYPER)
    latent = K @ classifier.gradient  # at the mode f = K grad log p(y | f), R&W equation 3.17
    z = labels * latent
    expected = labels * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) / ndtr(z)
    assert classifier.gradient == pytest.approx(expected, abs=1e-4)
    points = rng.uniform(-1, 1, (5, 3))
    cross = kernel(points, X, HYPER)
    W = classifier.root**2
    covariance = kernel(points, points, HYPER) - cross @ np.linalg.solve(K + np.diag(1 / W), cross.T)
    draws = rng.multivariate_normal(cross @ classifier.gradient, covariance, 100_000)
    assert np.exp(classifier.log_probability(points)) == pytest.approx(ndtr(draws).mean(0), abs=0.01)


def test_a_limit_is_learnt_from_a_few_failures() -> None:
    rng = np.random.default_rng(1)
    X = rng.uniform(-1, 1, (40, 3))
    labels = np.where(X[:, 0] + X[:, 1] > 0.8, -1.0, 1.0)
    classifier = Classifier.fit(HYPER, X, labels)
    points = rng.uniform(-1, 1, (400, 3))
    is_failure = points[:, 0] + points[:, 1] > 0.8
    probability = np.exp(classifier.log_probability(points))
    assert np.mean((probability < 0.5) == is_failure) > 0.93
    assert np.all((probability > 0) & (probability < 1))


@pytest.mark.parametrize("label", [-1.0, 1.0])
def test_one_class_alone_is_fitted(label: float) -> None:
    X = np.zeros((30, 3))
    probability = np.exp(Classifier.fit(HYPER, X, np.full(30, label)).log_probability(np.zeros((1, 3))))[0]
    assert (probability > 0.9) if label > 0 else (probability < 0.1)


def test_the_success_model_learns_where_runs_fail() -> None:
    carbs = CARBS(params=SMALL)
    failed = []
    for _ in range(40):
        suggestion = carbs.suggest().suggestion
        is_failure = float(suggestion["x"]) > 0.8
        failed.append(is_failure)
        carbs.observe(ObservationInParam(suggestion, *bowl(suggestion), is_failure=is_failure))
    assert sum(failed[20:]) <= 1
