"""The models' view of a finished or running search, for figures and reports."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr

from carbs.arrays import Array
from carbs.config import CARBSParams, as_config
from carbs.errors import CarbsError, Problem, check_positive, check_whole, refuse
from carbs.history import ObservationInParam, gather
from carbs.intervals import HALF_WIDTH
from carbs.models.groups import group_points, group_successes, in_words
from carbs.models.surrogate import Surrogate
from carbs.pareto import frontier
from carbs.spaces.categorical import ChoiceSpace
from carbs.spaces.search_space import Param, SearchSpace, as_space
from carbs.spaces.values import ParamDict
from carbs.threads import one_thread

# A total effect is averaged over so many permutations, or over so many moved runs: its error is a few hundredths.
_NUM_PERMUTATIONS, _NUM_MOVED = 16, 4000
# Values at which a dependence is shown: enough for a smooth line.
_GRID = 41
# An open end is shown so far beyond the runs, in search units.
_BEYOND = 0.2
# Of outcomes, this many times the usual distance from their median is that of a run that diverged.
_FAR = 100.0


@dataclass(frozen=True)
class Believed:
    """Predictions for m configurations, in the units and direction of the observations.

    Attributes:
        objective: Expected objective, shape (m,).
        objective_low: Lower end of its 90 % interval (without the noise of a single run).
        objective_high: Upper end.
        cost: Expected cost (its median).
        cost_low: Lower end of its 90 % interval.
        cost_high: Upper end.
        success: Probability that a run succeeds.
    """

    objective: Array
    objective_low: Array
    objective_high: Array
    cost: Array
    cost_low: Array
    cost_high: Array
    success: Array


@dataclass(frozen=True)
class Importance:
    """How much a hyperparameter matters.

    Attributes:
        name: The hyperparameter.
        length_scale: How far it must move to matter for the objective, in search units (a bounded space has two).
        objective: Share of the predicted objective's variance: Sobol' total-effect index, from 0 to 1.
        cost: The same for the predicted log cost.
    """

    name: str
    length_scale: float
    objective: float
    cost: float


@dataclass(frozen=True)
class Dependence:
    """How the predictions change with one hyperparameter, all others held.

    Attributes:
        values: Values of the hyperparameter, m of them.
        held: The configuration that the other values are taken from.
        believed: The prediction at each.
    """

    values: list[int | float | str | bool]
    held: ParamDict
    believed: Believed


class Insight:
    """The models, fitted to a history.

    Args:
        space: The search space, or its parameters.
        observations: The runs, failures included; an objective that is not finite is a failure.
        config: The optimizer's options; only the direction of the objective is used.

    Attributes:
        space: The search space.
        sign: 1 if the objective is maximised, -1 if it is minimised.
        successes: The observations with an objective and a cost.
        failures: Those of failed runs.
        groups: Successes grouped by configuration; objectives as the search sees them, higher is better.
        surrogate: The models; they have learnt from the points on the runs' way, too.

    Raises:
        CarbsError: If an observation is invalid, or fewer than three different configurations succeeded.
    """

    def __init__(
        self,
        space: SearchSpace | Sequence[Param],
        observations: Sequence[ObservationInParam],
        config: CARBSParams | None = None,
    ) -> None:
        self.space = as_space(space)
        self.sign = as_config(config).better_direction_sign
        history = gather(self.space, observations)
        self.successes, self.failures = history.successes, history.failures
        self.groups = group_successes(self.space, self.successes, self.sign)
        if self.groups.size < 3:
            raise CarbsError(f"{in_words(self.groups.size)} succeeded; the models need at least 3")
        with one_thread():
            failures = self.space.encode([observation.input for observation in self.failures])
            learnt = group_points(self.space, self.successes, self.failures, self.sign)
            self.surrogate = Surrogate.fit(self.space, learnt, failures)

    @property
    def objective_noise(self) -> float:
        """Standard deviation of a single run's objective, as the model sees it."""
        return self.surrogate.objective_noise

    @property
    def log_cost_noise(self) -> float:
        """Standard deviation of a single run's natural log cost, as the model sees it."""
        return self.surrogate.log_cost_noise

    def believe(self, points: Array) -> Believed:
        """Predict at search coordinates `points`, shape (m, D)."""
        with one_thread():
            beliefs = self.surrogate.predict(points)
            objective, objective_std = self.surrogate.predict_objective(points, beliefs)
            log_cost, log_cost_std = self.surrogate.predict_cost(points)
        scaler = self.surrogate.objective_scaler
        mean = self.sign * scaler.backward(objective)
        half = HALF_WIDTH * objective_std * scaler.deviation
        log_half = HALF_WIDTH * log_cost_std
        return Believed(
            objective=mean,
            objective_low=mean - half,
            objective_high=mean + half,
            cost=np.exp(log_cost),
            cost_low=np.exp(log_cost - log_half),
            cost_high=np.exp(log_cost + log_half),
            success=np.exp(beliefs.log_success),
        )

    @cached_property
    def members(self) -> np.ndarray:
        """Indices of the groups on the smoothed frontier, by increasing cost.

        It compares configurations that were run, by predicted objective and observed cost: noise that the models take
        for luck puts none on it. The observed frontier (`carbs.pareto.frontier` of the runs themselves) compares the
        observed objectives, and the search the predicted ones at predicted costs.
        """
        return frontier(self._means(self.groups.X)[:, 0], self.groups.log_cost)

    def best_at(self, cost: float) -> int:
        """Return the index of the smoothed frontier's member that is best up to a cost; if all cost more, the cheapest.

        Raises:
            CarbsError: If the cost is not a positive, finite number.
        """
        check_positive("cost", cost)
        log_cost = self.groups.log_cost[self.members]
        return int(self.members[max(int(np.searchsorted(log_cost, math.log(cost), side="right")) - 1, 0)])

    def configuration(self, index: int) -> ParamDict:
        """Return the configuration of a group."""
        return self.space.decode(self.groups.X[index : index + 1])[0]

    def importance(self, seed: int = 0) -> list[Importance]:
        """Measure how much each hyperparameter matters, in the search space's order.

        The total effect is estimated by Jansen's formula (Saltelli et al. 2010, table 2 (f)) over the configurations
        that were run: half the mean square by which a prediction moves when the hyperparameter's value is taken from
        another run, over the predictions' variance.

        Args:
            seed: Of the permutations.

        Raises:
            CarbsError: If the seed is not a whole number of at least 0.
        """
        check_whole("seed", seed, 0)
        rng = np.random.default_rng(seed)
        X = self.groups.X
        reference = self._means(X)
        variance = np.maximum(np.var(reference, axis=0), 1e-12)
        repeats = min(_NUM_PERMUTATIONS, math.ceil(_NUM_MOVED / len(X)))
        found = []
        for name, columns in zip(self.space.names, self.space.columns, strict=True):
            moved = np.zeros(2)
            for _ in range(repeats):
                other = X.copy()
                other[:, columns] = X[rng.permutation(len(X)), columns]
                moved += np.mean((self._means(other) - reference) ** 2, axis=0) / 2
            effect = np.minimum(moved / repeats / variance, 1.0)
            scale = float(np.min(self.surrogate.objective.hyper.length_scales[columns]))
            found.append(Importance(name, scale, float(effect[0]), float(effect[1])))
        return found

    def dependence(self, name: str, cost: float) -> Dependence:
        """Show how the predictions change with one hyperparameter, the others held at the best values up to a cost.

        Args:
            name: The hyperparameter.
            cost: The best member of the smoothed frontier up to this cost gives the other values.

        Raises:
            CarbsError: If there is no such hyperparameter, or the cost is not a positive, finite number.
        """
        if name not in self.space.names:
            subject = f"no hyperparameter is called {name!r};"
            raise refuse(Problem("", "name", name, f"there are {self.space.names}", subject))
        position = self.space.names.index(name)
        space, columns = self.space.spaces[position], self.space.columns[position]
        index = self.best_at(cost)
        if isinstance(space, ChoiceSpace):
            coordinates = space.encode(space.choices)
        else:
            low, high = space.coordinate_bounds
            seen = self.groups.X[:, columns]
            low = low if math.isfinite(low) else float(np.min(seen)) - _BEYOND
            high = high if math.isfinite(high) else float(np.max(seen)) + _BEYOND
            coordinates = np.unique(space.round(np.linspace(low, high, _GRID)[:, None]), axis=0)
        points = np.repeat(self.groups.X[index : index + 1], len(coordinates), axis=0)
        points[:, columns] = coordinates
        return Dependence(space.decode(coordinates), self.configuration(index), self.believe(points))

    def _means(self, points: Array) -> Array:
        """Return expected objective, standardised, and log cost, shape (m, 2)."""
        with one_thread():
            expected = self.surrogate.expect(points)
            return np.column_stack([expected.objective, expected.log_cost])


