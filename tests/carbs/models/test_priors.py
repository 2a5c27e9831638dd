"""Priors of the models, by their definitions."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from carbs import CategoricalSpace, LinearSpace, Param
from carbs.models.priors import cost_prior, objective_prior, success_hyperparameters
from carbs.spaces.search_space import SearchSpace, as_space
from carbs.tuning import DEFAULT

MODEL = DEFAULT.model


def box(number: int) -> SearchSpace:
    return as_space([Param(f"x{i}", LinearSpace(0, 1)) for i in range(number)])


def test_length_scales_grow_with_the_root_of_the_dimension() -> None:
    means = [cost_prior(box(number), MODEL).length_scale[0] for number in (4, 16)]
    assert means[1] - means[0] == pytest.approx(math.log(2))
    assert objective_prior(box(4), np.zeros(4), MODEL).length_scale[0] == means[0]


def test_an_objective_saturates_in_what_drives_the_cost_and_at_most_once() -> None:
    prior = objective_prior(box(3), np.array([-2.0, 0.5, 7.0]), MODEL)
    assert prior.warp is not None
    assert np.asarray(prior.warp[0]).tolist() == [0.0, -0.5, -1.0]
    flat = objective_prior(box(3), np.array([-2.0, 0.5, 7.0]), replace(MODEL, saturation=0.0))
    assert flat.warp is not None
    assert not np.any(flat.warp[0])


def test_an_objectives_spread_may_grow_along_what_does_not_drive_the_cost() -> None:
    prior = objective_prior(box(3), np.array([-2.0, 0.5, 7.0]), MODEL)
    assert prior.amplitude_slope is not None
    mean, deviation = prior.amplitude_slope
    assert mean == 0.0
    assert np.asarray(deviation) == pytest.approx(MODEL.amplitude_deviation * np.array([1.0, 0.5, 0.1]))
    assert cost_prior(box(3), MODEL).amplitude_slope is None
    assert objective_prior(box(3), np.zeros(3), replace(MODEL, amplitude_deviation=0.0)).amplitude_slope is None


def test_choices_have_no_amplitude() -> None:
    """Their coordinates add up to the same for every choice, and to hundreds where there are many."""
    params = [Param("x", LinearSpace(0, 1)), Param("c", CategoricalSpace(tuple(f"c{i}" for i in range(1000))))]
    prior = objective_prior(as_space(params), np.zeros(2), MODEL)
    assert prior.amplitude_slope is not None
    deviation = np.asarray(prior.amplitude_slope[1])
    assert deviation[0] == MODEL.amplitude_deviation
    assert deviation[1] < 1e-8


def test_the_cost_may_be_ten_thousand_times_as_high_in_the_middle_of_the_space() -> None:
    assert math.sqrt(cost_prior(box(2), MODEL).mean_variance) == pytest.approx(math.log(1e4))


def test_success_turns_within_half_a_unit() -> None:
    hyper = success_hyperparameters(box(4), MODEL)
    assert hyper.length_scales.tolist() == [2.0] * 4
    assert np.sqrt(hyper.slopes).tolist() == [4.0] * 4
