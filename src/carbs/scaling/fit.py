"""Scaling laws: how every hyperparameter and the objective change along the frontier, with the cost or with given sizes.

See `carbs.scaling.laws` and `carbs.scaling.sizes` for the laws, `carbs.scaling.response_surface` for the model.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import overload

import numpy as np

from carbs.arrays import Array
from carbs.config import CARBSParams, as_config
from carbs.errors import CarbsError, Problem, raise_problems
from carbs.history import ObservationInParam, gather
from carbs.scaling.laws import (
    LEVEL,
    OF_EXPONENTS,
    OF_LOSSES,
    ObjectiveLaw,
    ParamLaw,
    Reach,
    Recommendation,
    ScalingLaws,
    interval,
    unit,
)
from carbs.scaling.line import Line, fit_line, free_costs
from carbs.scaling.power_law import fit_power_laws, usual_exponents
from carbs.scaling.response_surface import Runs
from carbs.scaling.sizes import OF_SIZES, SizeLaw, SizeLaws, SizeObjectiveLaw, SizeReach, at_one
from carbs.spaces.categorical import ChoiceSpace
from carbs.spaces.numeric import NumericSpace
from carbs.spaces.search_space import Param, SearchSpace, as_space
from carbs.threads import one_thread
from carbs.values import is_finite, is_whole, shown

# Fewer decades of cost than this are too short a base for any law.
_MIN_DECADES = 0.5
# Objectives beyond this count as this: their squares and sums must be floats.
_LARGEST = 1e150
# Objectives worse than the median by this many times its distance from the best all count alike: they diverged.
_WORST = 1e6
# Each draw of the objective's law leaves out the cheapest runs, up to this share of the decades of cost.
_LEFT_OUT = 0.5


@overload
def scaling_laws(
    space: SearchSpace | Sequence[Param],
    observations: Sequence[ObservationInParam],
    config: CARBSParams | None = ...,
    *,
    scale: None = ...,
    seed: int = ...,
    num_bootstrap: int = ...,
) -> ScalingLaws: ...


@overload
def scaling_laws(
    space: SearchSpace | Sequence[Param],
    observations: Sequence[ObservationInParam],
    config: CARBSParams | None = ...,
    *,
    scale: Sequence[str],
    seed: int = ...,
    num_bootstrap: int = ...,
) -> SizeLaws: ...


def scaling_laws(
    space: SearchSpace | Sequence[Param],
    observations: Sequence[ObservationInParam],
    config: CARBSParams | None = None,
    *,
    scale: Sequence[str] | None = None,
    seed: int = 0,
    num_bootstrap: int = 40,
) -> ScalingLaws | SizeLaws:
    """Fit the scaling laws of a search, or of a table of runs.

    All runs are used, not only the frontier's, and their order does not matter. Runs that diverged are found and do not
    move the laws. Intervals come from fitting again to runs that are weighted anew.

    Args:
        space: The search space, or its parameters.
        observations: The runs; failures (an objective that is not finite is one) are left out.
        config: The optimizer's options; only the direction of the objective is used.
        scale: Names of the hyperparameters that are given, such as the sizes of model and data: the laws are then over
            these, the cost is not used, and the result is a `SizeLaws`. None for laws over the cost.
        seed: Of the bootstrap.
        num_bootstrap: Number of bootstrap draws, S; each takes some hundredths of a second.

    Returns:
        The laws.

    Raises:
        CarbsError: If an observation or a name is invalid, or there are too few different configurations, sizes, or
            decades of cost.
    """
    space = as_space(space)
    sign = as_config(config).better_direction_sign
    if not is_whole(num_bootstrap, 2):
        raise CarbsError(f"num_bootstrap={shown(num_bootstrap)} must be a whole number of at least 2")
    sizes = None if scale is None else _checked_scale(space, scale)
    table = _Table(space, observations, sign)
    rng = np.random.default_rng(seed)
    if sizes is None:
        with one_thread():
            return _laws_of_cost(table, num_bootstrap, rng)
    with one_thread():
        return _laws_of_sizes(table, sizes, num_bootstrap, rng)


def recommend(
    space: SearchSpace | Sequence[Param],
    observations: Sequence[ObservationInParam],
    config: CARBSParams | None = None,
    *,
    given: Mapping[str, float],
    seed: int = 0,
) -> Recommendation:
    """Predict the best of all other hyperparameters for given sizes: `scaling_laws(…, scale=given).at(**given)`.

    Args:
        space: The search space, or its parameters.
        observations: The runs.
        config: The optimizer's options; only the direction of the objective is used.
        given: The sizes, by name; they may lie beyond their bounds.
        seed: Of the bootstrap.

    Returns:
        The recommendation.

    Raises:
        CarbsError: As `scaling_laws` and `SizeLaws.at` do.
    """
    return scaling_laws(space, observations, config, scale=list(given), seed=seed).at(**given)


class _Table:
    """Successful runs as arrays, in an order of their own, so that the caller's order cannot matter.

    Attributes:
        X: Search coordinates, shape (n, D).
        y: Objective, higher is better, less its median and in units of the distance from there to the best, shape (n,).
        t: Log10 of the cost, shape (n,).
        places: Where each run stands in the caller's list, shape (n,).
        center, spread: The objective is center + spread * y.
    """

    def __init__(self, space: SearchSpace, observations: Sequence[ObservationInParam], sign: int) -> None:
        self.space, self.sign = space, sign
        given = list(observations) if isinstance(observations, Iterable) else observations
        seen = gather(space, given).successes
        succeeded = [place for place, run in enumerate(given) if not run.is_failure and is_finite(run.output)]
        self.numeric = [i for i, settled in enumerate(space.spaces) if not isinstance(settled, ChoiceSpace)]
        if not self.numeric:
            raise CarbsError("no scaling laws: all hyperparameters are choices, which have no order")
        X = space.encode([run.input for run in seen])
        self._check_number(len(np.unique(np.round(X, 9), axis=0)))
        y = sign * np.clip(np.array([run.output for run in seen], float), -_LARGEST, _LARGEST)
        t = np.log10(np.array([run.cost for run in seen], float))
        order = np.lexsort(np.column_stack([y, t, X]).T)
        self.X, self.t, self.places = X[order], t[order], np.array(succeeded)[order]
        y = y[order]
        self.center = float(np.median(y))
        self.spread = float(np.max(y)) - self.center or float(np.ptp(y)) or 1.0
        self.y = np.maximum((y - self.center) / self.spread, -_WORST)
        self.values = {name: np.array([run.input[name] for run in seen])[order] for name in self._numeric_names()}

    def _numeric_names(self) -> list[str]:
        return [self.space.names[i] for i in self.numeric]

    def _check_number(self, size: int) -> None:
        least = 10 + len(self.numeric)
        if size < least:
            raise CarbsError(
                f"too few runs for scaling laws: {size} different configurations succeeded, for {len(self.numeric)} "
                f"numeric hyperparameters at least {least} are needed"
            )

    def columns(self, params: Sequence[int]) -> list[int]:
        """Return the search coordinates of numeric hyperparameters."""
        return [self.space.columns[i].start for i in params]

    def others(self) -> Array:
        """Return the search coordinates of the choices, shape (n, C)."""
        return self.X[:, np.setdiff1d(np.arange(self.space.width), self.columns(self.numeric))]

    def diverged(self, line: Line) -> tuple[int, ...]:
        """Return the places of the runs that were taken for diverged."""
        return tuple(sorted(self.places[line.diverged].tolist()))

    def losses(self, line: Line) -> Array:
        """Return what each run would have lost on the line, shape (1 + S, n)."""
        losses: Array = -(self.center + self.spread * line.corrected)
        return losses


def _laws_of_cost(table: _Table, num_draws: int, rng: np.random.Generator) -> ScalingLaws:
    columns = table.columns(table.numeric)
    X, t, bounds = table.X[:, columns], table.t, table.space.bounds
    low, high = free_costs(X, table.y, t, (bounds[0][columns], bounds[1][columns]))
    if high - low < _MIN_DECADES:
        raise CarbsError(
            f"too few costs for scaling laws: at least {_MIN_DECADES} decades of cost are needed, and the frontier "
            f"(where no hyperparameter that drives the cost is at its bounds) goes only from {10**low:.4g} to "
            f"{10**high:.4g}"
        )
    is_free = (t >= low) & (t <= high)
    line = fit_line(Runs(X, t[:, None], table.others(), table.y, is_free, drives_cost=True), num_draws, rng)
    reach = Reach(float(10**low), float(10**high))
    params = tuple(_param_law(table.space, i, line, column, reach) for column, i in enumerate(table.numeric))
    return ScalingLaws(params, _objective_law(table, line, reach, rng), reach, table.diverged(line))


def _param_law(space: SearchSpace, place: int, line: Line, column: int, reach: Reach) -> ParamLaw:
    middle = 0.5 * (math.log10(reach.low) + math.log10(reach.high))
    settled, positions, slopes = _drawn(space, place, line, column, np.array([middle]))
    exponent = float(slopes[0, 0])
    low, high = interval(exponent, slopes[1:, 0], OF_EXPONENTS)
    draws = np.column_stack([positions[1:], slopes[1:]])
    intercept = float(positions[0]) - exponent * middle
    return ParamLaw(space.names[place], settled, intercept, exponent, (low, high), not low <= 0 <= high, reach, draws)


def _drawn(
    space: SearchSpace, place: int, line: Line, column: int, middle: Array
) -> tuple[NumericSpace, Array, Array]:
    """Return the transformed values at `middle`, shape (1 + S,), and their slopes, shape (1 + S, k), in a law's units."""
    settled = space.spaces[place]
    assert isinstance(settled, NumericSpace)
    scale = settled.resolved_scale * unit(settled)
    slopes = scale * line.slope[:, :, column]
    positions = scale * line.position[:, column] + slopes @ (middle - line.middle)
    # Wider for few sizes, so around the estimate.
    positions, slopes = (values[:1] + line.widening * (values - values[:1]) for values in (positions, slopes))
    return settled, positions, slopes


