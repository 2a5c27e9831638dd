"""Priors of the models: what is believed of an objective, a cost and a limit before any run."""

from __future__ import annotations

import math

import numpy as np

from carbs.arrays import Array
from carbs.models import gaussian_process as gp
from carbs.spaces.search_space import SearchSpace

# A noise deviation of 3 % of the spread of the objectives, give or take a factor of e: a typical spread between seeds.
_NOISE_PRIOR = (math.log(1e-3), 2.0)
# Within one deviation, the rate of change grows e-fold more or less than expected across a bounded hyperparameter.
_WARP_DEVIATION: float | None = 0.5
# What drives the cost saturates (learning curves, scaling laws: what the first epochs or parameters bring, the last do
# not): the rate of change is expected to fall e-fold for a search unit, if the cost grows as fast, and by less, if it
# grows less. What makes runs cheaper as it grows (a batch size) does so for the machine's sake, and tells nothing.
_SATURATION = 1.0


def _length_scale_prior(space: SearchSpace) -> tuple[float, float]:
    # A function of d relevant inputs varies over distances that grow with sqrt(d) (Hvarfner et al. 2024, "Vanilla
    # Bayesian Optimization Performs Great in High Dimensions"). The offset is where intervals were calibrated: with
    # longer scales a fit to 20 runs of 8 hyperparameters is too sure of itself (90 % intervals held 80 %).
    return 0.5 * math.log(len(space.params)) - 0.4, 0.7


def objective_prior(space: SearchSpace, cost_slopes: Array) -> gp.Prior:
    """Return the prior of the standardised objective.

    Args:
        space: The search space.
        cost_slopes: Slopes of the log cost along the search coordinates, shape (D,).
    """
    warp = None
    if _WARP_DEVIATION is not None:
        warp = (-_SATURATION * np.clip(cost_slopes, 0.0, 1.0), _WARP_DEVIATION)
    # Objectives bend, but "more of this is better" is common: slopes of half the spread for a search unit, give or take
    # a factor of e.
    return gp.Prior(
        _length_scale_prior(space), signal=(0.0, 1.0), slope=(math.log(0.3), 2.0), noise=_NOISE_PRIOR, warp=warp
    )


def cost_prior(space: SearchSpace) -> gp.Prior:
    """Return the prior of the natural logarithm of the cost."""
    # Natural logarithms of the cost. It is close to a power law of a few hyperparameters and ignores the rest: within
    # two deviations, a search unit changes it by e^(1/e^2), which is next to nothing, up to e^e^2, more than a thousand
    # times; and around that there is a factor of e. Run times vary by 5 % (what else the machine does), give or take a
    # factor of e. In the middle of the space the cost may be 10^4 times as high or low as in the runs so far: a search
    # that starts in a cheap corner must not believe that the whole space is cheap.
    return gp.Prior(
        _length_scale_prior(space),
        signal=(0.0, 1.0),
        slope=(0.0, 2.0),
        noise=(2 * math.log(0.05), 2.0),
        mean_variance=math.log(1e4) ** 2,
    )


def success_hyperparameters(space: SearchSpace) -> gp.Hyperparameters:
    """Return the hyperparameters of the latent function behind the probability of success."""
    # Limits (of memory, of stability) are sharp surfaces across the space: the latent function may rise by four probits
    # over a search unit, from a coin's toss to near certainty in half a unit, in any direction, and bend by as much.
    length_scales = np.full(space.width, math.sqrt(len(space.params)))
    return gp.Hyperparameters(length_scales, signal=16.0, slopes=np.full(space.width, 16.0), noise=0.0)
