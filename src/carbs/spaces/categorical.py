"""A choice among given values: the base of all such spaces, and the one without an order."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from carbs.arrays import Array, Indices
from carbs.errors import Problem
from carbs.spaces.values import INFINITY, ParamValue, as_json, identity_of
from carbs.values import is_finite, shown


@dataclass(frozen=True)
class ChoiceSpace:
    """Base of the spaces whose values are listed.

    Attributes:
        choices: At least two different JSON values: strings, numbers, booleans, None, and lists of these. Tuples and
            arrays become lists.
    """

    choices: tuple[ParamValue, ...]

    kind: ClassVar[str] = ""
    # The most choices; None for no limit.
    _most: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        choices = as_json(self.choices)
        if isinstance(choices, Sequence) and not isinstance(choices, str):
            object.__setattr__(self, "choices", tuple(choices))

    def problems(self) -> list[Problem]:
        """List the broken rules of this definition; empty if it is valid."""
        if not isinstance(self.choices, tuple) or len(self.choices) < 2:
            return [Problem("", "choices", self.choices, "must be a list of at least two values")]
        if self._most is not None and len(self.choices) > self._most:
            most = f"has {len(self.choices)} values, and at most {self._most} are possible"
            rule = f"{most}; if they have an order, use OrdinalSpace, which takes any number"
            return [Problem("", "choices", list(self.choices), rule)]
        found = [
            Problem("", "choices", choice, _rule_for(choice), f"choice {shown(choice)}")
            for choice in self.choices
            if not _is_choice(choice)
        ]
        if not found and len(self._index) < len(self.choices):
            found.append(Problem("", "choices", list(self.choices), "must differ from one another"))
        return found

    @property
    def is_bounded(self) -> bool:
        """Return True: there are finitely many choices."""
        return True

    @property
    def longest_first_step(self) -> float:
        """Infinite: there is nothing between choices to be careful about."""
        return INFINITY

    def problem_with(self, value: Any) -> str | None:
        """Say why `value` is not in this space, or return None if it is."""
        return None if self._place_of(value) is not None else f"must be one of {shown(list(self.choices))}"

    def own(self, value: Any) -> ParamValue:
        """Return the choice that `value`, which may be numpy's or a tuple, stands for.

        Raises:
            KeyError: If it is no choice of this space.
        """
        place = self._place_of(value)
        if place is None:
            raise KeyError(value)
        return copy.deepcopy(self.choices[place])

    def _places(self, values: Sequence[ParamValue]) -> Indices:
        """Return the places of n choices, shape (n,)."""
        return np.array([self._place_of(value) for value in values], int)

    def _chosen(self, places: Indices) -> list[ParamValue]:
        """Return the choices at some places; lists are copies."""
        return [copy.deepcopy(self.choices[place]) for place in places]

    def _place_of(self, value: Any) -> int | None:
        """Return the place of a choice; None for a value that is not a choice."""
        try:
            identity = identity_of(value)
            place = self._index.get(identity)
        except (TypeError, RecursionError):
            return None  # what has no identity, such as a dictionary
        # A run's record may hold 0.1 as a 32-bit program wrote it: 0.10000000149011612.
        return self._index32.get(np.float32(value)) if place is None and _is_float(identity[1]) else place

    @cached_property
    def _index(self) -> dict[Any, int]:
        """Places of the choices by their identities."""
        return {identity_of(choice): place for place, choice in enumerate(self.choices)}

    @cached_property
    def _index32(self) -> dict[Any, int]:
        """Places of the choices that are 64-bit floats, by their values in 32 bits, where these differ."""
        floats = {place: choice for place, choice in enumerate(self.choices) if _is_float(choice)}
        short = {place: np.float32(choice) for place, choice in floats.items()}
        times = Counter(short.values())
        return {value: place for place, value in short.items() if times[value] == 1}


@dataclass(frozen=True)
class CategoricalSpace(ChoiceSpace):
    """A choice among a few values without an order.

    Attributes:
        choices: At least two different JSON values: strings, numbers, booleans, None, and lists of these. Tuples and
            arrays become lists.
    """

    kind: ClassVar[str] = "categorical"
    # A suggestion among 5,000 takes 4 s and 450 MB, among 10,000 13 s and 760 MB.
    _most: ClassVar[int | None] = 5000
    # Every pair of choices is then as far apart as the two ends of a bounded numeric space are from its middle.
    _spread: ClassVar[float] = 1 / math.sqrt(2)

    @property
    def width(self) -> int:
        """Number of search coordinates: one for each choice."""
        return len(self.choices)

    @property
    def default_center(self) -> ParamValue:
        """The first choice."""
        return self.choices[0]

    @property
    def coordinate_bounds(self) -> tuple[float, float]:
        """Smallest and largest value of each search coordinate."""
        return 0.0, self._spread

    def encode(self, values: Sequence[ParamValue]) -> Array:
        """Map n choices to search coordinates, shape (n, number of choices): one-hot."""
        return self._one_hot(self._places(values))

    def decode(self, coordinates: Array) -> list[ParamValue]:
        """Map search coordinates, shape (n, number of choices), to the choices with the largest coordinate."""
        return self._chosen(np.argmax(coordinates, axis=1))

    def round(self, coordinates: Array) -> Array:
        """Move search coordinates onto the nearest choice; shapes (n, number of choices)."""
        return self._one_hot(np.argmax(coordinates, axis=1))

    def _one_hot(self, places: Indices) -> Array:
        coordinates = np.zeros((len(places), len(self.choices)))
        coordinates[np.arange(len(places)), places] = self._spread
        return coordinates


def _is_choice(value: Any) -> bool:
    if isinstance(value, list):
        try:
            return all(_is_choice(item) for item in value)
        except RecursionError:
            return False
    return value is None or isinstance(value, (str, bool)) or is_finite(value)


def _rule_for(choice: Any) -> str:
    """Return the rule that a choice breaks, and what to write in its place."""
    rule = "must be a string, a finite number, a boolean, None or a list of these"
    if isinstance(choice, dict):
        return f"{rule}: name the objects, as in ['small', 'large'], and let the program look the name up"
    return rule


def _is_float(value: Any) -> bool:
    return isinstance(value, float) and abs(value) < float(np.finfo(np.float32).max)
