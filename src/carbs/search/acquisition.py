r"""Acquisition values, computed as logarithms so that no product of densities and probabilities underflows.

The acquisition is the expected gain in hypervolume of the frontier of (log cost, objective). With independent normal
beliefs on a candidate's objective f and log cost c, and v(t) the best objective that the frontier offers at log cost t,

    E[gain] = \int_{-inf}^{T} P(c <= t) E[max(f - v(t), 0)] dt,

and v is a step function, so that the integral is a sum over its steps. T is the largest log cost that counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr

from carbs.arrays import Array

_SQRT2 = math.sqrt(2.0)
_LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)
_FAR = -1e5  # beyond it 1 / z^2 is more exact than what is left of the digits
_LOG_SQRT_HALF_PI = 0.5 * math.log(math.pi / 2)


@dataclass(frozen=True)
class Steps:
    """The frontier as a step function of log cost, for S alternative frontiers.

    Attributes:
        start: Log costs at which the steps begin, increasing, -inf first; shape (S, k).
        value: Best objective from there on; the first is the reference below which nothing counts; shape (S, k).
        end: Largest log cost that counts, T.
    """

    start: Array
    value: Array
    end: float


def steps(objective: Array, log_cost: Array, reference: float, end: float, begin: float = -math.inf) -> Steps:
    """Build the step functions of S alternative sets of points.

    Args:
        objective: Higher is better, shape (n, S).
        log_cost: Shape (n, S).
        reference: Objective below which nothing counts.
        end: Largest log cost that counts.
        begin: Smallest log cost that counts.

    Returns:
        Steps; padded with empty ones to equal length.
    """
    order = np.argsort(log_cost, axis=0, kind="stable")
    start = np.clip(np.take_along_axis(log_cost, order, 0), begin, end)
    value = np.maximum(np.maximum.accumulate(np.take_along_axis(objective, order, 0), axis=0), reference)
    num_sets = objective.shape[1]
    start = np.vstack([np.full((1, num_sets), begin), start]).T
    value = np.vstack([np.full((1, num_sets), reference), value]).T
    # Steps that do not rise add nothing but work: each function keeps its own that do, and ends in empty ones.
    rises = np.concatenate([np.full((num_sets, 1), True), np.diff(value, axis=1) > 0], axis=1)
    kept = np.argsort(~rises, axis=1, kind="stable")[:, : np.max(np.sum(rises, axis=1))]
    is_step = np.take_along_axis(rises, kept, 1)
    start = np.where(is_step, np.take_along_axis(start, kept, 1), end)
    value = np.where(is_step, np.take_along_axis(value, kept, 1), value[:, -1:])
    return Steps(start, value, end)


def log_h(z: Array) -> Array:
    """Compute log(phi(z) + z Phi(z)), the logarithm of the standardised expected improvement.

    Stable for any z (Ament et al. 2023, "Unexpected Improvements to Expected Improvement", equation 9).
    """
    z = np.asarray(z, float)
    result = np.empty_like(z)
    high = z > -1
    zh = z[high]
    result[high] = np.log(np.exp(-0.5 * zh * zh) / math.sqrt(2 * math.pi) + zh * ndtr(zh))
    low = z[~high]
    # phi(z) (1 - |z| sqrt(pi/2) erfcx(|z| / sqrt(2))); for very negative z the bracket tends to 1 / z^2.
    near = np.maximum(low, _FAR)
    bracket = np.log1p(-np.exp(np.log(erfcx(-near / _SQRT2) * -near) + _LOG_SQRT_HALF_PI))
    bracket = np.where(low < _FAR, -2 * np.log(-low), bracket)
    result[~high] = -0.5 * low * low - _LOG_SQRT_2PI + bracket
    return result


def log_expected_gain(mean: Array, deviation: Array, log_cost: Array, log_cost_deviation: Array, front: Steps) -> Array:
    """Compute the logarithm of the expected gain in hypervolume, averaged over the S frontiers.

    Args:
        mean: Expected objective, shape (m, S).
        deviation: Its standard deviation, shape (m,).
        log_cost: Expected log cost, shape (m, S).
        log_cost_deviation: Its standard deviation, shape (m,).
        front: The S frontiers.

    Returns:
        Shape (m,).
    """
    sigma = np.maximum(deviation, 1e-12)[:, None, None]
    log_improvement = np.log(sigma) + log_h((mean[:, :, None] - front.value[None]) / sigma)
    tau = np.maximum(log_cost_deviation, 1e-6)[:, None, None]
    starts = np.concatenate([front.start, np.full((len(front.start), 1), front.end)], axis=1)
    # \int_{-inf}^{t} Phi((u - c) / tau) du = tau h((t - c) / tau): the width of each step that the candidate can claim.
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (starts[None] - log_cost[:, :, None]) / tau
        log_integral = np.where(np.isneginf(z), -np.inf, np.log(tau) + log_h(np.where(np.isneginf(z), -1.0, z)))
        ratio = np.exp(log_integral[..., :-1] - log_integral[..., 1:])
        log_width = log_integral[..., 1:] + np.log1p(-np.minimum(ratio, 1.0))
    log_width = np.where(np.isnan(log_width), -np.inf, log_width)
    num_sets = log_width.shape[1]
    return log_sum((log_width + log_improvement).reshape(len(mean), -1)) - math.log(num_sets)


def log_sum(logarithms: Array) -> Array:
    """Return the logarithm of the sum of each row of exponentials; shapes (m, k) and (m,)."""
    highest = np.max(logarithms, axis=1, keepdims=True)
    shift = np.where(np.isfinite(highest), highest, 0.0)
    with np.errstate(divide="ignore"):
        total: Array = np.log(np.sum(np.exp(logarithms - shift), axis=1)) + shift[:, 0]
    return total


def log_probability_below(mean: Array, deviation: Array, limit: float) -> Array:
    """Compute log P(value <= limit) of normal beliefs; shapes (m,)."""
    return np.asarray(log_ndtr((limit - mean) / np.maximum(deviation, 1e-12)))
