"""Tuned constants are values that an experiment replaces, for one optimizer alone."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from carbs import CARBS, CARBSParams, LogSpace, ObservationInParam, Param
from carbs.tuning import DEFAULT, Tuning


def costs(tuning: Tuning) -> list[float]:
    carbs = CARBS(CARBSParams(num_random_samples=3), [Param("n", LogSpace(1, 1e6), 1.0)], tuning=tuning)
    seen = []
    for _ in range(7):
        suggestion = carbs.suggest().suggestion
        seen.append(float(suggestion["n"]))
        carbs.observe(ObservationInParam(suggestion, float(suggestion["n"]) ** 0.5, float(suggestion["n"])))
    return seen


def test_a_replaced_value_counts_for_one_optimizer_alone() -> None:
    before = costs(DEFAULT)
    unlimited = replace(DEFAULT, limit=replace(DEFAULT.limit, growth=20.0, surprise=20.0))
    assert max(costs(unlimited)) > 3 * max(before)
    assert costs(DEFAULT) == before


def test_the_values_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        DEFAULT.gain.band_share = 1.0  # type: ignore[misc]


def test_the_fewer_runs_the_more_settings_are_drawn() -> None:
    """A guard against high costs must not hang on three draws; with many runs the posterior is narrow."""
    numbers = [DEFAULT.model.num_alternatives(values) for values in (1, 48, 100, 240, 800, 801, 10_000)]
    assert numbers == [16, 16, 8, 3, 3, 0, 0]
    none = replace(DEFAULT.model, alternatives=(0, 0))
    assert [none.num_alternatives(values) for values in (1, 800, 801)] == [0, 0, 0]
