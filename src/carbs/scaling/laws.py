"""Scaling laws as values: exponents with intervals, and predictions.

A law says transform(value) = a + b log10(cost) in the transform of the hyperparameter's own space. For a log space that
is value = 10^a cost^b, so `exponent` is the power; for a linear one it is the change of the value per decade of cost;
for a logit one the change of log10(value / (1 - value)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.special import stdtrit

from carbs.arrays import Array
from carbs.errors import CarbsError, check_positive
from carbs.intervals import LEVEL
from carbs.spaces.kinds import LogSpace, Pow2Space
from carbs.spaces.numeric import NumericSpace

# Shares of the draws' spread that make intervals of exponents and of losses hold 85 to 95 % of the truths, in simulated
# sweeps and tables (benchmarks/scaling.py). Draws carry the full prior width where the runs leave it, so are too wide.
OF_EXPONENTS, OF_LOSSES = 0.95, 0.85
# Quantiles of a normal distribution one standard deviation below and above its mean.
_TWO_THIRDS = (0.16, 0.84)


@dataclass(frozen=True)
class Prediction:
    """A predicted value.

    Attributes:
        value: The estimate.
        low: Lower end of its 90 % interval.
        high: Upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Recommendation:
    """The best hyperparameters at a cost or at given sizes.

    Attributes:
        given: The sizes that were given, by name; empty for a cost.
        params: The predicted value of every other numeric hyperparameter, by name.
        objective: The predicted objective; None where its law is not sure (see its `reason`).
    """

    given: dict[str, float]
    params: dict[str, Prediction]
    objective: Prediction | None

    @property
    def values(self) -> dict[str, float]:
        """The configuration: the given sizes and the estimates. Choices, which have no law, are not in it."""
        return {**self.given, **{name: prediction.value for name, prediction in self.params.items()}}


@dataclass(frozen=True)
class Reach:
    """The costs that a law rests on, and how far it may be trusted.

    Attributes:
        low: Smallest cost.
        high: Largest cost.
    """

    low: float
    high: float

    @property
    def limit(self) -> float:
        """The largest cost to extrapolate to: as many decades above the largest seen as were seen below it."""
        return self.high * self.high / self.low

    def check(self, cost: float) -> None:
        """Refuse costs that are no costs, or too far from those seen.

        Raises:
            CarbsError: If `cost` is such.
        """
        check_positive("cost", cost)
        if not self.low**2 / self.high <= cost <= self.limit * (1 + 1e-9):
            raise CarbsError(
                f"cost={cost:.4g} is too far from the costs {self.low:.4g} to {self.high:.4g} that the law rests on; "
                f"with these it reaches up to {self.limit:.4g}"
            )


@dataclass(frozen=True)
class ParamLaw:
    """The scaling law of a hyperparameter.

    Attributes:
        name: The hyperparameter.
        space: Its space.
        intercept: Transformed value at cost 1 (a); log10 of the value in log and power-of-two spaces.
        exponent: Change of the transformed value per decade of cost (b).
        interval: 90 % interval of the exponent.
        is_scaling: Whether the interval excludes 0; if not, there is no evidence of scaling.
        reach: The costs that it rests on.
        draws: Bootstrap draws of the transformed value at the middle cost and of the exponent, shape (S, 2).
    """

    name: str
    space: NumericSpace
    intercept: float
    exponent: float
    interval: tuple[float, float]
    is_scaling: bool
    reach: Reach
    draws: Array = field(repr=False, compare=False)

    def predict(self, cost: float) -> Prediction:
        """Predict the best value at a cost; it is kept within the space's bounds.

        Raises:
            CarbsError: If the cost is not positive, or too far from the costs seen.
        """
        self.reach.check(cost)
        t = math.log10(cost)
        middle = 0.5 * (math.log10(self.reach.low) + math.log10(self.reach.high))
        estimate = self.intercept + self.exponent * t
        low, high = interval(estimate, self.draws[:, 0] + self.draws[:, 1] * (t - middle), OF_EXPONENTS)
        return Prediction(*(decode(self.space, transformed) for transformed in (estimate, low, high)))

    @property
    def formula(self) -> str:
        """The law as text."""
        a, b = self.intercept, self.exponent
        if isinstance(self.space, (LogSpace, Pow2Space)):
            return f"{self.name} = {10.0**a:.3g} * cost^{b:.3f}"
        left = self.name if self.space.kind == "linear" else f"log10({self.name} / (1 - {self.name}))"
        return f"{left} = {a:.4g} {'+' if b >= 0 else '-'} {abs(b):.4g} * log10(cost)"


