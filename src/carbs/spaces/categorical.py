"""A choice among a few values without an order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from carbs.arrays import Array
from carbs.errors import Problem
from carbs.spaces.values import INFINITY, ParamValue, identity_of
from carbs.values import is_finite, plain, shown


@dataclass(frozen=True)
class CategoricalSpace:
    """A choice among a few values without an order.

    Attributes:
        choices: At least two different strings, numbers or booleans.
    """

    choices: tuple[ParamValue, ...]

    kind: ClassVar[str] = "categorical"
    # Every pair of choices is then as far apart as the two ends of a bounded numeric space are from its middle.
    _spread: ClassVar[float] = 1 / math.sqrt(2)

    def __post_init__(self) -> None:
        choices = self.choices.tolist() if isinstance(self.choices, np.ndarray) else self.choices
        if isinstance(choices, Sequence) and not isinstance(choices, str):
            object.__setattr__(self, "choices", tuple(plain(choice) for choice in choices))

    @property
    def width(self) -> int:
        """Number of search coordinates: one for each choice."""
        return len(self.choices)

    def problems(self) -> list[Problem]:
        """List the broken rules of this definition; empty if it is valid."""
        if not isinstance(self.choices, tuple) or len(self.choices) < 2:
            return [Problem("", "choices", self.choices, "must be a list of at least two values")]
        rule = "must be a string, a finite number or a boolean"
        found = [
            Problem("", "choices", choice, rule, f"choice {shown(choice)}")
            for choice in self.choices
            if not (isinstance(choice, (str, bool)) or is_finite(choice))
        ]
        if not found and len({identity_of(choice) for choice in self.choices}) < len(self.choices):
            found.append(Problem("", "choices", list(self.choices), "must differ from one another"))
        return found

    @property
    def is_bounded(self) -> bool:
        """Return True: there are finitely many choices."""
        return True

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
        index = {identity_of(choice): i for i, choice in enumerate(self.choices)}
        return self._spread * np.eye(len(self.choices))[[index[identity_of(value)] for value in values]]

    def decode(self, coordinates: Array) -> list[ParamValue]:
        """Map search coordinates, shape (n, number of choices), to the choices with the largest coordinate."""
        return [self.choices[i] for i in np.argmax(coordinates, axis=1)]

    def round(self, coordinates: Array) -> Array:
        """Move search coordinates onto the nearest choice; shapes (n, number of choices)."""
        nearest: Array = self._spread * np.eye(len(self.choices))[np.argmax(coordinates, axis=1)]
        return nearest

    @property
    def longest_first_step(self) -> float:
        """Infinite: there is nothing between choices to be careful about."""
        return INFINITY

    def problem_with(self, value: Any) -> str | None:
        """Say why `value` is not in this space, or return None if it is."""
        known = {identity_of(choice) for choice in self.choices}
        try:
            is_known = identity_of(value) in known
        except TypeError:
            is_known = False
        return None if is_known else f"must be one of {list(self.choices)!r}"
