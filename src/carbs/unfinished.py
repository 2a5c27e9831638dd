"""A run that goes on, and whether it should."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from carbs.arrays import Array
from carbs.errors import Problem, raise_problems, refuse
from carbs.history import ObservationInParam, gather
from carbs.spaces.identity import are_among, keys
from carbs.spaces.numeric import NumericSpace
from carbs.spaces.ordinal import OrdinalSpace
from carbs.spaces.search_space import SearchSpace
from carbs.spaces.space import Space
from carbs.spaces.values import SUGGESTION_ID_KEY, ParamDict
from carbs.values import is_positive

# In errors, the rule for the hyperparameter.
PASSED_THROUGH = "a hyperparameter whose values are positive numbers, through which a run passes in order"

# One run of so many goes to its end whatever is seen of it: the models have to see ends.
_EXCUSED = 10
# A run is stopped below this chance of improving the frontier. In 19 searches on picked LCBench tasks, 0.05 left the
# hypervolume of 60 runs as it was, and 0.2 lowered it by 0.01.
_LEAST_CHANCE = 0.05
# No run is stopped before this share of its way.
_LEAST_SHARE = 0.1
# Places ahead at which a run is judged, evenly in search coordinates.
_NUM_AHEAD = 8


@dataclass(frozen=True)
class Prospect:
    """Whether a run should be stopped.

    Attributes:
        stop: Whether it should.
        chance: The probability that it improves the frontier if it goes on; None where the models were not asked.
        reason: Why, as the end of a sentence about the run.
    """

    stop: bool
    chance: float | None
    reason: str


@dataclass(frozen=True)
class UnfinishedRun:
    """A run that goes on.

    Attributes:
        space: The search space.
        values: Its configuration.
        points: Its points so far, in order: the results of configurations that differ from its own in
            one hyperparameter, before its own value.
        parameter: That hyperparameter.
        name: Its identifier.
    """

    space: SearchSpace
    values: ParamDict
    points: tuple[ObservationInParam, ...]
    parameter: str
    name: str

    @classmethod
    def checked(
        cls, space: SearchSpace, suggestion: Mapping[str, Any], points: Sequence[ObservationInParam], parameter: str
    ) -> UnfinishedRun:
        """Return the run.

        Raises:
            CarbsError: If the configuration is not in the search space, the hyperparameter is none through whose
                values a run passes in order, or a point is invalid or not on the way of this run.
        """
        place = "invalid unfinished run"
        raise_problems(place, space.problems_with(suggestion))
        if parameter not in space.names:
            raise refuse(space.unknown(parameter, None, "parameter"), place)
        if not is_passed_through(space.spaces[space.names.index(parameter)]):
            raise refuse(Problem("", "parameter", parameter, f"must be {PASSED_THROUGH}"), place)
        values = space.select(suggestion)
        own: Any = values[parameter]
        seen = gather(space, points)
        problems = [
            Problem("", "points", dict(point.input), f"must be the result of this run before its {parameter}={own!r}")
            for point in seen.successes
            if {**point.input, parameter: own} != values or point.input[parameter] >= own
        ]
        problems += [Problem("", "points", run.output, "must not hold a failure") for run in seen.failures]
        raise_problems(place, problems)
        ordered = sorted(seen.successes, key=lambda point: point.input[parameter])
        name = suggestion.get(SUGGESTION_ID_KEY) or repr(sorted(values.items()))
        return cls(space, values, tuple(ordered), parameter, str(name))

    @property
    def excuse(self) -> str:
        """Why it goes on whatever the models say, as the end of a sentence about it; empty if nothing excuses it."""
        if not self.points:
            return "has no point on its way yet"
        last: Any = self.points[-1].input[self.parameter]
        end: Any = self.values[self.parameter]
        if last < _LEAST_SHARE * end:
            return f"is before a tenth of its {self.parameter}={end!r}"
        if not len(self.ahead):
            return f"is at its {self.parameter}={end!r}, but for rounding"
        digest = hashlib.sha256(self.name.encode()).digest()
        if int.from_bytes(digest[:8], "big") % _EXCUSED == 0:
            return f"is one of the runs, one in {_EXCUSED}, that go to their end"
        return ""

    @property
    def counts_at_end(self) -> bool:
        """Whether only its end counts: all runs are equally long, and nobody wants a shorter one."""
        return self.parameter in self.space.fixed

    @property
    def column(self) -> int:
        """Of the hyperparameter's search coordinate."""
        column: int = self.space.columns[self.space.names.index(self.parameter)].start
        return column

    @property
    def ahead(self) -> Array:
        """Search coordinates of the results that it will be if it goes on, its own the last, shape (m, D)."""
        last, end = self.space.encode([self.points[-1].input, self.values])
        number = 1 if self.counts_at_end else _NUM_AHEAD
        shares = np.arange(1, number + 1)[:, None] / number
        ahead = self.space.round(last + shares * (end - last))
        is_new = ~are_among(ahead, frozenset(keys(last[None])))
        return np.unique(ahead[is_new], axis=0)


def prospect_of(chance: float) -> Prospect:
    """Return the prospect of a run, by the probability that it improves the frontier if it goes on."""
    said = f"{chance:.2g}" if chance else "less than 0.001"
    return Prospect(chance < _LEAST_CHANCE, chance, f"improves the frontier with a probability of {said}")


def is_passed_through(space: Space) -> bool:
    """Return whether a run may pass through the values of a hyperparameter's space: they are `PASSED_THROUGH`."""
    if isinstance(space, OrdinalSpace):
        return all(map(is_positive, space.choices))
    return isinstance(space, NumericSpace)