def _objective_law(table: _Table, line: Line, reach: Reach, rng: np.random.Generator) -> ObjectiveLaw:
    """Fit the power law to the objective that every run would have reached on the line.

    Every draw leaves out the cheapest runs, up to half the range of costs: real losses are power laws only far enough
    above the cheapest, and nobody knows how far.
    """
    t = line.axes[:, 0]
    free = (t >= math.log10(reach.low)) & (t <= math.log10(reach.high))
    t = t[free]
    span = float(np.ptp(t))
    starts = np.min(t) + span * np.append(0.0, rng.uniform(0.0, _LEFT_OUT, len(line.corrected) - 1))
    weight = np.where(t < starts[:, None], 0.0, line.weight[:, free])
    laws = fit_power_laws(t[:, None], table.losses(line)[:, free], weight, np.zeros((len(starts), 1)))
    amplitudes = [
        at_one(float(a), float(b), float(laws.middle[0]))
        for a, b in zip(laws.amplitude[:, 0], laws.exponent[:, 0], strict=True)
    ]
    draws = np.column_stack([laws.limit, amplitudes, laws.exponent[:, 0]])[1:]
    limit, exponent = float(laws.limit[0]), float(laws.exponent[0, 0])
    reason = ""
    if np.mean(laws.amplitude[:, 0] <= 0) > (1 - LEVEL) / 2:
        reason = "it is not sure that the objective improves with the cost"
    elif span < 1:
        reason = "the costs span less than a decade"
    calibration = OF_LOSSES * line.widening
    low, high = interval(math.log(exponent), np.log(draws[:, 2]), calibration)
    return ObjectiveLaw(
        limit,
        amplitudes[0],
        exponent,
        limit_interval=interval(limit, draws[:, 0], calibration),
        exponent_interval=(math.exp(low), math.exp(high)),
        reason=reason,
        reach=reach,
        sign=table.sign,
        draws=draws,
        widening=line.widening,
    )


