"""Scaling laws: how every hyperparameter and the objective change with the cost along the frontier.

A law says transform(value) = a + b log10(cost) in the transform of the hyperparameter's own space. For a log space that
is value = 10^a cost^b, so `exponent` is the power; for a linear one it is the change of the value per decade of cost;
for a logit one the change of log10(value / (1 - value)).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import stdtrit
from threadpoolctl import threadpool_limits

from carbs.config import CARBSParams
from carbs.errors import CarbsError
from carbs.observations import Groups, ObservationInParam, group
from carbs.params import Param, SearchSpace
from carbs.response import Line, fit_line, free_costs
from carbs.spaces import Array, CategoricalSpace, LogSpace, NumericSpace, Pow2Space
from carbs.surface import Runs
from carbs.surrogate import Surrogate

# Fewer decades of cost than this are too short a base for any law.
_MIN_DECADES = 0.5
_LEVEL = 0.9  # of all intervals
# Exponents of the objective's law: below the first a power cannot be told from a logarithm, above the last from a step.
_ALPHAS = np.geomspace(0.02, 3.0, 800)
# Runs share what the search left undone and where the surface is not quadratic, which weighting them anew cannot show:
# on simulated sweeps of 150 runs (benchmarks/scaling.py) intervals without this factor held 89 % of the truths, and
# 79 % for the hyperparameters that drive the cost; with it 92 % and 80 %, at 60 runs 97 %.
_SHARED_ERROR = 1.2


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
        if not (math.isfinite(cost) and cost > 0):
            raise CarbsError(f"cost={cost!r} must be a positive, finite number")
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
        low, high = _interval(estimate, self.draws[:, 0] + self.draws[:, 1] * (t - middle))
        return Prediction(*(self._value(transformed) for transformed in (estimate, low, high)))

    @property
    def formula(self) -> str:
        """The law as text."""
        a, b = self.intercept, self.exponent
        if isinstance(self.space, (LogSpace, Pow2Space)):
            return f"{self.name} = {10.0**a:.3g} * cost^{b:.3f}"
        left = self.name if self.space.kind == "linear" else f"log10({self.name} / (1 - {self.name}))"
        return f"{left} = {a:.3g} {'+' if b >= 0 else '-'} {abs(b):.3g} * log10(cost)"

    def _value(self, transformed: float) -> float:
        coordinate = transformed / _unit(self.space) / self.space.resolved_scale
        value = self.space.decode(np.array([[coordinate]]))[0]
        assert isinstance(value, (int, float))
        return value


@dataclass(frozen=True)
class ObjectiveLaw:
    """The saturating power law of the frontier's objective: loss = limit + amplitude * cost^-exponent.

    The loss is the objective where it is minimised, and minus the objective where it is maximised.

    Attributes:
        limit: The loss at infinite cost, which may be far below what can be seen where the frontier still falls.
        amplitude: What is left to gain at cost 1.
        exponent: Of the cost.
        limit_interval: 90 % interval.
        exponent_interval: 90 % interval.
        reason: Why the law must not be used to extrapolate; empty if it may.
        reach: The costs that it rests on.
        sign: 1 if the objective is maximised, -1 if it is minimised.
        draws: Bootstrap draws of limit, amplitude and exponent, shape (S, 3).
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
        value, *ends = (-self.sign * loss for loss in (estimate, *_quantiles(estimate, drawn)))
        return Prediction(value, min(ends), max(ends))


@dataclass(frozen=True)
class ScalingLaws:
    """The laws of all numeric hyperparameters and of the objective.

    Attributes:
        params: One for each numeric hyperparameter, in the search space's order; choices have none.
        objective: That of the objective.
        reach: The costs that they rest on: those between which no hyperparameter that drives the cost is at its bounds.
    """

    params: tuple[ParamLaw, ...]
    objective: ObjectiveLaw
    reach: Reach

    def __getitem__(self, name: str) -> ParamLaw:
        """Return the law of the hyperparameter `name`."""
        return next(law for law in self.params if law.name == name)


