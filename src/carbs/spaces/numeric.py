"""The base of the spaces of numbers: bounds, scale, rounding, and the first steps from a search centre."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from carbs.arrays import Array
from carbs.errors import Problem
from carbs.spaces.values import INFINITY, ParamValue
from carbs.values import as_float, is_finite, is_flag, is_positive, is_whole, plain

if TYPE_CHECKING:
    from typing_extensions import Self


# A bounded numeric space is this many search units wide (unless `scale` says otherwise), as a log space of two decades
# is in the paper, whose search radius is 0.3.
_BOUNDED_WIDTH = 2.0
# Decades of a first step from the search centre at most: a factor of five.
FIRST_STEP = 2 / 3
# In search units: a difference that rounding leaves, and one that makes no difference to a search.
_HAIR, _NEAR = 1e-9, 5e-3
# Where search coordinates, being floats, are still finer than a thousandth, and not yet all the same to the models.
_FARTHEST, _NARROWEST = 1e12, 1e-6


@dataclass(frozen=True)
class NumericSpace:
    """Base of the spaces whose values are numbers.

    Attributes:
        min: Smallest value, inclusive; may be infinite where the space allows.
        max: Largest value, inclusive; may be infinite.
        scale: Transformed units per search unit; None chooses one (see `resolved_scale`).
        is_integer: Whether values are integers.
        rounding_factor: Integer values are multiples of this (unless a bound is reached first).
    """

    min: float = -INFINITY
    max: float = INFINITY
    scale: float | None = None
    is_integer: bool = False
    rounding_factor: int = 1

    kind: ClassVar[str] = ""
    width: ClassVar[int] = 1  # number of search coordinates

    def __post_init__(self) -> None:
        for option in fields(self):
            object.__setattr__(self, option.name, plain(getattr(self, option.name)))

    def transform(self, values: Array) -> Array:
        """Map values to the unscaled real line.

        Args:
            values: Numbers of this space, any shape.

        Returns:
            Transformed numbers, same shape; increasing in `values`.
        """
        raise NotImplementedError

    def inverse(self, transformed: Array) -> Array:
        """Map transformed numbers back to values (not rounded, not clipped); inverse of `transform`."""
        raise NotImplementedError

    def problems(self) -> list[Problem]:
        """List the broken rules of this definition; empty if it is valid."""
        return self._type_problems() or self._range_problems() or self._extreme_problems()

    def _type_problems(self) -> list[Problem]:
        """List the options of a wrong type."""
        found = []
        for name in ("min", "max"):
            value = as_float(getattr(self, name))
            if value is None or math.isnan(value):
                found.append(Problem("", name, getattr(self, name), "must be a number"))
        if self.scale is not None and not is_positive(self.scale):
            found.append(Problem("", "scale", self.scale, "must be a positive number"))
        if not is_flag(self.is_integer):
            found.append(Problem("", "is_integer", self.is_integer, "must be True or False"))
        if not is_whole(self.rounding_factor, 1):
            found.append(Problem("", "rounding_factor", self.rounding_factor, "must be a whole number of at least 1"))
        return found

    def _range_problems(self) -> list[Problem]:
        """List broken rules of the values, given that their types are right."""
        if not self.min < self.max:
            return [Problem("", "min", self.min, f"must be smaller than max={self.max!r}")]
        if self.is_integer and self._highest < self._lowest:
            rule = f"there is no whole number between min={self.min!r} and max={self.max!r}"
            return [Problem("", "min", self.min, rule, "")]
        return []

    def _extreme_problems(self) -> list[Problem]:
        """List the limits of floating-point numbers that are exceeded, given that all else is right."""
        low, high = self._limits
        least, most = self.inverse(np.array(self._limits))
        found = [
            Problem("", name, value, f"must lie in {least:.15g}..{most:.15g}, or be an open end")
            for name, value, end in zip(("min", "max"), (self.min, self.max), self._transformed_bounds, strict=True)
            if math.isfinite(end) and not low - _NEAR <= end <= high + _NEAR
        ]
        if found or self._lowest == self._highest:
            return found
        ends = [end / self.resolved_scale for end in self._transformed_bounds if math.isfinite(end)]
        if self.is_bounded and ends[1] - ends[0] < _NARROWEST:
            rule = f"is too large: the space must be at least {_NARROWEST:g} search units wide"
            found.append(Problem("", "scale", self.scale, rule))
        if any(abs(end) > _FARTHEST for end in ends):
            rule = f"is too small: the bounds must be at most {_FARTHEST:g} search units away from 0"
            found.append(Problem("", "scale", self.scale, rule))
        if found and self.scale is None:
            rule = f"and max={self.max!r} are too close together to tell the values between them apart"
            return [Problem("", "min", self.min, rule)]
        return found

    @property
    def is_bounded(self) -> bool:
        """Whether both ends are finite in search coordinates."""
        low, high = self._transformed_bounds
        return math.isfinite(low) and math.isfinite(high)

    @cached_property
    def resolved_scale(self) -> float:
        """Transformed units per search unit: `scale` if it was given, otherwise chosen.

        A space bounded on both sides is made two search units wide, so that the initial radius means the same in every
        bounded dimension; a space with an open end takes the scale that its class describes.
        """
        if self.scale is not None:
            return float(self.scale)
        low, high = self._transformed_bounds
        if not self.is_bounded:
            return self._open_scale(None)
        return (high - low) / _BOUNDED_WIDTH or 1.0  # where there is only one value, any scale will do

    def scaled_around(self, center: float) -> Self:
        """Return this space with its scale settled, given that the search starts from `center`."""
        if self.scale is not None or self.is_bounded:
            return self
        return replace(self, scale=self._open_scale(center))

    @property
    def default_center(self) -> ParamValue:
        """Where the search starts if no centre is given: the middle of the range, or one scale inside its only end."""
        low, high = self._transformed_bounds
        if math.isfinite(low) and math.isfinite(high):
            middle = (low + high) / 2
        elif math.isfinite(low):
            middle = low + self._open_scale(None)
        elif math.isfinite(high):
            middle = high - self._open_scale(None)
        else:
            middle = 0.0
        return self.decode(np.array([[middle / self.resolved_scale]]))[0]

    @property
    def coordinate_bounds(self) -> tuple[float, float]:
        """Smallest and largest search coordinate; infinite where the space is open."""
        low, high = self._transformed_bounds
        return low / self.resolved_scale, high / self.resolved_scale

    def encode(self, values: Sequence[ParamValue]) -> Array:
        """Map values to search coordinates.

        Args:
            values: n numbers of this space.

        Returns:
            Shape (n, 1).
        """
        with np.errstate(divide="ignore"):
            low, high = self.coordinate_bounds
            return np.clip(self.transform(np.asarray(values, float)) / self.resolved_scale, low, high)[:, None]

    def decode(self, coordinates: Array) -> list[ParamValue]:
        """Map search coordinates to values of this space: clipped to its bounds and rounded.

        Args:
            coordinates: Shape (n, 1).

        Returns:
            n plain Python numbers.
        """
        finished = self._finish(coordinates)
        return [self._as_value(float(value)) for value in finished]

    def round(self, coordinates: Array) -> Array:
        """Move search coordinates onto the nearest points that are values of this space.

        Args:
            coordinates: Shape (n, 1).

        Returns:
            Shape (n, 1).
        """
        if not self.is_integer:
            low, high = self.coordinate_bounds
            return np.clip(coordinates, low, high)
        return self.encode(self._finish(coordinates).tolist())

    def nearest(self, value: float) -> int | float:
        """Return the value of this space that is nearest to `value`, to the last digit: a plain Python number."""
        if self.is_integer and self.rounding_factor > 1:
            value = round(value / self.rounding_factor) * self.rounding_factor
        within = min(max(value, self._lowest), self._highest)
        return int(within) if self.is_integer else float(within)

    def problem_with(self, value: Any) -> str | None:
        """Say why `value` is not in this space, or return None if it is."""
        if not is_finite(value):
            return "must be a finite number"
        value = plain(value)
        if self.is_integer and value != round(value):
            return "must be a whole number"
        if self.is_beyond(value):
            return f"must be between min={self.min!r} and max={self.max!r}"
        if self._is_closed:
            return None
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            coordinate = self.encode([value])[0, 0]
        if not math.isfinite(coordinate):
            return f"must not lie on the open end of a {self.kind} space"
        if abs(coordinate) > _FARTHEST * (1 + _HAIR):
            return f"must be at most {_FARTHEST:g} search units away from 0 (scale={self.resolved_scale:g})"
        return None

    @cached_property
    def _is_closed(self) -> bool:
        """Whether every number within the bounds has a search coordinate, as it has if both of them have."""
        return all(abs(end) <= _FARTHEST for end in self.coordinate_bounds)

    def is_beyond(self, value: float) -> bool:
        """Say whether a number lies beyond the bounds."""
        return not (self.min <= value <= self.max or self._is_nearly_within(value))

    def _is_nearly_within(self, value: float) -> bool:
        """Tell whether `value`, which is out of bounds, is so only by the digits that text or a 32-bit float loses."""
        if self.is_integer:
            return False
        bound = self.min if value < self.min else self.max
        with np.errstate(divide="ignore", invalid="ignore"):
            here, there = self.transform(np.array([value, bound], float)) / self.resolved_scale
        distance = abs(here - there)
        # Lost digits are relative to the bound; near 1 in a logit space, or in a narrow one, they must not mean a step.
        return bool(distance <= _HAIR or (distance <= _NEAR and abs(value - bound) <= 1e-6 * abs(bound)))

    # Transformed numbers beyond these are equal to their neighbours, or infinite, as floating-point values.
    _limits: ClassVar[tuple[float, float]] = (-1e300, 1e300)

    # How many transformed units make a factor of ten; None where the transform is no logarithm.
    _decade: ClassVar[float | None] = None

    @property
    def longest_first_step(self) -> float:
        """How far a first step from the search centre may go, in search units; infinite if nothing limits it.

        `FIRST_STEP` is a large step for a learning rate or a number of parameters, however wide its bounds.
        """
        return INFINITY if self._decade is None else FIRST_STEP * self._decade / self.resolved_scale

    def _open_scale(self, center: float | None) -> float:
        """Choose the scale of a space with an open end; `center` is where the search starts, if known."""
        raise NotImplementedError

    @cached_property
    def _transformed_bounds(self) -> tuple[float, float]:
        with np.errstate(divide="ignore"):
            low, high = self.transform(np.array([self._lowest, self._highest], float))
        return float(low), float(high)

    @property
    def _lowest(self) -> float:
        return math.ceil(self.min) if self.is_integer and math.isfinite(self.min) else self.min

    @property
    def _highest(self) -> float:
        return math.floor(self.max) if self.is_integer and math.isfinite(self.max) else self.max

    def _finish(self, coordinates: Array) -> Array:
        """Map search coordinates, shape (n, 1), to legal values, shape (n,): inverse, rounded, clipped."""
        with np.errstate(over="ignore"):
            transformed = np.clip(coordinates[:, 0], -_FARTHEST, _FARTHEST) * self.resolved_scale
        values = self.inverse(np.clip(transformed, *self._limits))
        low, high = float(self._lowest), float(self._highest)
        values = np.clip(values, low, high)
        if self.is_integer:
            values = np.clip(np.round(values / self.rounding_factor) * self.rounding_factor, low, high)
        return values

    def _as_value(self, value: float) -> int | float:
        if self.is_integer:
            return self.nearest(value)  # once more in integers: above 2**53 not every bound or multiple is a float
        # Twelve digits are what transforming and transforming back leaves exact: 0.001 shall come back as 0.001. Near
        # the open end of a logit space more of them matter.
        short = float(f"{value:.12g}")
        with np.errstate(divide="ignore"):
            there, here = self.transform(np.array([short, value])) / self.resolved_scale
        return short if self.min <= short <= self.max and abs(there - here) < 1e-10 else value
