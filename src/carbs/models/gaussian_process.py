"""Exact Gaussian process regression: the posterior; notation in `carbs.models.kernel`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.linalg.lapack import dpotri, dtrtrs

from carbs.arrays import Array
from carbs.models.kernel import JITTER, Hyperparameters, Mapped, kernel, mapped_kernel, mapped_variance
from carbs.models.noise import Noise

# Points whose means are predicted together: 10,000 at once, from 1500 outputs, took at least 1.8 times as long.
_AT_ONCE = 500


@dataclass(frozen=True)
class Posterior:
    """A Gaussian process conditioned on data; see the notation table of `carbs.models.kernel`."""

    hyper: Hyperparameters
    X: Array
    L: Array
    alpha: Array

    @classmethod
    def condition(cls, hyper: Hyperparameters, X: Array, y: Array, noise: Noise) -> Posterior:
        """Condition on outputs `y`, shape (n, S), at `X`, with their noise."""
        K = kernel(X, X, hyper)
        jitter = JITTER
        while True:
            noisy = K.copy()
            noise.add_to(noisy, hyper.noise, jitter)
            try:
                L = cholesky(noisy, lower=True, check_finite=False)
            except np.linalg.LinAlgError:
                # Rounding made K indefinite: a larger diagonal always ends this, at the price of a little smoothing.
                jitter *= 100
                continue
            return cls(hyper, X, L, cho_solve((L, True), y, check_finite=False))

    @cached_property
    def _mapped(self) -> Mapped:
        return Mapped.of(self.X, self.hyper)

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Predict the noise-free output.

        Args:
            points: Shape (m, D).

        Returns:
            Mean, shape (m, S), and standard deviation, shape (m,) (R&W algorithm 2.1).
        """
        mapped = Mapped.of(points, self.hyper)
        cross = mapped_kernel(self._mapped, mapped, self.hyper)
        mean = cross.T @ self.alpha
        half, _ = dtrtrs(self.L, cross, lower=1, overwrite_b=1)
        variance = mapped_variance(mapped, self.hyper) - np.einsum("ij,ij->j", half, half)
        return mean, np.sqrt(np.maximum(variance, 1e-12))

    def mean(self, points: Array) -> Array:
        """Predict the noise-free output's mean alone, which is much faster; shape (m, S)."""
        starts = range(0, max(len(points), 1), _AT_ONCE)
        parts = (Mapped.of(points[start : start + _AT_ONCE], self.hyper) for start in starts)
        return np.vstack([mapped_kernel(self._mapped, part, self.hyper).T @ self.alpha for part in parts])

    def leave_one_out(self) -> tuple[Array, Array]:
        """Predict each output from all others (R&W equations 5.10 to 5.12).

        Returns:
            What was seen less what is expected, shape (n, S), and its standard deviation, with the noise, shape (n,).
        """
        inverse, _ = dpotri(self.L, lower=1)
        precision = np.diag(inverse)
        return self.alpha / precision[:, None], 1 / np.sqrt(precision)

    def expected_slopes(self) -> Array:
        """Return the expected slopes of the linear part, in warped coordinates; shape (D, S)."""
        expected: Array = (self._mapped.warped * self.hyper.slopes).T @ self.alpha
        return expected

    def covariance(self, A: Array, B: Array) -> Array:
        """Return the posterior covariance of the noise-free outputs at `A`, shape (a, D), and `B`, shape (b, D)."""
        half_A, half_B = (
            solve_triangular(self.L, kernel(self.X, points, self.hyper), lower=True, check_finite=False)
            for points in (A, B)
        )
        covariance: Array = kernel(A, B, self.hyper) - half_A.T @ half_B
        return covariance

    def sample(self, points: Array, noise: Array) -> Array:
        """Draw the noise-free outputs at `points` jointly.

        Args:
            points: Shape (m, D).
            noise: Standard normal numbers, shape (m, S).

        Returns:
            Shape (m, S).
        """
        return draw(kernel(points, self.X, self.hyper) @ self.alpha, self.covariance(points, points), noise)


def draw(mean: Array, covariance: Array, noise: Array) -> Array:
    """Draw from a normal distribution, whose covariance may be singular.

    Args:
        mean: Shape (m, S), or (m, 1) for all draws.
        covariance: Shape (m, m).
        noise: Standard normal numbers, shape (m, S).

    Returns:
        Shape (m, S).
    """
    values, vectors = np.linalg.eigh(covariance)
    draws: Array = mean + vectors @ (np.sqrt(np.maximum(values, 0.0))[:, None] * noise)
    return draws
