"""A smooth curve over the axes, and the first guess of the frontier: an upper quantile of the runs.

The axes are log10 of the cost, or of the sizes that are given. Diverged runs are only ever worse than they should be,
so a high quantile of the objective does not see them.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import BSpline

from carbs.arrays import Array

# Bends of a frontier over a few decades of cost; a prior on second differences smooths them.
_NUM_SPLINES = 8
# Sizes come in fewer different values than costs.
_NUM_SPLINES_EACH = 6
# A tenth of the runs beats their frontier by noise; nine tenths are worse, diverged or not.
_QUANTILE = 0.9
# Residuals below this share of the spread count alike, so that weights stay finite.
_SMALLEST_RESIDUAL = 1e-3
# Weight of the squared second differences, relative to that of the runs: bends are of the size of the spread.
_STIFFNESS = 1e-4
_ROUNDS = 40  # of reweighting; the quantile settles after about twenty


def curve_basis(axes: Array) -> tuple[Array, Array]:
    """Return the columns of a smooth function of the axes, and the second differences that a prior keeps small.

    The function is a sum of one cubic spline for each axis and, for two axes, the product of each pair.

    Args:
        axes: Shape (n, k).

    Returns:
        The columns, shape (n, F), and the differences of their coefficients, shape (P, F).
    """
    num_axes = axes.shape[1]
    blocks, penalties = [], []
    for t in axes.T:
        num_values = len(np.unique(np.round(t, 9)))
        num = min(_NUM_SPLINES if num_axes == 1 else _NUM_SPLINES_EACH, max(num_values, 4))
        blocks.append(_splines(t, num))
        penalties.append(np.diff(np.eye(num), 2, axis=0))
    centred = (axes - (np.max(axes, 0) + np.min(axes, 0)) / 2) / np.maximum(np.ptp(axes, axis=0), 1e-3)
    for i, j in zip(*np.tril_indices(num_axes, -1), strict=True):
        blocks.append((centred[:, i] * centred[:, j])[:, None])
        penalties.append(np.eye(1))
    return np.hstack(blocks), _block_diagonal(penalties)


def upper_quantile(basis: Array, penalty: Array, y: Array, weight: Array) -> Array:
    """Fit a smooth upper quantile of the objective by iteratively reweighted least squares.

    Args:
        basis: Columns of the smooth function, shape (n, F).
        penalty: Differences of coefficients to keep small, shape (P, F).
        y: Objective, higher is better, shape (n,).
        weight: Of each run, shape (n,).

    Returns:
        The quantile at each run, shape (n,).
    """
    spread = float(np.median(np.abs(y - np.median(y)))) or float(np.ptp(y)) or 1.0
    fitted = np.full(len(y), np.quantile(y, _QUANTILE))
    for _ in range(_ROUNDS):
        residual = y - fitted
        side = np.where(residual > 0, _QUANTILE, 1 - _QUANTILE)
        w = weight * side / np.maximum(np.abs(residual) / spread, _SMALLEST_RESIDUAL)
        gram = basis.T @ (w[:, None] * basis)
        gram += 1e-6 * np.trace(gram) / len(gram) * np.eye(len(gram))
        gram += _STIFFNESS * float(np.sum(w)) * (penalty.T @ penalty)
        fitted = basis @ np.linalg.solve(gram, basis.T @ (w * y))
    return fitted


def _splines(t: Array, num: int) -> Array:
    """Return `num` cubic B-splines over the range of `t`, shape (n, num)."""
    low, high = float(np.min(t)), float(np.max(t))
    if low == high:
        return np.hstack([np.ones((len(t), 1)), np.zeros((len(t), num - 1))])
    knots = np.concatenate([[low] * 3, np.linspace(low, high, num - 2), [high] * 3])
    design: Array = BSpline.design_matrix(np.clip(t, low, high), knots, 3).toarray()
    return design


def _block_diagonal(blocks: list[Array]) -> Array:
    rows, columns = (sum(block.shape[axis] for block in blocks) for axis in (0, 1))
    joined = np.zeros((rows, columns))
    row = column = 0
    for block in blocks:
        joined[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return joined
