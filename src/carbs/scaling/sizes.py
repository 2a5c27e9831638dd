"""Scaling laws over sizes that the user fixes, such as those of the model and of the data.

A law says transform(value) = a + b log10(n) + c log10(d) in the transform of the hyperparameter's own space. For a log
space that is value = 10^a n^b d^c.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from carbs.arrays import Array
from carbs.errors import CarbsError, Problem, raise_problems
from carbs.intervals import HALF_WIDTH
from carbs.scaling.discrepancy import Discrepancy
from carbs.scaling.laws import Prediction, Recommendation, decode, interval
from carbs.scaling.power_law import PowerLaws
from carbs.spaces.kinds import LogSpace, Pow2Space
from carbs.spaces.numeric import NumericSpace
from carbs.values import is_positive

# Sizes may be extrapolated at least ten times beyond those seen, and as many decades as were seen.
_LEAST_REACH = 10.0
# As `OF_EXPONENTS` and `OF_LOSSES` of `carbs.scaling.laws`, for tables: these have fewer sizes than sweeps have costs,
# and many runs at each (benchmarks/scaling_tables.py).
OF_SIZES, OF_SIZE_LOSSES = 1.1, 0.77


@dataclass(frozen=True)
class SizeReach:
    """The sizes that a law rests on, and how far it may be trusted.

    Attributes:
        low: Smallest value of each size, by name.
        high: Largest value of each size, by name.
    """

    low: dict[str, float]
    high: dict[str, float]

    @property
    def limit(self) -> dict[str, float]:
        """The largest sizes to extrapolate to: ten times those seen, or as many decades beyond as were seen."""
        return {name: high * self._factor(name) for name, high in self.high.items()}

    def axes(self, sizes: Mapping[str, float]) -> Array:
        """Return log10 of the sizes in the laws' order, shape (k,).

        Raises:
            CarbsError: If one is missing, unknown, not positive, or too far from the sizes seen; names every problem.
        """
        names = list(self.low)
        problems = [
            Problem("", name, value, f"is not a size of these laws, which are over {names}")
            for name, value in sizes.items()
            if name not in self.low
        ]
        for name in names:
            if name not in sizes:
                problems.append(Problem("", name, None, f"size {name!r} is missing", subject=""))
            elif not is_positive(sizes[name]):
                problems.append(Problem("", name, sizes[name], "must be a positive, finite number"))
            elif not self._is_near(name, sizes[name]):
                problems.append(self._too_far(name, sizes[name]))
        raise_problems("scaling laws", problems)
        return np.log10([float(sizes[name]) for name in names])

    def _factor(self, name: str) -> float:
        return max(self.high[name] / self.low[name], _LEAST_REACH)

    def _is_near(self, name: str, value: float) -> bool:
        factor = self._factor(name) * (1 + 1e-9)
        return self.low[name] / factor <= value <= self.high[name] * factor

    def _too_far(self, name: str, value: float) -> Problem:
        low, high, factor = self.low[name], self.high[name], self._factor(name)
        return Problem(
            "",
            name,
            value,
            f"is too far from the sizes {low:.4g} to {high:.4g} that the law rests on; with these it reaches from "
            f"{low / factor:.4g} to {high * factor:.4g}",
        )


@dataclass(frozen=True)
class SizeLaw:
    """The scaling law of a hyperparameter over sizes.

    Attributes:
        name: The hyperparameter.
        space: Its space.
        intercept: Transformed value where all sizes are 1; log10 of the value in log and power-of-two spaces.
        exponents: Change of the transformed value per decade of each size, by its name.
        intervals: 90 % intervals of the exponents.
        reach: The sizes that it rests on.
        middle: Log10 of the sizes at which the draws are given, shape (k,).
        draws: Bootstrap draws of the transformed value in the middle and of the exponents, shape (S, 1 + k).
    """

    name: str
    space: NumericSpace
    intercept: float
    exponents: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    reach: SizeReach
    middle: Array = field(repr=False, compare=False)
    draws: Array = field(repr=False, compare=False)

    @property
    def is_scaling(self) -> dict[str, bool]:
        """Whether the interval of each exponent excludes 0; if not, there is no evidence of scaling."""
        return {name: not low <= 0 <= high for name, (low, high) in self.intervals.items()}

    @property
    def formula(self) -> str:
        """The law as text."""
        if isinstance(self.space, (LogSpace, Pow2Space)):
            powers = [f"{name}^{exponent:.3f}" for name, exponent in self.exponents.items()]
            return " * ".join([f"{self.name} = {10.0**self.intercept:.3g}", *powers])
        left = self.name if self.space.kind == "linear" else f"log10({self.name} / (1 - {self.name}))"
        terms = [f"{'+' if b >= 0 else '-'} {abs(b):.3g} * log10({name})" for name, b in self.exponents.items()]
        return " ".join([f"{left} = {self.intercept:.3g}", *terms])

    def predict(self, /, **sizes: float) -> Prediction:
        """Predict the best value at the sizes; it is kept within the space's bounds.

        Raises:
            CarbsError: If a size is missing, unknown, not positive, or too far from those seen.
        """
        axes = self.reach.axes(sizes)
        estimate = self.intercept + float(np.array(list(self.exponents.values())) @ axes)
        ends = interval(estimate, self.draws[:, 0] + self.draws[:, 1:] @ (axes - self.middle), OF_SIZES)
        return Prediction(*(decode(self.space, transformed) for transformed in (estimate, *ends)))


@dataclass(frozen=True)
class SizeObjectiveLaw:
    """The power law of the best objective over sizes: loss = limit + sum of amplitude * size^-exponent.

    The loss is the objective where it is minimised, and minus the objective where it is maximised.

    Attributes:
        limit: The loss at infinite sizes, which may be far below what can be seen.
        amplitudes: Loss above the limit that each size of 1 would leave, by its name.
        exponents: Of each size.
        limit_interval: 90 % interval.
        reach: The sizes that it rests on.
        sign: 1 if the objective is maximised, -1 if it is minimised.
        laws: The estimate and its bootstrap draws.
        discrepancy: A smooth correction near the sizes seen, where losses deviate from the law; predictions have it.
        widening: Factor on the draws' spread for the few sizes that they rest on.
    """

    limit: float
    amplitudes: dict[str, float]
    exponents: dict[str, float]
    limit_interval: tuple[float, float]
    reach: SizeReach
    sign: int
    laws: PowerLaws = field(repr=False, compare=False)
    discrepancy: Discrepancy = field(repr=False, compare=False)
    widening: float = 1.0

    @property
    def formula(self) -> str:
        """The law as text."""
        terms = [f"{self.amplitudes[name]:.4g} * {name}^{-b:.3f}" for name, b in self.exponents.items()]
        return " + ".join([f"loss = {self.limit:.4g}", *terms])

    def predict(self, /, **sizes: float) -> Prediction:
        """Predict the best objective at the sizes, in the objective's own direction.

        Raises:
            CarbsError: If a size is missing, unknown, not positive, or too far from those seen.
        """
        axes = self.reach.axes(sizes)
        losses = self.laws.predict(axes)
        correction, deviation = self.discrepancy.predict(axes)
        low, high = interval(float(losses[0]), losses[1:], OF_SIZE_LOSSES * self.widening)
        half = math.hypot((high - low) / 2, HALF_WIDTH * deviation)
        value = -self.sign * (float(losses[0]) + correction)
        return Prediction(value, value - half, value + half)


@dataclass(frozen=True)
class SizeLaws:
    """The laws of all other numeric hyperparameters and of the objective over sizes.

    Attributes:
        scale: Names of the sizes.
        params: One for each other numeric hyperparameter, in the search space's order; choices have none.
        objective: The objective's law.
        reach: The sizes that they rest on.
        diverged: Places of the observations that were taken for diverged, and so do not move the laws.
        num_unused: How many were neither used nor judged: of more than 3000 successes, those far from the frontier.
    """

    scale: tuple[str, ...]
    params: tuple[SizeLaw, ...]
    objective: SizeObjectiveLaw
    reach: SizeReach
    diverged: tuple[int, ...] = ()
    num_unused: int = 0

    def __getitem__(self, name: str) -> SizeLaw:
        """Return the law of the hyperparameter `name`.

        Raises:
            CarbsError: If it has no law.
        """
        laws = {law.name: law for law in self.params}
        if name not in laws:
            raise CarbsError(f"there is no law of {name!r}, only of {list(laws)}")
        return laws[name]

    def at(self, /, **sizes: float) -> Recommendation:
        """Predict the best value of every other hyperparameter, and the objective, at the sizes.

        Raises:
            CarbsError: If a size is missing, unknown, not positive, or too far from those seen.
        """
        params = {law.name: law.predict(**sizes) for law in self.params}
        return Recommendation(dict(sizes), params, self.objective.predict(**sizes))


def at_one(amplitude: float, exponent: float, middle: float) -> float:
    """Move an amplitude from the middle of an axis to where the size is 1; infinite where no float holds it."""
    power = exponent * middle * math.log(10)
    return amplitude * math.exp(power) if power < math.log(1e300) else math.copysign(math.inf, amplitude)
