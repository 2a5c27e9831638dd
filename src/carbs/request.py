"""The request of a caller of `CARBS.suggest`, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from carbs.arrays import Array
from carbs.errors import Problem, check_positive, raise_problems, refuse
from carbs.spaces.categorical import ChoiceSpace
from carbs.spaces.numeric import NumericSpace
from carbs.spaces.search_space import SearchSpace
from carbs.spaces.values import ParamDict
from carbs.values import as_float, is_dictionary, is_positive, plain

# The end of the sentence about a value beyond its bounds.
BEYOND = "; beyond its bounds `carbs.scaling.recommend(…, given=…)` predicts"


@dataclass(frozen=True)
class Request:
    """A request for a suggestion.

    Attributes:
        seed: Extra entropy beside the seed of the options.
        for_cost: The cost whose best objective is to be known better; None for the gain of the frontier.
        given: Values that the suggestion must have, by the names of their hyperparameters: fixed ones and the caller's.
        narrows: Whether the caller has given any.
    """

    seed: str | int | None = None
    for_cost: float | None = None
    given: ParamDict = field(default_factory=dict)
    narrows: bool = False

    @classmethod
    def checked(cls, space: SearchSpace, seed: Any = None, for_cost: Any = None, given: Any = None) -> Request:
        """Return the request.

        Raises:
            CarbsError: If `for_cost` is not a positive, finite number, the seed is neither text nor a number, or a
                given value is not one of the search space; names every such value.
        """
        if for_cost is not None:
            check_positive("for_cost", for_cost)
        seed = plain(seed)
        if not (seed is None or isinstance(seed, str) or as_float(seed) is not None):
            raise refuse(Problem("", "seed", seed, "must be a string, a number or None"))
        own = {} if given is None else _checked_values(space, given)
        problems = [
            Problem("given", name, own[name], f"must be {value!r}, as in every run", f"value {own[name]!r} of {name!r}")
            for name, value in space.missed(own).items()
        ]
        raise_problems("invalid request", problems)
        return cls(seed, for_cost, {**own, **space.fixed}, bool(own.keys() - space.fixed.keys()))

    def coordinates(self, space: SearchSpace) -> Array | None:
        """Return the given values as search coordinates, NaN for all others, shape (D,); None if none is given."""
        if not self.given:
            return None
        coordinates = np.full(space.width, np.nan)
        for name, value in self.given.items():
            place = space.names.index(name)
            coordinates[space.columns[place]] = space.spaces[place].encode([value])[0]
        return coordinates


def _checked_values(space: SearchSpace, given: Any) -> ParamDict:
    if not is_dictionary(given):
        raise refuse(Problem("", "given", given, "must be a dictionary of hyperparameters' values, such as {'n': 7e9}"))
    values: Mapping[str, Any] = given
    problems, found = [], {}
    for name in values.keys():  # noqa: SIM118 - a configuration of wandb iterates over something else
        if name not in space.names:
            problems.append(space.unknown(name, values[name], "given"))
            continue
        settled, value = space.spaces[space.names.index(name)], values[name]
        problem = settled.problem_with(value)
        if problem is None:
            found[name] = settled.own(value) if isinstance(settled, ChoiceSpace) else plain(value)
            continue
        if isinstance(settled, NumericSpace) and is_positive(value) and settled.is_beyond(plain(value)):
            problem += BEYOND
        problems.append(Problem("given", name, value, problem))
    raise_problems("invalid request", problems)
    return found
