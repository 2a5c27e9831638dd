"""Scaling laws: how every hyperparameter and the objective change along the frontier, with the cost or with sizes.

See `carbs.scaling.laws` and `carbs.scaling.sizes` for the laws, `carbs.scaling.response_surface` for the model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import overload

import numpy as np

from carbs.config import CARBSParams, as_config
from carbs.errors import CarbsError, check_whole
from carbs.history import ObservationInParam
from carbs.intervals import LEVEL
from carbs.scaling.first_guess import Runs
from carbs.scaling.fit_sizes import checked_scale, laws_of_sizes
from carbs.scaling.laws import (
    OF_EXPONENTS,
    OF_LOSSES,
    ObjectiveLaw,
    ParamLaw,
    Reach,
    Recommendation,
    ScalingLaws,
    interval,
)
from carbs.scaling.line import Line, fit_line, free_costs
from carbs.scaling.sizes import SizeLaws, at_one
from carbs.scaling.table import Table
from carbs.scaling.units import in_law_units
from carbs.spaces.search_space import Param, SearchSpace, as_space
from carbs.threads import one_thread

# Fewer decades of cost than this are too short a base for any law.
_MIN_DECADES = 0.5
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

    All runs are used, not only the frontier's, and their order does not matter; of more than 3000, those nearest to the
    frontier are. Runs that diverged are found and do not move the laws. Intervals come from fitting again to runs that
    are weighted anew.

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
    check_whole("num_bootstrap", num_bootstrap, 2)
    check_whole("seed", seed, 0)
    sizes = None if scale is None else checked_scale(space, scale)
    table = Table(space, observations, sign)
    rng = np.random.default_rng(seed)
    if sizes is None:
        with one_thread():
            return _laws_of_cost(table, num_bootstrap, rng)
    with one_thread():
        return laws_of_sizes(table, sizes, num_bootstrap, rng)


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


def _laws_of_cost(table: Table, num_draws: int, rng: np.random.Generator) -> ScalingLaws:
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
    objective = _objective_law(table, line, reach, rng)
    return ScalingLaws(params, objective, reach, table.diverged(line), table.num_unused(line))


def _param_law(space: SearchSpace, place: int, line: Line, column: int, reach: Reach) -> ParamLaw:
    middle = 0.5 * (math.log10(reach.low) + math.log10(reach.high))
    settled, positions, slopes = in_law_units(space, place, line, column, np.array([middle]))
    exponent = float(slopes[0, 0])
    low, high = interval(exponent, slopes[1:, 0], OF_EXPONENTS)
    draws = np.column_stack([positions[1:], slopes[1:]])
    intercept = float(positions[0]) - exponent * middle
    return ParamLaw(space.names[place], settled, intercept, exponent, (low, high), not low <= 0 <= high, reach, draws)


def _objective_law(table: Table, line: Line, reach: Reach, rng: np.random.Generator) -> ObjectiveLaw:
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
    laws = table.power_laws(t[:, None], line.corrected[:, free], weight, np.zeros((len(starts), 1)))
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
