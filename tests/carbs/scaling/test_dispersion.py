"""How far runs scatter around the surface, and which of them diverged."""

from __future__ import annotations

import numpy as np
import pytest

from carbs.arrays import Array
from carbs.scaling.dispersion import Dispersion, estimate_dispersion, first_dispersion

RNG = np.random.default_rng(0)
SHORTFALL = 0.3 * np.abs(RNG.standard_normal(400))
RESIDUAL = 0.02 * RNG.standard_normal(400) + 0.3 * SHORTFALL * RNG.standard_normal(400)


def judged(residual: Array) -> Dispersion:
    """Return the judgement after as many rounds as a fit has."""
    unit = float(np.median(SHORTFALL))
    found = first_dispersion(SHORTFALL, unit)
    for _ in range(8):
        found = estimate_dispersion(residual, SHORTFALL, np.ones(400), unit, 10.0, found)
    return found


def test_the_noise_at_the_frontier_is_found() -> None:
    found = judged(RESIDUAL)
    assert 0.01 < found.noise < 0.04
    assert np.mean(found.soundness) > 0.97
    assert found.share < 0.05


def test_the_scatter_grows_with_the_shortfall() -> None:
    found = judged(RESIDUAL)
    order = np.argsort(SHORTFALL)
    assert np.all(np.diff(found.deviation[order]) >= 0)
    assert found.deviation[order[-1]] > 5 * found.deviation[order[0]]


def test_diverged_runs_are_known_and_widen_nothing() -> None:
    residual = RESIDUAL.copy()
    residual[:100] = -RNG.uniform(5, 500, 100)
    found = judged(residual)
    assert np.max(found.soundness[:100]) < 0.05
    assert np.max(found.weight[:100]) < 0.05
    assert np.mean(found.soundness[100:]) > 0.95
    assert found.share == pytest.approx(0.25, abs=0.05)
    assert found.noise < 2 * judged(RESIDUAL).noise


def test_a_run_that_is_far_better_did_not_diverge_but_has_little_weight() -> None:
    residual = RESIDUAL.copy()
    residual[0] = 20.0
    found = judged(residual)
    assert found.soundness[0] == pytest.approx(1.0)
    assert found.weight[0] < 0.05


def test_at_first_all_are_sound_and_far_ones_hardly_count() -> None:
    found = first_dispersion(np.array([0.0, 1.0, 10.0]), 1.0)
    assert found.soundness.tolist() == [1.0, 1.0, 1.0]
    assert found.deviation[0] == pytest.approx(found.noise)
    assert found.deviation[2] > 20 * found.deviation[1] > 20 * found.deviation[0]
