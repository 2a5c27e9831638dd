"""How far runs scatter around the response surface, and which of them diverged.

A run's residual is Student-distributed with the variance noise^2 + (kappa * shortfall)^2: a surface is right near the
frontier only. Or the run diverged: then its residual is negative and may have any size. This mixture is what keeps a
quarter of diverged runs from widening the scatter of the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from carbs.arrays import Array

# Shortfalls are wrong by these shares of themselves: the likelihood chooses one. Below a fifth it trusts runs that are
# far from the frontier so much that they bend the line (benchmarks/scaling.py).
_KAPPAS = np.geomspace(0.2, 0.8, 4)
# Noise relative to the median shortfall: the likelihood chooses one.
_NOISES = np.geomspace(1e-3, 3.0, 16)
# Prior of the noise: 5 % of the median shortfall, give or take a factor of e.
_NOISE_PRIOR = (0.05, 1.0)
# Degrees of freedom of the residuals: one run in a thousand is off by far.
_STUDENT = 4.0
# A diverged run's residual is as likely in each of ten factors of e.
_DECADES = 10.0
# Share of diverged runs: never below one in a hundred, never above 60 %.
_SHARES = (0.01, 0.6)
# Prior of that share: one of twenty runs.
_SHARE_PRIOR = (1.0, 20.0)
_LOG_STUDENT = float(gammaln((_STUDENT + 1) / 2) - gammaln(_STUDENT / 2)) - 0.5 * math.log(_STUDENT * math.pi)


@dataclass(frozen=True)
class Dispersion:
    """How far each run scatters.

    Attributes:
        deviation: Standard deviation of each run, shape (n,).
        soundness: Probability that the run did not diverge, shape (n,).
        weight: Robust weight of its squared residual, shape (n,).
        share: Share of diverged runs.
        noise: Standard deviation at the frontier.
    """

    deviation: Array
    soundness: Array
    weight: Array
    share: float
    noise: float


def estimate_dispersion(
    residual: Array, shortfall: Array, multiplicity: Array, unit: float, used: float, last: Dispersion
) -> Dispersion:
    """Choose noise and kappa by likelihood, and judge each run.

    Args:
        residual: Objective less the surface, shape (n,).
        shortfall: Distance of the surface below the frontier, shape (n,).
        multiplicity: How often each run counts, shape (n,).
        unit: Typical shortfall.
        used: Effective number of the surface's parameters; residuals are smaller than errors for that.
        last: The judgement before.
    """
    sound = max(float(np.sum(last.soundness)), 1.0)
    inflated = residual**2 * (sound / max(sound - used, 0.25 * sound))
    noise, kappa = (grid.ravel() for grid in np.meshgrid(_NOISES * unit, _KAPPAS))
    variance = noise[:, None] ** 2 + (kappa[:, None] * shortfall) ** 2
    log_sound = _LOG_STUDENT - (_STUDENT + 1) / 2 * np.log1p(inflated / variance / _STUDENT) - 0.5 * np.log(variance)
    diverged = np.where(residual < 0, last.share / (_DECADES * (np.abs(residual) + unit)), 0.0)
    density = (1 - last.share) * np.exp(log_sound)
    total = -2 * np.sum(multiplicity * np.log(density + diverged + 1e-300), 1)
    center, width = _NOISE_PRIOR
    total += (np.log(noise / (center * unit)) / width) ** 2
    best = int(np.argmin(total))
    soundness = density[best] / (density[best] + diverged + 1e-300)
    deviation = np.sqrt(variance[best])
    weight = soundness * (_STUDENT + 1) / (_STUDENT + (residual / deviation) ** 2)
    hits, trials = _SHARE_PRIOR
    share = float(np.clip((np.sum(1 - soundness) + hits) / (len(residual) + trials), *_SHARES))
    return Dispersion(deviation, soundness, weight, share, float(noise[best]))


def first_dispersion(shortfall: Array, unit: float) -> Dispersion:
    """Return the dispersion to begin with: what is far below the frontier counts for next to nothing, shape (n,)."""
    noise = 0.1 * unit
    deviation = np.sqrt(noise**2 + (0.3 * shortfall * (1 + shortfall / unit)) ** 2)
    ones = np.ones(len(shortfall))
    return Dispersion(deviation, ones, ones, 0.1, noise)
