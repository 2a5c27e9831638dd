"""Scaling laws: how every hyperparameter and the objective change with the cost along the frontier.

A law says transform(value) = a + b log10(cost); see `carbs.scaling.laws`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from carbs.arrays import Array
from carbs.config import CARBSParams, as_config
from carbs.errors import CarbsError
from carbs.history import ObservationInParam, gather
from carbs.models.groups import Groups, group_successes
from carbs.models.surrogate import Surrogate
from carbs.scaling.laws import (
    LEVEL,
    ObjectiveLaw,
    ParamLaw,
    Reach,
    ScalingLaws,
    interval,
    quantiles,
    reflected_quantiles,
    unit,
)
from carbs.scaling.line import Line, fit_line, free_costs
from carbs.scaling.response_surface import Runs
from carbs.spaces.categorical import ChoiceSpace
from carbs.spaces.numeric import NumericSpace
from carbs.spaces.search_space import Param, SearchSpace, as_space
from carbs.threads import one_thread
from carbs.values import is_whole, shown

# Fewer decades of cost than this are too short a base for any law.
_MIN_DECADES = 0.5
# Exponents of the objective's law: below the first a power cannot be told from a logarithm, above the last from a step.
_ALPHAS = np.geomspace(0.02, 3.0, 800)


def scaling_laws(
    space: SearchSpace | Sequence[Param],
    observations: Sequence[ObservationInParam],
    config: CARBSParams | None = None,
    *,
    seed: int = 0,
    num_bootstrap: int = 40,
) -> ScalingLaws:
    """Fit the scaling laws of a search.

    All runs are used, not only the frontier's: see `carbs.scaling.response_surface` for the model. Intervals come from
    fitting it again to runs that are weighted anew.

    Args:
        space: The search space, or its parameters.
        observations: What was observed; failures (an objective that is not finite is one) are left out.
        config: The optimizer's options; only the direction of the objective is used.
        seed: Of the bootstrap.
        num_bootstrap: Number of bootstrap draws, S; each takes some hundredths of a second.

    Returns:
        The laws.

    Raises:
        CarbsError: If an observation is invalid, or there is too little to tell: too few different configurations, or
            too few decades of cost.
    """
    space = as_space(space)
    sign = as_config(config).better_direction_sign
    if not is_whole(num_bootstrap, 2):
        raise CarbsError(f"num_bootstrap={shown(num_bootstrap)} must be a whole number of at least 2")
    seen = gather(space, observations).successes
    groups = group_successes(space, seen, sign)
    rng = np.random.default_rng(seed)
    numeric = [i for i, settled in enumerate(space.spaces) if not isinstance(settled, ChoiceSpace)]
    _check_number(groups.size, len(numeric))
    with one_thread():
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


def _param_law(name: str, space: NumericSpace | ChoiceSpace, line: Line, column: int, reach: Reach) -> ParamLaw:
    assert isinstance(space, NumericSpace)
    scale = space.resolved_scale * unit(space)
    slopes = scale * line.slope[:, column]
    middle = 0.5 * (math.log10(reach.low) + math.log10(reach.high))
    positions = scale * line.position[:, column] + slopes * (middle - line.middle)
    exponent = float(slopes[0])
    low, high = interval(exponent, slopes[1:])
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
    if np.mean(np.array(fits)[:, 1] <= 0) > (1 - LEVEL) / 2:
        reason = "it is not sure that the objective improves with the cost"
    elif float(np.max(t) - np.min(t)) < 1:
        reason = "the costs span less than a decade"
    return ObjectiveLaw(
        *estimate,
        limit_interval=reflected_quantiles(estimate[0], draws[:, 0]),
        exponent_interval=quantiles(estimate[2], draws[:, 2]),
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
