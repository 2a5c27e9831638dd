"""The noise of outputs, and what it is for: eight points of one run are not worth eight runs."""

from __future__ import annotations

import numpy as np
import pytest

from carbs.models.gaussian_process import Posterior
from carbs.models.kernel import Hyperparameters
from carbs.models.noise import Noise

RUN = np.array([3, 3, 0, 7, 7, 7])


def covariance(noise: Noise, number: int) -> np.ndarray:
    K = np.zeros((number, number))
    noise.add_to(K, 2.0, 0.0)
    return K


def test_points_of_one_run_share_most_of_their_noise_and_other_runs_none() -> None:
    K = covariance(Noise(np.ones(6), RUN), 6)
    assert np.diag(K).tolist() == [2.0] * 6
    is_shared = K - np.diag(np.diag(K)) > 0
    assert is_shared.tolist() == [[i != j and RUN[i] == RUN[j] for j in range(6)] for i in range(6)]
    assert np.linalg.eigvalsh(K).min() > 0.1


def test_means_of_repeats_have_less_noise() -> None:
    assert covariance(Noise(np.array([1.0, 4.0])), 2).tolist() == [[2.0, 0.0], [0.0, 0.5]]


def test_the_sum_of_products_agrees_with_the_matrix() -> None:
    noise, W = Noise(np.ones(6), RUN), np.random.default_rng(0).standard_normal((6, 6))
    assert noise.inner(W, 2.0) == pytest.approx(float(np.sum(W * covariance(noise, 6))))


def test_a_part_and_new_runs_keep_what_is_shared() -> None:
    chosen = np.array([5, 2, 3])
    whole = covariance(Noise(np.ones(6), RUN), 6)
    assert covariance(Noise(np.ones(6), RUN).of(chosen), 3).tolist() == whole[np.ix_(chosen, chosen)].tolist()
    more = covariance(Noise(np.ones(6), RUN).and_new(2), 8)
    assert more[:6, :6].tolist() == whole.tolist()
    assert more[6:].tolist() == (2 * np.eye(8))[6:].tolist()


def test_many_points_of_one_run_say_little_more_of_its_level_than_one_does() -> None:
    """Predicted without the noise: of one run, of eight points of one run near each other, of eight runs."""
    hyper = Hyperparameters(np.array([10.0]), signal=1.0, slopes=np.zeros(1), noise=1.0)
    X = np.linspace(-0.01, 0.01, 8)[:, None]

    def deviation(number: int, run: np.ndarray | None = None) -> float:
        noise = Noise(np.ones(number), run)
        posterior = Posterior.condition(hyper, X[:number], np.zeros((number, 1)), noise)
        return float(posterior.predict(np.zeros((1, 1)))[1][0])

    one, points, runs = deviation(1), deviation(8, np.zeros(8, dtype=int)), deviation(8)
    assert 0.9 * one < points < one
    assert runs < 0.6 * one