def _checked_scale(space: SearchSpace, scale: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the sizes.

    Raises:
        CarbsError: If there is none, or one is no numeric hyperparameter; names every problem.
    """
    if isinstance(scale, str) or not isinstance(scale, Sequence) or not scale:
        raise CarbsError(f"scale={shown(scale)} must be a list of names of hyperparameters, such as ['n', 'd']")
    numeric = [
        name
        for name, settled in zip(space.names, space.spaces, strict=True)
        if not isinstance(settled, ChoiceSpace)
    ]
    problems = [
        Problem("", "scale", name, f"must name a numeric hyperparameter, one of {numeric}")
        for name in scale
        if name not in numeric
    ]
    if len(set(map(str, scale))) < len(scale):
        problems.append(Problem("", "scale", list(scale), "must name each hyperparameter once"))
    raise_problems("invalid scale", problems)
    return tuple(scale)


def _laws_of_sizes(table: _Table, scale: tuple[str, ...], num_draws: int, rng: np.random.Generator) -> SizeLaws:
    sizes = np.column_stack([table.values[name] for name in scale]).astype(float)
    k = len(scale)
    problems = [
        Problem("", name, float(np.min(values)), "is a size, so it must be positive in every run")
        for name, values in zip(scale, sizes.T, strict=True)
        if np.min(values) <= 0
    ]
    raise_problems("scaling laws", problems)
    axes = np.log10(sizes)
    centred = np.unique(np.round(axes, 9), axis=0)
    if len(centred) < k + 2 or np.linalg.matrix_rank(centred - np.mean(centred, 0), tol=0.01) < k:
        raise CarbsError(
            f"too few sizes for scaling laws over {list(scale)}: {len(centred)} different ones succeeded; at least "
            f"{k + 2} are needed, which do not lie on one line where there are several"
        )
    params = [i for i in table.numeric if table.space.names[i] not in scale]
    everywhere = np.ones(len(table.y), bool)
    runs = Runs(table.X[:, table.columns(params)], axes, table.others(), table.y, everywhere, drives_cost=False)
    line = fit_line(runs, num_draws, rng)
    reach = SizeReach(*(dict(zip(scale, end(sizes, 0).tolist(), strict=True)) for end in (np.min, np.max)))
    laws = tuple(_size_law(table.space, i, line, column, reach) for column, i in enumerate(params))
    return SizeLaws(scale, laws, _size_objective(table, line, reach, rng), reach, table.diverged(line))


def _size_law(space: SearchSpace, place: int, line: Line, column: int, reach: SizeReach) -> SizeLaw:
    settled, positions, slopes = _drawn(space, place, line, column, line.middle)
    exponents = dict(zip(reach.low, slopes[0].tolist(), strict=True))
    intervals = {
        name: interval(exponent, slopes[1:, axis], OF_SIZES) for axis, (name, exponent) in enumerate(exponents.items())
    }
    intercept = float(positions[0] - slopes[0] @ line.middle)
    draws = np.column_stack([positions[1:], slopes[1:]])
    return SizeLaw(space.names[place], settled, intercept, exponents, intervals, reach, line.middle, draws)


def _size_objective(table: _Table, line: Line, reach: SizeReach, rng: np.random.Generator) -> SizeObjectiveLaw:
    k = line.axes.shape[1]
    usual = usual_exponents(len(line.corrected) - 1, k, rng)
    laws = fit_power_laws(line.axes, table.losses(line), line.weight, usual)
    exponents = laws.exponent[0].tolist()
    amplitudes = [at_one(*args) for args in zip(laws.amplitude[0].tolist(), exponents, laws.middle.tolist(), strict=True)]
    return SizeObjectiveLaw(
        float(laws.limit[0]),
        dict(zip(reach.low, amplitudes, strict=True)),
        dict(zip(reach.low, exponents, strict=True)),
        interval(float(laws.limit[0]), laws.limit[1:], OF_LOSSES * line.widening),
        reach,
        table.sign,
        laws,
        line.widening,
    )

