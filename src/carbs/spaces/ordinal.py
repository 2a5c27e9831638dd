"""A choice among a few values that have an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from carbs.arrays import Array, Indices
from carbs.spaces.categorical import ChoiceSpace
from carbs.spaces.values import ParamValue

# As wide as a bounded numeric space.
_WIDTH = 2.0


@dataclass(frozen=True)
class OrdinalSpace(ChoiceSpace):
    """A choice among values that have an order, such as `[0.0, 0.1, 0.2]` or `["small", "medium", "large"]`.

    Neighbours are equally far apart, whatever the values are: a grid that someone wrote down has the spacing that they
    think in.

    Attributes:
        choices: At least two different JSON values in their order: strings, numbers, booleans, None, and lists of
            these. Tuples and arrays become lists.
    """

    kind: ClassVar[str] = "ordinal"
    width: ClassVar[int] = 1  # number of search coordinates

    @property
    def default_center(self) -> ParamValue:
        """The choice in the middle, the lower one of two."""
        return self.choices[(len(self.choices) - 1) // 2]

    @property
    def coordinate_bounds(self) -> tuple[float, float]:
        """Smallest and largest search coordinate."""
        return 0.0, _WIDTH

    def encode(self, values: Sequence[ParamValue]) -> Array:
        """Map n choices to search coordinates, shape (n, 1)."""
        return self._coordinates(self._places(values))

    def decode(self, coordinates: Array) -> list[ParamValue]:
        """Map search coordinates, shape (n, 1), to the nearest choices."""
        return self._chosen(self._nearest(coordinates))

    def round(self, coordinates: Array) -> Array:
        """Move search coordinates onto the nearest choice; shapes (n, 1)."""
        return self._coordinates(self._nearest(coordinates))

    def _nearest(self, coordinates: Array) -> Indices:
        last = len(self.choices) - 1
        return np.clip(np.rint(coordinates[:, 0] * (last / _WIDTH)), 0, last).astype(int)

    def _coordinates(self, places: Indices) -> Array:
        step = _WIDTH / (len(self.choices) - 1)
        return np.asarray(places * step, float)[:, None]
