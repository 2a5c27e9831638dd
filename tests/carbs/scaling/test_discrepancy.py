"""The smooth correction of a law where real losses deviate from it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from carbs.arrays import Array
from carbs.scaling.discrepancy import fit_discrepancy
from carbs.threads import one_thread


@pytest.fixture(autouse=True)
def a_single_thread() -> Iterator[None]:
    """As the fit has it: small matrices lose to several threads on a busy machine."""
    with one_thread():
        yield


def grid(number: int) -> Array:
    return np.stack(np.meshgrid(np.linspace(6, 9, number), np.linspace(8, 12, number)), -1).reshape(-1, 2)


def wave(axes: Array) -> Array:
    return 0.1 * np.sin(2 * axes[:, 0]) + 0.05 * np.cos(axes[:, 1])


def test_where_the_law_is_right_nothing_is_corrected() -> None:
    """Noise alone, in two of twenty cases at most, is taken for a deviation."""
    axes, rng = grid(5), np.random.default_rng(0)
    found = [fit_discrepancy(axes, rng.standard_normal(25), np.ones(25)) for _ in range(20)]
    assert sum(fit.signal > 0 for fit in found) <= 2
    assert next(fit for fit in found if not fit.signal).predict(axes[0]) == (0.0, 0.0)


def test_a_smooth_deviation_is_followed_between_the_sizes() -> None:
    axes = grid(8)
    fit = fit_discrepancy(axes, wave(axes), np.ones(len(axes)))
    for point in ([6.4, 8.9], [7.7, 11.2]):
        mean, deviation = fit.predict(np.array(point))
        truth = float(wave(np.array([point]))[0])
        assert mean == pytest.approx(truth, abs=0.02)
        assert abs(mean - truth) < 3 * deviation + 1e-3


def test_far_away_it_fades_and_is_as_unsure_as_it_is_large() -> None:
    axes = grid(8)
    fit = fit_discrepancy(axes, wave(axes), np.ones(len(axes)))
    mean, deviation = fit.predict(np.array([60.0, 80.0]))
    assert mean == pytest.approx(0.0, abs=1e-9)
    assert deviation == pytest.approx(fit.signal**0.5)


@pytest.mark.parametrize("unit", [1e-140, 1e140])
def test_units_do_not_matter(unit: float) -> None:
    axes = grid(6)
    one, other = (fit_discrepancy(axes, scale * wave(axes), np.ones(36)) for scale in (1.0, unit))
    point = np.array([7.1, 9.3])
    assert other.predict(point)[0] / unit == pytest.approx(one.predict(point)[0])
    assert other.predict(point)[1] / unit == pytest.approx(one.predict(point)[1], rel=1e-3)


def test_a_size_of_little_weight_has_little_say() -> None:
    axes = grid(8)
    residual, weight = wave(axes), np.ones(64)
    residual[27], weight[27] = 5.0, 1e-4
    mean, _ = fit_discrepancy(axes, residual, weight).predict(axes[27])
    assert mean == pytest.approx(float(wave(axes[27:28])[0]), abs=0.05)


def test_a_law_without_any_residual_is_left_as_it_is() -> None:
    assert fit_discrepancy(grid(4), np.zeros(16), np.ones(16)).predict(np.array([7.0, 9.0])) == (0.0, 0.0)