@dataclass(frozen=True)
class ObjectiveLaw:
    """The saturating power law of the frontier's objective: loss = limit + amplitude * cost^-exponent.

    The loss is the objective where it is minimised, and minus the objective where it is maximised.

    Attributes:
        limit: The loss at infinite cost, which may be far below what can be seen where the frontier still falls.
        amplitude: Loss above the limit at cost 1.
        exponent: Of the cost.
        limit_interval: 90 % interval.
        exponent_interval: 90 % interval.
        reason: Why the law must not be used to extrapolate; empty if it may.
        reach: The costs that it rests on.
        sign: 1 if the objective is maximised, -1 if it is minimised.
        draws: Bootstrap draws of limit, amplitude and exponent, shape (S, 3).
        widening: Factor on the draws' spread for the few costs that they rest on.
    """

    limit: float
    amplitude: float
    exponent: float
    limit_interval: tuple[float, float]
    exponent_interval: tuple[float, float]
    reason: str
    reach: Reach
    sign: int
    draws: Array = field(repr=False, compare=False)
    widening: float = 1.0

    def predict(self, cost: float) -> Prediction:
        """Predict the best objective at a cost, in the objective's own direction.

        Raises:
            CarbsError: If the cost is not positive, too far from the costs seen, or above them while `reason` holds.
        """
        self.reach.check(cost)
        if self.reason and cost > self.reach.high:
            raise CarbsError(f"the objective cannot be extrapolated to cost={cost:.4g}: {self.reason}")
        estimate = self.limit + self.amplitude * cost**-self.exponent
        drawn = self.draws[:, 0] + self.draws[:, 1] * cost ** -self.draws[:, 2]
        value, *ends = (-self.sign * loss for loss in (estimate, *interval(estimate, drawn, OF_LOSSES * self.widening)))
        return Prediction(value, min(ends), max(ends))


@dataclass(frozen=True)
class ScalingLaws:
    """The laws of all numeric hyperparameters and of the objective.

    Attributes:
        params: One for each numeric hyperparameter, in the search space's order; choices have none.
        objective: That of the objective.
        reach: The costs that they rest on: those between which no hyperparameter that drives the cost is at its bounds.
        diverged: Places of the observations that were taken for diverged, and so do not move the laws.
        num_unused: How many were neither used nor judged: of more than 3000 successes, those far from the frontier.
    """

    params: tuple[ParamLaw, ...]
    objective: ObjectiveLaw
    reach: Reach
    diverged: tuple[int, ...] = ()
    num_unused: int = 0

    def at(self, cost: float) -> Recommendation:
        """Predict the best value of every hyperparameter at a cost, and the objective where its law reaches so far.

        Raises:
            CarbsError: If the cost is not positive, or too far from the costs seen.
        """
        params = {law.name: law.predict(cost) for law in self.params}
        has_objective = not self.objective.reason or cost <= self.objective.reach.high
        return Recommendation({}, params, self.objective.predict(cost) if has_objective else None)

    def __getitem__(self, name: str) -> ParamLaw:
        """Return the law of the hyperparameter `name`.

        Raises:
            CarbsError: If it has no law.
        """
        laws = {law.name: law for law in self.params}
        if name not in laws:
            raise CarbsError(f"there is no law of {name!r}, only of {list(laws)}")
        return laws[name]


def unit(space: NumericSpace) -> float:
    """Return what one transformed unit of the space is in the law's units: decades for log and power-of-two spaces."""
    if isinstance(space, LogSpace):
        return math.log10(space.base)
    return math.log10(2) if isinstance(space, Pow2Space) else 1.0


def decode(space: NumericSpace, transformed: float) -> float:
    """Return the value of the space that a law's transformed value stands for, kept within the bounds."""
    value = space.decode(np.array([[transformed / unit(space) / space.resolved_scale]]))[0]
    assert isinstance(value, (int, float))
    return value


def interval(estimate: float, draws: Array, calibration: float) -> tuple[float, float]:
    """Return Student's 90 % interval; the spread is that of the draws' middle two thirds, times `calibration`.

    A few draws land in another optimum of the fit, so a standard deviation would mean nothing. The middle two thirds
    are one standard deviation to each side, if the draws are normal. The draws' own middle is not used: an overfitted
    line promises too much, and its draws promise twice as much.
    """
    low, high = np.quantile(draws, _TWO_THIRDS)
    half = calibration * float(stdtrit(len(draws) - 1, 0.5 + LEVEL / 2)) * float(high - low) / 2
    return estimate - half, estimate + half