def scaling_laws(
    space: SearchSpace | Sequence[Param],
    observations: Sequence[ObservationInParam],
    config: CARBSParams | None = None,
    *,
    seed: int = 0,
    num_bootstrap: int = 40,
) -> ScalingLaws:
    """Fit the scaling laws of a search.

    All runs are used, not only the frontier's: see `carbs.surface` for the model. Intervals come from fitting it again
    to runs that are weighted anew.

    Args:
        space: The search space, or its parameters.
        observations: What was observed; failures are left out.
        config: The optimizer's options; only the direction of the objective is used.
        seed: Of the bootstrap.
        num_bootstrap: Number of bootstrap draws, S; each takes some hundredths of a second.

    Returns:
        The laws.

    Raises:
        CarbsError: If there is too little to tell: too few different configurations, or too few decades of cost.
    """
    space = space if isinstance(space, SearchSpace) else SearchSpace(tuple(space))
    sign = (config or CARBSParams()).better_direction_sign
    if num_bootstrap < 2:
        raise CarbsError(f"num_bootstrap={num_bootstrap!r} must be at least 2")
    seen = [observation for observation in observations if not observation.is_failure]
    groups = group(
        space.encode([observation.input for observation in seen]),
        sign * np.array([observation.output for observation in seen], float),
        np.log([observation.cost for observation in seen]),
    )
    rng = np.random.default_rng(seed)
    numeric = [i for i, settled in enumerate(space.spaces) if not isinstance(settled, CategoricalSpace)]
    _check_number(groups.size, len(numeric))
    with threadpool_limits(1):
        runs, reach = _runs(space, groups, numeric)
        line = fit_line(runs, num_bootstrap, rng)
    params = tuple(_param_law(space.names[i], space.spaces[i], line, column, reach) for column, i in enumerate(numeric))
    return ScalingLaws(params, _objective_law(line, reach, sign, rng), reach)


def _check_number(size: int, num_params: int) -> None:
    least = 10 + num_params
    if num_params == 0:
        raise CarbsError("no scaling laws: all hyperparameters are choices, which have no order")
    if size < least:
        raise CarbsError(
            f"too little to tell of scaling laws: {size} different configurations succeeded, for {num_params} numeric "
            f"hyperparameters at least {least} are needed"
        )


def _runs(space: SearchSpace, groups: Groups, numeric: Sequence[int]) -> tuple[Runs, Reach]:
    """Gather what the surface is fitted to, and the costs where the frontier is free of bounds."""
    surrogate = Surrogate.fit(space, groups, np.empty((0, space.width)))
    scaler = surrogate.objective_scaler
    smooth = scaler.backward(surrogate.predict(groups.X).objective[:, 0])
    columns = [space.columns[i].start for i in numeric]
    others = np.setdiff1d(np.arange(space.width), columns)
    X, t = groups.X[:, columns], groups.log_cost / math.log(10)
    low, high = free_costs(X, groups.y, t, (space.bounds[0][columns], space.bounds[1][columns]))
    if high - low < _MIN_DECADES:
        raise CarbsError(
            f"too little to tell of scaling laws: at least {_MIN_DECADES} decades of cost are needed, and the frontier "
            f"(where nothing that drives the cost is at its bounds) goes only from {10**low:.4g} to {10**high:.4g}"
        )
    noise = math.sqrt(surrogate.objective.hyper.noise) * scaler.deviation
    is_free = (t >= low) & (t <= high)
    runs = Runs(X, groups.X[:, others], groups.y, smooth, t, groups.count, is_free, noise)
    return runs, Reach(float(10**low), float(10**high))


def _unit(space: NumericSpace) -> float:
    """Return what one transformed unit of the space is in the law's units: decades for log and power-of-two spaces."""
    if isinstance(space, LogSpace):
        return math.log10(space.base)
    return math.log10(2) if isinstance(space, Pow2Space) else 1.0


