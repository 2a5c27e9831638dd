"""The run that is expected to add most to the frontier."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from carbs import CARBS, CARBSParams, LinearSpace, ObservationInParam, Param
from carbs.tuning import DEFAULT, Tuning


def expected_improvement(tuning: Tuning) -> float:
    """Return the one that is recorded for k = 3, which is all that is left to suggest."""
    config = CARBSParams(num_random_samples=2, resample_frequency=0)
    carbs = CARBS(config, [Param("k", LinearSpace(1, 6, is_integer=True))], tuning=tuning)
    for k in (1, 2, 5):
        carbs.observe(ObservationInParam({"k": k}, -abs(k - 3.2), 1.0 + k))
    for k in (4, 6):
        carbs.observe(ObservationInParam({"k": k}, is_failure=True))
    output = carbs.suggest()
    assert output.suggestion["k"] == 3
    assert output.log["success_probability"] < 0.99
    return float(output.log["expected_improvement"])


def test_the_recorded_improvement_is_the_gain_of_a_run_that_succeeds_over_all_costs() -> None:
    plain = expected_improvement(DEFAULT)
    assert plain > 0
    assert math.isfinite(plain)
    for changed in (
        replace(DEFAULT, gain=replace(DEFAULT.gain, failure_aversion=40)),
        replace(DEFAULT, gain=replace(DEFAULT.gain, band_share=1.0)),
    ):
        assert expected_improvement(changed) == pytest.approx(plain, rel=1e-9)
