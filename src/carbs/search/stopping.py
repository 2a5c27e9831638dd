"""Judge whether a run that goes on may still improve the frontier, by the points on its way so far."""

from __future__ import annotations

import numpy as np

from carbs import pareto
from carbs.arrays import Array
from carbs.models.gaussian_process import Posterior, draw
from carbs.models.groups import Groups
from carbs.models.kernel import JITTER
from carbs.models.noise import Noise
from carbs.models.outputs import outlier_bound
from carbs.models.surrogate import NOT_FINITE, Surrogate
from carbs.spaces.identity import rounded

# Joint draws of what is ahead: the standard error of a chance of 5 % is 0.7 %.
_NUM_DRAWS = 1000
# So many results, of no longer runs, show which one is an outlier.
_LEAST_OTHERS = 4
# Equally long runs whose log costs differ by this much cost the same: else each would be the cheapest half of the time.
_ALIKE = 0.1


def chance(
    models: Surrogate,
    way: Groups,
    ahead: Array,
    column: int,
    reach: float,
    generator: np.random.Generator,
    *,
    counts_at_end: bool = False,
) -> float:
    """Return the probability that a run is better than all that is known at its cost, at any place ahead of it.

    The frontier is the predicted one of `carbs.search.most_gain`, this run's own points among it. A run has diverged,
    and has no chance, if it is an outlier, and one among those that were no further, too: the models do not see how bad
    it is, take it for an effect of the hyperparameters, and could say anything.

    Args:
        models: Models of all other runs.
        way: Its points so far, at least one, all of different configurations.
        ahead: Search coordinates of the results that it will be if it goes on, shape (m, D).
        column: Of the hyperparameter through whose values it passes.
        reach: How far below the median, in distances from there to the best, an objective is an outlier.
        generator: Source of randomness.
        counts_at_end: Whether the frontier is that of the runs that came as far as this one will, up to a tenth more
            expensive than it is.

    Returns:
        The probability, with each model's most probable hyperparameters.

    Raises:
        ArithmeticError: If the models' predictions are not finite.
    """
    others = models.groups.y[models.groups.X[:, column] <= way.X[-1, column]]
    bound = outlier_bound(models.groups.y, reach)
    # Where all runs begin alike, a little worse is an outlier among the early ones alone.
    if len(others) >= _LEAST_OTHERS and way.y[-1] < min(bound, outlier_bound(others, reach)):
        return 0.0
    points, number = np.vstack([way.X, ahead]) - models.origin, len(way.X)
    pulled = np.maximum(way.y, bound)
    outputs = models.objective_scaler.forward(pulled), way.log_cost - models.mean_log_cost
    objective, log_cost = (
        _given(model, points, output, generator)
        for model, output in zip((models.objective, models.cost), outputs, strict=True)
    )
    known = models.known
    values = np.append(known.objective[:, 0], objective[:number].mean(axis=1))
    costs = np.append(known.log_cost[:, 0] - models.mean_log_cost, log_cost[:number].mean(axis=1))
    margin = 0.0
    if counts_at_end:
        margin = _ALIKE
        is_rival = rounded(np.append(models.groups.X[:, column], way.X[:, column])) == rounded(ahead[-1, column])
        values, costs = values[is_rival], costs[is_rival]
    members = pareto.frontier(values, costs)
    place = np.searchsorted(costs[members], log_cost[number:] + margin, side="right")
    best = np.append(-np.inf, values[members])[place]
    if not (np.all(np.isfinite(objective)) and np.all(np.isfinite(log_cost))):
        raise ArithmeticError(NOT_FINITE)
    return float(np.mean(np.any(objective[number:] > best, axis=0)))


def _given(model: Posterior, points: Array, outputs: Array, generator: np.random.Generator) -> Array:
    """Draw a model's noise-free outputs at points, shape (m, D), given those of the first k of them, all of one run.

    Returns:
        The draws, shape (m, draws).
    """
    number = len(outputs)
    mean, covariance = model.mean(points)[:, 0], model.covariance(points, points)
    noisy = covariance[:number, :number].copy()
    Noise(np.ones(number), np.zeros(number, dtype=np.intp)).add_to(noisy, model.hyper.noise, JITTER)
    # As `Posterior.condition`, of few outputs.
    gain = np.linalg.solve(noisy, covariance[:number]).T
    mean = mean + gain @ (outputs - mean[:number])
    normal = generator.standard_normal((len(points), _NUM_DRAWS))
    return draw(mean[:, None], covariance - gain @ covariance[:number], normal)
