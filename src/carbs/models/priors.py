"""Priors of the models: the assumptions on an objective, a cost and a limit before any run."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from carbs.arrays import Array
from carbs.models.kernel import Hyperparameters
from carbs.spaces.search_space import SearchSpace
from carbs.tuning import DEFAULT, ModelTuning

# Slopes of the log cost that count for the saturation of the objective. A hyperparameter that makes runs cheaper as it
# grows (a batch size) has no part in it, and one that drives the cost saturates once, however steep the cost is.
_COUNTED_SLOPES = (0.0, 1.0)
# Share of an amplitude's deviation that is left along a hyperparameter that drives the cost: that the objective spreads
# less at its expensive end is what the saturation says.
_LEAST_AMPLITUDE = 0.1
# Of a choice: its coordinates, one for each choice, add up to the same for all, so that an amplitude says nothing.
_NO_AMPLITUDE = 1e-9


@dataclass(frozen=True)
class Prior:
    """Independent normal priors on the logarithms of the hyperparameters, on the warps and on the amplitude's slopes.

    Attributes:
        length_scale: Mean and standard deviation for every length scale.
        signal: For s2.
        slope: For every b2.
        noise: For t2.
        warp: Means of the warps, shape (P,) or one for all, and their standard deviation; None leaves warps out.
        amplitude_slope: Mean of the g, and their standard deviations, shape (P,) or one for all; None leaves them out.
        mean_variance: m2 itself.
        noise_bounds: Bounds of the logarithm of t2 in a fit.
    """

    length_scale: tuple[float, float]
    signal: tuple[float, float]
    slope: tuple[float, float]
    noise: tuple[float, float]
    warp: tuple[Array | float, float] | None = None
    amplitude_slope: tuple[float, Array | float] | None = None
    mean_variance: float = 1.0
    noise_bounds: tuple[float, float] = DEFAULT.model.noise_bounds


def objective_prior(space: SearchSpace, cost_slopes: Array, tuning: ModelTuning) -> Prior:
    """Return the prior of the standardised objective.

    Args:
        space: The search space.
        cost_slopes: Slopes of the log cost along the hyperparameters, shape (P,).
        tuning: The tuned constants.
    """
    counted = np.clip(cost_slopes, *_COUNTED_SLOPES)
    is_choice = np.array([part.width > 1 for part in space.spaces])
    amplitude_share = np.where(is_choice, _NO_AMPLITUDE, np.maximum(1 - counted, _LEAST_AMPLITUDE))
    return Prior(
        _length_scale_prior(space, tuning),
        signal=tuning.signal,
        slope=tuning.objective_slope,
        noise=tuning.objective_noise,
        warp=(-tuning.saturation * counted, tuning.warp_deviation),
        amplitude_slope=(0.0, tuning.amplitude_deviation * amplitude_share) if tuning.amplitude_deviation else None,
        noise_bounds=tuning.noise_bounds,
    )


def cost_prior(space: SearchSpace, tuning: ModelTuning) -> Prior:
    """Return the prior of the natural logarithm of the cost."""
    return Prior(
        _length_scale_prior(space, tuning),
        signal=tuning.signal,
        slope=tuning.cost_slope,
        noise=tuning.cost_noise,
        mean_variance=tuning.cost_mean_variance,
        noise_bounds=tuning.noise_bounds,
    )


def success_hyperparameters(space: SearchSpace, tuning: ModelTuning) -> Hyperparameters:
    """Return the hyperparameters of the latent function behind the probability of success."""
    length_scales = np.full(space.width, math.sqrt(len(space.params)))
    slopes = np.full(space.width, tuning.success_slope)
    return Hyperparameters(length_scales, signal=tuning.success_signal, slopes=slopes, noise=0.0)


def _length_scale_prior(space: SearchSpace, tuning: ModelTuning) -> tuple[float, float]:
    # A function of d relevant inputs varies over distances that grow with sqrt(d) (Hvarfner et al. 2024, "Vanilla
    # Bayesian Optimization Performs Great in High Dimensions").
    return 0.5 * math.log(len(space.params)) + tuning.length_scale_offset, tuning.length_scale_deviation
