"""A table of runs as arrays, in an order that does not depend on the caller's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress

import numpy as np

from carbs.arrays import Array
from carbs.errors import CarbsError
from carbs.history import ObservationInParam, gather
from carbs.models.groups import LARGEST, in_words
from carbs.scaling.line import Line
from carbs.scaling.power_law import PowerLaws, fit_power_laws
from carbs.spaces.categorical import ChoiceSpace
from carbs.spaces.search_space import SearchSpace
from carbs.values import is_finite

# Objectives worse than the median by this many times its distance from the best all count alike: they diverged.
_WORST = 1e6


class Table:
    """Successful runs as arrays, in an order of their own, so that the caller's order cannot matter.

    Where all runs are equally long, those that were stopped before are left out, and so is their length.

    Attributes:
        X: Search coordinates, shape (n, D).
        y: Objective, higher is better, less its median and in units of the distance from there to the best, shape (n,).
        t: Log10 of the cost, shape (n,).
        values: Values of each numeric hyperparameter, by name, each of shape (n,).
        numeric: Places of the hyperparameters that are no choices.
        places: Where each run stands in the caller's list, shape (n,).
        center: Median of the objective, negated if it is minimised.
        spread: The unit of y: that objective is center + spread * y.
        space: The search space, without fixed hyperparameters.
        sign: 1 if the objective is maximised, -1 if it is minimised.
    """

    def __init__(self, space: SearchSpace, observations: Sequence[ObservationInParam], sign: int) -> None:
        given = list(observations) if isinstance(observations, Iterable) else observations
        seen = gather(space, given).successes
        succeeded = [place for place, run in enumerate(given) if not run.is_failure and is_finite(run.output)]
        is_whole = [space.is_whole(run.input) for run in seen]
        seen, succeeded = list(compress(seen, is_whole)), list(compress(succeeded, is_whole))
        space = space.searched
        self.space, self.sign = space, sign
        self.numeric = [i for i, settled in enumerate(space.spaces) if not isinstance(settled, ChoiceSpace)]
        if not self.numeric:
            raise CarbsError("no scaling laws: all hyperparameters are choices, which have no order")
        X = space.encode([run.input for run in seen])
        self._check_number(len(np.unique(np.round(X, 9), axis=0)))
        y = sign * np.clip(np.array([run.output for run in seen], float), -LARGEST, LARGEST)
        if np.min(y) == np.max(y):
            raise CarbsError(
                f"no scaling laws: all {len(y)} runs have the same objective, {sign * y[0]:.6g}; laws need runs that "
                "differ"
            )
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
                f"too few runs for scaling laws: {in_words(size)} succeeded, for {len(self.numeric)} "
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

    def num_unused(self, line: Line) -> int:
        """Return how many runs are too far from the frontier to be fitted, since there are so many."""
        return len(self.y) - len(line.axes)

    def losses(self, standardised: Array) -> Array:
        """Return standardised objectives as losses in the objective's unit, any shape."""
        return -self.center - self.spread * standardised

    def power_laws(self, axes: Array, corrected: Array, weight: Array, usual: Array) -> PowerLaws:
        """Fit the laws of the loss to standardised objectives; see `carbs.scaling.power_law.fit_power_laws`."""
        return fit_power_laws(axes, -corrected, weight, usual).scaled(-self.center, self.spread)
