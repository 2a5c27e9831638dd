"""How sure a fit is of its hyperparameters: draws from the Laplace approximation of their posterior.

A dozen runs hardly show which hyperparameter matters, or how fast. The most probable setting is then sure of things
that nobody knows. A mixture of settings drawn from their posterior is not.
"""

from __future__ import annotations

import numpy as np

from carbs.arrays import Array, Indices
from carbs.models.fit import negative_log_posterior, pack, unpack
from carbs.models.kernel import Hyperparameters
from carbs.models.noise import Noise
from carbs.models.priors import Prior

# Step of the finite differences, as a share of the prior's deviation: gradients are exact, so it need not be small.
_STEP = 0.1


def draw(
    hyper: Hyperparameters,
    X: Array,
    y: Array,
    noise: Noise,
    within: float,
    owner: Indices,
    prior: Prior,
    normal: Array,
) -> list[Hyperparameters]:
    """Draw settings of the hyperparameters around those that a fit found.

    The posterior is taken for a normal distribution around its mode, with the second derivatives there (MacKay 1992,
    "A Practical Bayesian Framework for Backpropagation Networks", section 2.4; R&W section 3.4 for the method). They
    are differences of gradients. In no direction is it wider than the prior.

    Args:
        hyper: The mode.
        X: Shape (n, D).
        y: Shape (n,).
        noise: Of the n outputs.
        within: Sum of squared deviations of repeats from their means.
        owner: Index of the length scale and slope of each coordinate, shape (D,).
        prior: Priors.
        normal: Standard normal numbers, a row for each draw, shape (k, H) for at least as many H as hyperparameters.

    Returns:
        The k settings.
    """
    mode, low, high, deviation = pack(hyper, owner, prior)
    arguments = (X, y, noise, within, owner, prior)
    _, at_mode = negative_log_posterior(mode, *arguments)
    curvature = np.empty((len(mode), len(mode)))
    for place, step in enumerate(np.where(mode + _STEP * deviation > high, -_STEP, _STEP)):
        moved = mode.copy()
        moved[place] += step * deviation[place]
        curvature[place] = (negative_log_posterior(moved, *arguments)[1] - at_mode) * deviation / step
    # In units of the prior's deviations the prior alone has the curvature one.
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    steps = (normal[:, : len(mode)] / np.sqrt(np.maximum(values, 1.0))) @ vectors.T * deviation
    return [unpack(theta, owner, prior) for theta in np.clip(mode + steps, low, high)]
