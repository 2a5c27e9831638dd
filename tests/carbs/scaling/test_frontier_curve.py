"""The smooth curve over the axes, and the upper quantile of the runs."""

from __future__ import annotations

import numpy as np
import pytest

from carbs.scaling.frontier_curve import curve_basis, upper_quantile


def test_the_curve_holds_every_cubic_over_one_axis() -> None:
    t = np.linspace(-1, 2, 50)
    basis, penalty = curve_basis(t[:, None])
    target = 1 - t + 0.5 * t**2 + 0.2 * t**3
    fitted = basis @ np.linalg.lstsq(basis, target, rcond=None)[0]
    assert fitted == pytest.approx(target)
    assert penalty.shape[1] == basis.shape[1]


def test_a_straight_line_costs_no_penalty() -> None:
    t = np.linspace(0, 4, 50)
    basis, penalty = curve_basis(t[:, None])
    assert penalty @ np.ones(basis.shape[1]) == pytest.approx(np.zeros(len(penalty)), abs=1e-9)


def test_two_axes_have_a_product_too() -> None:
    t = np.stack(np.meshgrid(np.linspace(0, 2, 6), np.linspace(0, 1, 6)), -1).reshape(-1, 2)
    basis, penalty = curve_basis(t)
    target = t[:, 0] * t[:, 1] + t[:, 0] ** 2
    assert basis @ np.linalg.lstsq(basis, target, rcond=None)[0] == pytest.approx(target)
    assert basis.shape[1] == penalty.shape[1] == 13


def test_a_single_value_has_a_constant() -> None:
    basis, _ = curve_basis(np.full((7, 1), 3.0))
    assert np.linalg.matrix_rank(basis) == 1


def test_the_quantile_follows_the_best_runs_whatever_diverged() -> None:
    rng = np.random.default_rng(0)
    t = rng.uniform(0, 3, 400)
    top = -(10 ** (-0.3 * t))
    y = top - 0.05 * np.abs(rng.standard_normal(400))
    y[::4] = -rng.uniform(5, 5000, 100)
    quantile = upper_quantile(*curve_basis(t[:, None]), y, np.ones(400))
    assert np.max(np.abs(quantile - top)) < 0.06
    assert 0.02 < np.mean(y > quantile) < 0.2
