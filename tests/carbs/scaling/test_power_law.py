"""The saturating power law of the loss."""

from __future__ import annotations

import math

import numpy as np
import pytest

from carbs.scaling.power_law import by_size, fit_power_laws, usual_exponents

T = np.linspace(0, 4, 30)[:, None]
LOSS = 1.5 + 2 * 10 ** (-0.3 * T[:, 0])
ONE = np.zeros((1, 1))


def test_a_power_law_without_noise_is_found() -> None:
    laws = fit_power_laws(T, LOSS[None], np.ones((1, 30)), ONE)
    assert laws.limit[0] == pytest.approx(1.5, abs=0.03)
    assert laws.exponent[0, 0] == pytest.approx(0.3, rel=0.03)
    assert laws.predict(np.array([6.0]))[0] == pytest.approx(1.5 + 2 * 10**-1.8, abs=0.01)


def test_every_row_has_its_own_weights() -> None:
    spoilt = LOSS.copy()
    spoilt[:5] = 100.0
    weight = np.ones((2, 30))
    weight[1, :5] = 0.0
    laws = fit_power_laws(T, np.array([LOSS, spoilt]), weight, np.zeros((2, 1)))
    one, other = laws.predict(np.array([5.0]))
    assert other == pytest.approx(one, abs=0.01)


def test_two_sizes_have_their_own_terms() -> None:
    t = np.stack(np.meshgrid(np.linspace(0, 2, 5), np.linspace(0, 2, 5)), -1).reshape(-1, 2)
    loss = 1 + 10 ** (-0.3 * t[:, 0]) + 2 * 10 ** (-0.5 * t[:, 1])
    usual = usual_exponents(0, 2, np.random.default_rng(0))
    laws = fit_power_laws(t, loss[None], np.ones((1, 25)), usual)
    assert laws.exponent[0] == pytest.approx([0.3, 0.5], rel=0.1)
    assert laws.predict(np.array([3.0, 3.0]))[0] == pytest.approx(1 + 10**-0.9 + 2 * 10**-1.5, abs=0.02)


def test_more_of_a_size_never_makes_the_best_loss_worse() -> None:
    t = np.stack(np.meshgrid(np.linspace(0, 2, 5), np.linspace(0, 2, 5)), -1).reshape(-1, 2)
    loss = 1 + 10 ** (-0.3 * t[:, 0]) + 0.1 * t[:, 1]
    laws = fit_power_laws(t, loss[None], np.ones((1, 25)), usual_exponents(0, 2, np.random.default_rng(0)))
    assert np.min(laws.amplitude) >= 0


def test_laws_in_another_unit() -> None:
    laws = fit_power_laws(T, LOSS[None], np.ones((1, 30)), ONE)
    place = np.array([2.5])
    assert laws.scaled(3.0, 2.0).predict(place) == pytest.approx(3 + 2 * laws.predict(place))


def test_losses_of_a_size_are_averaged_by_their_weights() -> None:
    axes, loss = np.array([[1.0], [0.0], [0.0]]), np.array([[5.0, 1.0, 3.0], [5.0, 1.0, 3.0]])
    sizes, means, totals = by_size(axes, loss, np.array([[1.0, 1.0, 3.0], [1.0, 0.0, 0.0]]))
    assert sizes.tolist() == [[0.0], [1.0]]
    assert means.tolist() == [[2.5, 5.0], [2.0, 5.0]]
    assert totals.tolist() == [[4.0, 1.0], [0.0, 1.0]]


def test_the_usual_exponent_comes_first_and_draws_scatter_around_it() -> None:
    usual = usual_exponents(400, 2, np.random.default_rng(0))
    assert usual.shape == (401, 2)
    assert usual[0].tolist() == [math.log(0.3)] * 2
    assert np.mean(usual[1:]) == pytest.approx(math.log(0.3), abs=0.1)
