r"""The kernel of the Gaussian processes, its hyperparameters, and the notation of this folder.

Notation (R&W is Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006):

========== ============ ==================================================================
symbol     shape        meaning
========== ============ ==================================================================
n, D       scalars      training points, search coordinates
m, S       scalars      test points, output columns that share one covariance
X          (n, D)       training inputs
y          (n, S)       outputs, about zero mean: objectives of unit variance, log costs in nats
count      (n,)         observations that each output is the mean of
l          (D,)         length scales
k          (D,)         warps: X stands for (exp(k x) - 1) / k, which is x where k = 0
g          (D,)         slopes of the log amplitude: a(x) = exp(g'x), of x before it is warped
b2         (D,)         variances of the slopes
s2, t2     scalars      variance of the Matern part, of the noise
m2         scalar       prior variance of the mean; not fitted
K          (n, n)       s2 * a a' * matern(r) + X diag(b2) X' + m2 + diag(t2 / count)
L          (n, n)       lower Cholesky factor of K
alpha      (n, S)       K^-1 y
========== ============ ==================================================================

A warp makes a function change faster towards one end of a hyperparameter than towards the other: the first epochs
change more than the last. With the linear part it also describes power laws that saturate. (Input warping as in Snoek
et al. 2014, "Input Warping for Bayesian Optimization of Non-stationary Functions", with one parameter in place of two.)

The amplitude makes outputs spread more at one end than at the other: where the learning rate is next to nothing, all
configurations end alike. A stationary kernel takes those differences for as large as any.

The linear part lets a model extrapolate (a power law where the output is the logarithm of a cost), and every
hyperparameter has a slope of its own size: a few drive a cost steeply, the others not at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from carbs.arrays import Array

SQRT5 = math.sqrt(5.0)
# Added to the diagonal: keeps the Cholesky factor of near-duplicates finite, a thousandth of the smallest noise.
JITTER = 1e-9
# Where the space is not bounded, a warp goes on straight from this coordinate on: it must not explode.
_WARP_REACH = 3.0
# From this coordinate on an amplitude stays as it is: the bound of a bounded hyperparameter. Those of many
# hyperparameters multiply.
_AMPLITUDE_REACH = 1.0
_NO_WARP = 1e-4  # below it the derivative loses more to rounding than the warp is worth


@dataclass(frozen=True)
class Hyperparameters:
    """The values that a fit finds, and the given m2; see the notation table of this module.

    Attributes:
        length_scales: l.
        signal: s2.
        slopes: b2, the variances of the slopes.
        noise: t2.
        warps: k, None for none.
        mean_variance: m2.
        amplitude_slopes: g, None for none.
    """

    length_scales: Array
    signal: float
    slopes: Array
    noise: float
    warps: Array | None = None
    mean_variance: float = 1.0
    amplitude_slopes: Array | None = None


@dataclass(frozen=True)
class Mapped:
    """Points as the kernel counts with them.

    Attributes:
        warped: Their warped coordinates, shape (m, D).
        amplitude: a, shape (m,); None for one everywhere.
    """

    warped: Array
    amplitude: Array | None

    @classmethod
    def of(cls, points: Array, hyper: Hyperparameters) -> Mapped:
        """Map `points`, shape (m, D)."""
        slopes = hyper.amplitude_slopes
        return cls(warp(points, hyper.warps), None if slopes is None else amplitude(points, slopes))


def within_amplitude(points: Array) -> Array:
    """Return the `points`, shape (m, D), moved to where amplitudes change."""
    return np.clip(points, -_AMPLITUDE_REACH, _AMPLITUDE_REACH)


def amplitude(points: Array, slopes: Array) -> Array:
    """Return the amplitudes of `points`, shape (m, D), by the slopes of their logarithm, shape (D,); shape (m,)."""
    found: Array = np.exp(within_amplitude(points) @ slopes)
    return found


def warp(points: Array, warps: Array | None) -> Array:
    """Map points to the coordinates in which the kernel bends alike everywhere.

    Args:
        points: Shape (m, D).
        warps: Shape (D,); None for none.

    Returns:
        Shape (m, D), increasing in every coordinate.
    """
    return points if warps is None else warp_and_slope(points, warps)[0]


def warp_and_slope(points: Array, warps: Array) -> tuple[Array, Array]:
    """Return the warped points and their derivatives with respect to the warps, both of shape (m, D)."""
    k = np.where(np.abs(warps) < _NO_WARP, _NO_WARP, warps)
    inner = np.clip(points, -_WARP_REACH, _WARP_REACH)
    grown = np.expm1(k * inner)
    growth, warped = grown + 1, grown / k
    beyond = growth * (points - inner)
    return warped + beyond, (inner * growth - warped) / k + inner * beyond


def kernel(A: Array, B: Array, hyper: Hyperparameters) -> Array:
    """Compute the prior covariance (without noise) between two sets of points.

    Args:
        A: Shape (a, D).
        B: Shape (b, D).
        hyper: Hyperparameters.

    Returns:
        Shape (a, b); Matern-5/2 (R&W equation 4.17) plus linear plus constant.
    """
    return mapped_kernel(Mapped.of(A, hyper), Mapped.of(B, hyper), hyper)


def mapped_kernel(A: Mapped, B: Mapped, hyper: Hyperparameters) -> Array:
    """Compute `kernel` of points that are mapped already."""
    scales = hyper.length_scales / SQRT5
    z = np.sqrt(squared_distances(A.warped / scales, B.warped / scales))
    covariance = polynomial(z)
    np.negative(z, out=z)
    covariance *= np.exp(z, out=z)
    covariance *= hyper.signal
    if A.amplitude is not None and B.amplitude is not None:
        covariance *= A.amplitude[:, None]
        covariance *= B.amplitude
    covariance += (A.warped * hyper.slopes) @ B.warped.T
    covariance += hyper.mean_variance
    return covariance


def mapped_variance(points: Mapped, hyper: Hyperparameters) -> Array:
    """Return the diagonal of `mapped_kernel(points, points)`, shape (m,)."""
    signal = hyper.signal * (1.0 if points.amplitude is None else points.amplitude**2)
    diagonal: Array = signal + points.warped**2 @ hyper.slopes + hyper.mean_variance
    return diagonal


def squared_distances(A: Array, B: Array) -> Array:
    """Compute the squared distances between `A`, shape (a, D), and `B`, shape (b, D); shape (a, b)."""
    squared: Array = A @ (-2 * B.T)
    squared += np.sum(A * A, 1)[:, None]
    squared += np.sum(B * B, 1)
    return np.maximum(squared, 0.0, out=squared)  # rounding can leave a small negative number


def polynomial(z: Array) -> Array:
    """Return 1 + z + z^2 / 3, in place: most of a kernel's time goes into large arrays."""
    result = z / 3
    result += 1
    result *= z
    result += 1
    return result