@dataclass(frozen=True)
class Calibration:
    """Predictions made before runs, and their outcomes.

    Attributes:
        predicted: Expected values, shape (n,).
        deviation: Standard deviations, the noise of a single run included, shape (n,).
        seen: The observed values, shape (n,).
    """

    predicted: Array
    deviation: Array
    seen: Array

    def coverage(self, levels: Array) -> Array:
        """Return the share of observed values in the central interval of each level, same shape as `levels`."""
        # A central interval holds a value if the probability of being nearer to the mean is below its level.
        inner = 2 * ndtr(np.abs(self.seen - self.predicted) / np.maximum(self.deviation, 1e-300)) - 1
        return np.asarray(np.mean(inner[:, None] <= levels, axis=0))

    def without_outliers(self) -> Calibration:
        """Return the predictions that a picture can show: without runs that diverged, and wild predictions."""
        middle = np.median(self.seen) if len(self.seen) else 0.0
        away = np.abs(self.seen - middle)
        differing = np.sort(away[away > 0])
        far = _FAR * differing[(len(differing) - 1) // 2] if len(differing) else math.inf
        is_shown = np.maximum(away, np.abs(self.predicted - middle)) <= far
        if not np.any(is_shown):
            return self
        return Calibration(self.predicted[is_shown], self.deviation[is_shown], self.seen[is_shown])
