"""Gaussian process classification: the probability that a run succeeds, by Laplace's approximation.

Source: Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006 (R&W), chapter 3. The hyperparameters
are fixed: a search sees few failures, too few to learn a length scale for each hyperparameter from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.special import log_ndtr

from carbs.arrays import Array
from carbs.models.kernel import Hyperparameters, Mapped, kernel, mapped_variance

_LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)
# Newton's method converges in about eight steps; a step smaller than this changes no probability.
_MAX_STEPS = 30
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Classifier:
    """A probit classifier with a Gaussian process prior on its latent function.

    Attributes:
        hyper: Hyperparameters of the latent function; its noise is not used.
        X: Training inputs, shape (n, D).
        gradient: Gradient of the log likelihood at the mode, shape (n,).
        root: Square root of the likelihood's curvature at the mode, W^(1/2), shape (n,).
        L: Cholesky factor of I + W^(1/2) K W^(1/2), shape (n, n).
    """

    hyper: Hyperparameters
    X: Array
    gradient: Array
    root: Array
    L: Array

    @classmethod
    def fit(cls, hyper: Hyperparameters, X: Array, labels: Array) -> Classifier:
        """Find the mode of the latent function by Newton's method (R&W algorithm 3.1).

        Args:
            hyper: Hyperparameters.
            X: Shape (n, D).
            labels: 1 for success, -1 for failure, shape (n,).

        Returns:
            The classifier.
        """
        K = kernel(X, X, hyper)
        identity = np.eye(len(X))
        latent = np.zeros(len(X))
        for _ in range(_MAX_STEPS):
            gradient, curvature = _derivatives(latent, labels)
            root = np.sqrt(curvature)
            L = cholesky(identity + root[:, None] * K * root[None, :], lower=True, check_finite=False)
            b = curvature * latent + gradient
            half = solve_triangular(L, root * (K @ b), lower=True, check_finite=False)
            a = b - root * solve_triangular(L, half, lower=True, trans=1, check_finite=False)
            previous, latent = latent, K @ a
            if np.max(np.abs(latent - previous)) < _TOLERANCE:
                break
        return cls(hyper, X, gradient, root, L)

    def log_probability(self, points: Array) -> Array:
        """Predict the logarithm of the probability of success (R&W algorithm 3.2 and equation 3.82).

        Args:
            points: Shape (m, D).

        Returns:
            Shape (m,).
        """
        cross = kernel(points, self.X, self.hyper)
        half = solve_triangular(self.L, (cross * self.root).T, lower=True, check_finite=False)
        prior = mapped_variance(Mapped.of(points, self.hyper), self.hyper)
        variance = np.maximum(prior - np.sum(half * half, 0), 0.0)
        return np.asarray(log_ndtr(cross @ self.gradient / np.sqrt(1 + variance)))


def _derivatives(latent: Array, labels: Array) -> tuple[Array, Array]:
    """Compute gradient and negative curvature of the probit log likelihood (R&W equation 3.16)."""
    z = labels * latent
    ratio = np.exp(-0.5 * z * z - _LOG_SQRT_2PI - log_ndtr(z))
    return labels * ratio, ratio * (z + ratio)