def _param_law(name: str, space: NumericSpace | CategoricalSpace, line: Line, column: int, reach: Reach) -> ParamLaw:
    assert isinstance(space, NumericSpace)
    scale = space.resolved_scale * _unit(space)
    slopes = scale * line.slope[:, column]
    middle = 0.5 * (math.log10(reach.low) + math.log10(reach.high))
    positions = scale * line.position[:, column] + slopes * (middle - line.middle)
    exponent = float(slopes[0])
    low, high = _interval(exponent, slopes[1:])
    draws = np.column_stack([positions[1:], slopes[1:]])
    intercept = float(positions[0]) - exponent * middle
    return ParamLaw(name, space, intercept, exponent, (low, high), not low <= 0 <= high, reach, draws)


def _objective_law(line: Line, reach: Reach, sign: int, rng: np.random.Generator) -> ObjectiveLaw:
    """Fit the power law to what every run would have reached on the line.

    Every draw leaves out the cheapest runs, up to half the range of costs: real losses are power laws only far enough
    above the cheapest, and nobody knows how far.
    """
    free = (line.t >= math.log10(reach.low)) & (line.t <= math.log10(reach.high))
    t = line.t[free]
    middle = (np.min(t) + np.max(t)) / 2
    starts = np.min(t) + np.append(0.0, rng.uniform(0.0, 0.5, len(line.corrected) - 1)) * (np.max(t) - np.min(t))
    fits = []
    for corrected, weight, start in zip(line.corrected[:, free], line.weight[:, free], starts, strict=True):
        limit, amplitude, alpha = _power_law(t - middle, -corrected, np.where(t < start, 0.0, weight**2))
        fits.append((limit, float(amplitude * 10 ** (alpha * middle)), alpha))
    estimate, draws = fits[0], np.array(fits[1:])
    reason = ""
    if np.mean(np.array(fits)[:, 1] <= 0) > (1 - _LEVEL) / 2:
        reason = "it is not sure that the objective improves with the cost"
    elif float(np.max(t) - np.min(t)) < 1:
        reason = "the costs span less than a decade"
    return ObjectiveLaw(
        *estimate,
        limit_interval=_quantiles(estimate[0], draws[:, 0]),
        exponent_interval=_quantiles(estimate[2], draws[:, 2]),
        reason=reason,
        reach=reach,
        sign=sign,
        draws=draws,
    )


def _power_law(t: Array, loss: Array, weight: Array) -> tuple[float, float, float]:
    """Fit loss = limit + amplitude * 10^(-alpha t) by weighted least squares: limit, amplitude, alpha."""
    feature = 10 ** (-_ALPHAS[:, None] * t)
    total = np.sum(weight)
    mean_feature, mean_loss = feature @ weight / total, weight @ loss / total
    centred = feature - mean_feature[:, None]
    squares = np.maximum(centred**2 @ weight, 1e-300)
    amplitude = centred @ (weight * (loss - mean_loss)) / squares
    best = int(np.argmax(amplitude**2 * squares))  # what the feature explains
    return float(mean_loss - amplitude[best] * mean_feature[best]), float(amplitude[best]), float(_ALPHAS[best])


def _interval(estimate: float, draws: Array) -> tuple[float, float]:
    """Return Student's 90 % interval; the spread is that of the draws' middle two thirds.

    A few draws land in another optimum of the fit, which would make a standard deviation mean nothing.
    """
    low, high = np.quantile(draws, [0.16, 0.84])
    half = _SHARED_ERROR * float(stdtrit(len(draws) - 1, 0.5 + _LEVEL / 2)) * float(high - low) / 2
    return estimate - half, estimate + half


def _quantiles(estimate: float, draws: Array) -> tuple[float, float]:
    """Return the 90 % interval by the draws' quantiles, widened to hold the estimate."""
    low, high = np.quantile(draws, [0.5 - _LEVEL / 2, 0.5 + _LEVEL / 2])
    return min(float(low), estimate), max(float(high), estimate)
