"""The kernel against its formula, and the warps against their definition."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbs.models.kernel import (
    Hyperparameters,
    Mapped,
    amplitude,
    kernel,
    mapped_kernel,
    mapped_variance,
    polynomial,
    squared_distances,
    warp,
    warp_and_slope,
)

HYPER = Hyperparameters(
    length_scales=np.array([0.5, 2.0]),
    signal=1.5,
    slopes=np.array([0.3, 0.0]),
    noise=0.1,
    warps=np.array([0.7, -0.4]),
    mean_variance=2.0,
    amplitude_slopes=np.array([0.2, -0.5]),
)
RNG = np.random.default_rng(0)
A, B = RNG.uniform(-1, 3, (5, 2)), RNG.uniform(-1, 3, (4, 2))


def by_hand(a: list[float], b: list[float]) -> float:
    """Rasmussen and Williams' equation 4.17 with r = |a - b| in length scales, plus the linear part and the mean.

    Without amplitudes.
    """
    r = math.dist([x / scale for x, scale in zip(a, (0.5, 2.0), strict=True)], [b[0] / 0.5, b[1] / 2.0])
    matern = (1 + math.sqrt(5) * r + 5 * r * r / 3) * math.exp(-math.sqrt(5) * r)
    return 1.5 * matern + 0.3 * a[0] * b[0] + 2.0


def test_the_kernel_is_its_formula_in_warped_coordinates() -> None:
    warped = [warp(points, HYPER.warps).tolist() for points in (A, B)]
    expected = [[by_hand(a, b) for b in warped[1]] for a in warped[0]]
    assert kernel(A, B, replace(HYPER, amplitude_slopes=None)) == pytest.approx(np.array(expected))


def test_the_smooth_part_has_the_amplitude_of_both_points() -> None:
    only_smooth = replace(HYPER, slopes=np.zeros(2), mean_variance=0.0)
    stationary = kernel(A, B, replace(only_smooth, amplitude_slopes=None))
    expected = [
        [c * math.exp(0.2 * (a[0] + b[0]) - 0.5 * (a[1] + b[1])) for b, c in zip(np.minimum(B, 1), row, strict=True)]
        for a, row in zip(np.minimum(A, 1), stationary.tolist(), strict=True)
    ]
    assert kernel(A, B, only_smooth) == pytest.approx(np.array(expected))


def test_an_amplitude_does_not_explode_where_the_space_is_open() -> None:
    assert amplitude(np.array([[1e9], [1.0]]), np.array([2.0])) == pytest.approx(np.exp([2.0, 2.0]))


@pytest.mark.parametrize("hyper", [HYPER, replace(HYPER, amplitude_slopes=None)])
def test_the_variance_is_the_kernels_diagonal(hyper: Hyperparameters) -> None:
    mapped = Mapped.of(A, hyper)
    assert mapped_variance(mapped, hyper) == pytest.approx(np.diag(mapped_kernel(mapped, mapped, hyper)))


def test_a_covariance_has_no_negative_eigenvalue() -> None:
    assert np.min(np.linalg.eigvalsh(kernel(A, A, HYPER))) > -1e-9


@pytest.mark.parametrize("x", [-3.0, -0.4, 0.0, 1.0, 3.0])
@pytest.mark.parametrize("k", [-1.5, -1e-5, 0.0, 0.3, 1.5])
def test_a_warp_is_its_formula_within_its_reach(x: float, k: float) -> None:
    expected = math.expm1(k * x) / k if abs(k) > 1e-4 else x
    assert warp(np.array([[x]]), np.array([k]))[0, 0] == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_beyond_its_reach_a_warp_goes_on_straight() -> None:
    warped = warp(np.array([[3.0], [4.0], [1000.0]]), np.array([1.0]))[:, 0]
    slope = math.exp(3.0)
    assert warped[1] - warped[0] == pytest.approx(slope)
    assert warped[2] - warped[0] == pytest.approx(997 * slope)


def test_without_warps_points_stay() -> None:
    assert warp(A, None) is A


@pytest.mark.parametrize("x", [-5.0, -1.0, 0.3, 2.9, 6.0])
@pytest.mark.parametrize("k", [-0.8, 0.05, 1.1])
def test_the_slope_of_a_warp_is_its_derivative(x: float, k: float) -> None:
    point, step = np.array([[x]]), 1e-6
    numeric = (warp(point, np.array([k + step])) - warp(point, np.array([k - step]))) / (2 * step)
    assert warp_and_slope(point, np.array([k]))[1] == pytest.approx(numeric, rel=1e-5, abs=1e-6)


def test_squared_distances_are_never_negative() -> None:
    expected = [[math.dist(a, b) ** 2 for b in B.tolist()] for a in A.tolist()]
    assert squared_distances(A, B) == pytest.approx(np.array(expected))
    near = 1e8 + RNG.uniform(0, 1e-4, (6, 2))
    assert np.min(squared_distances(near, near)) >= 0


def test_the_polynomial_of_the_matern_kernel() -> None:
    z = np.array([0.0, 0.5, 3.0])
    assert polynomial(z) == pytest.approx(1 + z + z**2 / 3)


@given(st.lists(st.floats(-2, 2), min_size=2, max_size=2), st.floats(-1000, 1000), st.floats(-1000, 1000))
def test_warps_keep_the_order(warps: list[float], a: float, b: float) -> None:
    low, high = warp(np.array([[min(a, b)] * 2, [max(a, b)] * 2]), np.array(warps))
    assert np.all(low <= high)
    assert np.all(np.isfinite([low, high]))
    assert warp(np.array([[a]]), np.zeros(1)) == pytest.approx(np.array([[a]]), rel=1e-3, abs=1e-3)
