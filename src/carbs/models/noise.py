"""The noise of outputs: independent between runs, nearly the same at all points of one run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from carbs.arrays import Array, Indices

# Correlation of the noise at two points of one run. Seed, order of the data and machine are the same for both; what
# differs is the noise of an evaluation.
_WITHIN_RUN = 0.9
_NONE: Indices = np.empty(0, dtype=np.intp)


@dataclass(frozen=True)
class Noise:
    """Covariance of the noise of n outputs, in units of the noise variance of a single run.

    Attributes:
        count: Number of runs that each output is the mean of, shape (n,).
        run: Number of the run that each output is a point of, shape (n,); outputs of different runs have different
            ones. None where no two outputs are of the same run.
    """

    count: Array
    run: Indices | None = None

    def of(self, chosen: Indices) -> Noise:
        """Return the noise of the outputs at the indices `chosen`."""
        return Noise(self.count[chosen], None if self.run is None else self.run[chosen])

    def and_new(self, number: int) -> Noise:
        """Return the noise with that of so many outputs of runs of their own added at the end."""
        count = np.concatenate([self.count, np.ones(number)])
        if self.run is None:
            return Noise(count)
        return Noise(count, np.concatenate([self.run, np.max(self.run) + 1 + np.arange(number)]))

    def add_to(self, K: Array, variance: float, jitter: float) -> None:
        """Add the noise to a covariance matrix, shape (n, n), in place.

        Args:
            K: The matrix.
            variance: Noise variance of a single run.
            jitter: Added to the diagonal as well.
        """
        K[np.diag_indices(len(K))] += variance / self.count + jitter
        K[self._pairs] += _WITHIN_RUN * variance

    def inner(self, W: Array, variance: float) -> float:
        """Return the sum of the products of the elements of a matrix `W`, shape (n, n), and of what `add_to` adds."""
        independent = np.sum(W[np.diag_indices(len(W))] * variance / self.count)
        return float(independent + _WITHIN_RUN * variance * np.sum(W[self._pairs]))

    @cached_property
    def _pairs(self) -> tuple[Indices, Indices]:
        """Rows and columns of the pairs of different outputs of one run."""
        if self.run is None:
            return _NONE, _NONE
        rows, columns = np.nonzero(self.run[:, None] == self.run[None])
        is_pair = rows != columns
        return rows[is_pair], columns[is_pair]
