"""The first guess of a response surface: an upper quantile of the runs, and the weighted mean of the best ones."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from carbs.arrays import Array, Flags, Indices
from carbs.scaling.dispersion import Dispersion, first_dispersion
from carbs.scaling.frontier_curve import curve_basis, upper_quantile

# Runs at costs where the frontier is at a bound inform the law only by their curvatures.
_PINNED_WEIGHT = 0.1
# They have next to no say in where the line begins.
_PINNED_FIRST = 1e-6
# The share of a shortfall that is taken for its error, in the weights of the first guess.
_FIRST_KAPPA = 0.3
# The noise is expected to be a twentieth of the typical shortfall (`carbs.scaling.dispersion`).
_NOISE_ALONE = 20.0
# Spread of a shortfall of nothing, relative to that of the objectives: rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Runs:
    """The runs that the surface is fitted to, in an order that does not depend on the caller's.

    Attributes:
        X: Numeric search coordinates, shape (n, D).
        axes: Log10 of the cost, or of the sizes, shape (n, k).
        other: Covariates that only shift the objective (choices), shape (n, C).
        y: Objective, higher is better, shape (n,).
        is_free: Whether its cost is one at which no coordinate that drives the cost is at a bound along the frontier,
            shape (n,).
        drives_cost: Whether the axis is the cost, which is a function of X.
    """

    X: Array
    axes: Array
    other: Array
    y: Array
    is_free: Flags
    drives_cost: bool

    def select(self, places: Indices) -> Runs:
        """Return the runs at `places`."""
        arrays = {name: getattr(self, name)[places] for name in ("X", "axes", "other", "y", "is_free")}
        return replace(self, **arrays)


@dataclass(frozen=True)
class FirstGuess:
    """Where the fit of a surface begins.

    Attributes:
        multiplicity: How often each run counts, shape (n,).
        middle: Middle of the axes, shape (k,).
        span: Their range, shape (k,).
        basis: Columns of the frontier and of the shifts by choices, shape (n, F + C).
        num_curve: Number of the frontier's columns, F.
        smooth: What a prior keeps small of their coefficients, shape (P, F + C).
        shortfall: Distance of each run below the upper quantile, shape (n,).
        unit: Typical shortfall.
        height: Range of the frontier.
        dispersion: How far each run scatters.
        direction: Direction q in which the cost grows, zero if the axes are sizes, shape (D,).
        across: Orthonormal directions that leave the axes unchanged, shape (D, E).
        along: Position and slopes of the line along q, shapes (1,) and (k, 1).
        level: Coefficients of the basis, shape (F + C,).
        position: Position of the line across, shape (E,).
        slopes: Its slopes, shape (k, E).
        curvature: Logarithm of the root of every curvature.
    """

    multiplicity: Array
    middle: Array
    span: Array
    basis: Array
    num_curve: int
    smooth: Array
    shortfall: Array
    unit: float
    height: float
    dispersion: Dispersion
    direction: Array
    across: Array
    along: tuple[Array, Array]
    level: Array
    position: Array
    slopes: Array
    curvature: float


def first_guess(runs: Runs) -> FirstGuess:
    """Guess the surface of the runs."""
    middle, span = (np.max(runs.axes, 0) + np.min(runs.axes, 0)) / 2, np.ptp(runs.axes, axis=0)
    multiplicity = np.where(runs.is_free, 1.0, _PINNED_WEIGHT)
    curve, penalty = curve_basis(runs.axes)
    num_choices = runs.other.shape[1]
    basis = np.hstack([curve, runs.other - np.mean(runs.other, 0)])
    smooth = np.zeros((len(penalty) + num_choices, basis.shape[1]))
    smooth[: len(penalty), : curve.shape[1]] = penalty
    smooth[len(penalty) :, curve.shape[1] :] = np.eye(num_choices)

    shortfall = np.maximum(upper_quantile(basis, smooth, runs.y, multiplicity) - runs.y, 0.0)
    below = shortfall[shortfall > 0]
    least = _ROUNDING * float(np.ptp(runs.y)) or 1.0
    unit = max(float(np.median(below)), least) if len(below) else least
    if not runs.X.shape[1]:  # nothing can be off its optimum: shortfalls are noise
        unit *= _NOISE_ALONE
    dispersion = first_dispersion(shortfall, unit)
    weights = multiplicity / ((_FIRST_KAPPA * unit) ** 2 + (shortfall * (1 + shortfall / unit)) ** 2)
    weights /= np.max(weights)

    t = runs.axes - middle
    direction, across, along = _directions(runs, t, weights)
    position, slopes = _regress(t, runs.X @ across, weights * np.where(runs.is_free, 1.0, _PINNED_FIRST))
    offset = runs.X @ across - position - t @ slopes
    num_across = across.shape[1]
    square = float(np.mean(np.average(offset**2, axis=0, weights=weights))) if num_across else 1.0
    mean_shortfall = float(np.average(shortfall, weights=weights)) + dispersion.noise
    top, root = runs.y + shortfall, np.sqrt(weights)
    stacked = np.vstack([basis * root[:, None], 1e-3 * smooth])
    level = np.linalg.lstsq(stacked, np.append(top * root, np.zeros(len(smooth))), rcond=None)[0]
    return FirstGuess(
        multiplicity=multiplicity,
        middle=middle,
        span=span,
        basis=basis,
        num_curve=curve.shape[1],
        smooth=smooth,
        shortfall=shortfall,
        unit=unit,
        height=float(np.ptp(top)) + dispersion.noise,
        dispersion=dispersion,
        direction=direction,
        across=across,
        along=along,
        level=level,
        position=position,
        slopes=slopes,
        curvature=0.5 * math.log(mean_shortfall / max(num_across, 1) / (square + 1e-6)),
    )


def _directions(runs: Runs, t: Array, weights: Array) -> tuple[Array, Array, tuple[Array, Array]]:
    """Return `direction`, `across` and `along` of the first guess."""
    num_params = runs.X.shape[1]
    if not runs.drives_cost:
        return np.zeros(num_params), np.eye(num_params), (np.zeros(1), np.zeros((t.shape[1], 1)))
    q = cost_direction(runs.X, runs.axes[:, 0], weights)
    across = np.linalg.svd(np.eye(num_params) - np.outer(q, q))[0][:, : num_params - 1]
    return q, across, _regress(t, (runs.X @ q)[:, None], weights)


def cost_direction(X: Array, t: Array, weights: Array) -> Array:
    """Return the unit vector q along which the cost grows near the frontier, by ridge regression, shape (D,)."""
    root = np.sqrt(weights)[:, None]
    A = (X - weights @ X / np.sum(weights)) * root
    target = (t - weights @ t / np.sum(weights)) * root[:, 0]
    gram = A.T @ A
    gradient = np.linalg.solve(gram + (1e-6 * np.trace(gram) + 1e-12) * np.eye(len(gram)), A.T @ target)
    norm = float(np.linalg.norm(gradient))
    return gradient / norm if norm > 0 else np.eye(len(gram))[0]


def _regress(t: Array, Z: Array, weights: Array) -> tuple[Array, Array]:
    """Return intercepts, shape (q,), and slopes, shape (k, q), of the columns of `Z` over `t`, by weighted squares."""
    A = np.hstack([np.ones((len(t), 1)), t])
    gram = A.T @ (weights[:, None] * A)
    gram += 1e-9 * np.trace(gram) / len(gram) * np.eye(len(gram))
    solution = np.linalg.solve(gram, A.T @ (weights[:, None] * Z)).astype(float)
    return solution[0], solution[1:]
