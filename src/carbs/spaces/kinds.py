"""The four kinds of spaces of numbers: linear, logarithmic, logit and powers of two."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from carbs.arrays import Array
from carbs.errors import Problem
from carbs.spaces.numeric import NumericSpace
from carbs.spaces.values import INFINITY
from carbs.values import is_finite


@dataclass(frozen=True)
class LinearSpace(NumericSpace):
    """Numbers searched as they are.

    Without `scale`, a space with an open end is scaled by how far its search centre is from its other end (or from 0);
    an integer one by at least 4, so that a first step of 0.15 search units reaches the next integer.
    """

    kind: ClassVar[str] = "linear"

    def transform(self, values: Array) -> Array:
        """Return `values`."""
        return values

    def inverse(self, transformed: Array) -> Array:
        """Return `transformed`."""
        return transformed

    def _open_scale(self, center: float | None) -> float:
        end = next((end for end in (self.min, self.max) if math.isfinite(end)), 0.0)
        reach = (abs(end) if center is None else abs(center - end)) or 1.0
        return max(reach, 4.0 * self.rounding_factor) if self.is_integer else reach


@dataclass(frozen=True)
class LogSpace(NumericSpace):
    """Positive numbers searched by their logarithm, one search unit a decade where an end is open.

    Attributes:
        base: Base of the logarithm that `scale` is given in.
    """

    min: float = 0.0
    base: float = 10

    kind: ClassVar[str] = "log"

    def transform(self, values: Array) -> Array:
        """Return the logarithm of `values` to `base`; minus infinity for 0."""
        return np.log(values) / math.log(self.base)

    def inverse(self, transformed: Array) -> Array:
        """Return `base` to the power of `transformed`."""
        return np.power(float(self.base), transformed)

    def _type_problems(self) -> list[Problem]:
        found = super()._type_problems()
        if not (is_finite(self.base) and self.base > 1):
            found.append(Problem("", "base", self.base, "must be a finite number above 1"))
        return found

    def _range_problems(self) -> list[Problem]:
        found = super()._range_problems()
        if self.min < 0:
            found.append(Problem("", "min", self.min, "of a log space must not be negative"))
        if self.is_integer and self.min < 1:
            rule = "of an integer log space must be at least 1 (the logarithm of 0 is infinite)"
            found.append(Problem("", "min", self.min, rule))
        return found

    @property
    def _decade(self) -> float:  # type: ignore[override]
        return 1 / math.log10(self.base)

    @property
    def _limits(self) -> tuple[float, float]:  # type: ignore[override]
        return -300 * self._decade, 300 * self._decade

    def _open_scale(self, center: float | None) -> float:  # noqa: ARG002
        return self._decade


@dataclass(frozen=True)
class LogitSpace(NumericSpace):
    """Numbers between 0 and 1 searched by their logit, log10(x / (1 - x)): probabilities, momenta, discount factors."""

    min: float = 0.0
    max: float = 1.0

    kind: ClassVar[str] = "logit"

    def transform(self, values: Array) -> Array:
        """Return log10(values / (1 - values)); infinite at 0 and 1."""
        return np.log10(values) - np.log10(1 - values)

    def inverse(self, transformed: Array) -> Array:
        """Return the value whose logit is `transformed`."""
        return 1 / (1 + np.power(10.0, -transformed))

    def _range_problems(self) -> list[Problem]:
        found = super()._range_problems()
        if not (self.min >= 0 and self.max <= 1):
            key = "max" if self.min >= 0 else "min"
            subject = f"min={self.min!r} and max={self.max!r}"
            found.append(Problem("", key, getattr(self, key), "of a logit space must lie in 0..1", subject))
        if self.is_integer:
            rule = "makes no sense in a logit space, whose values lie between 0 and 1"
            found.append(Problem("", "is_integer", True, rule))
        return found

    _decade: ClassVar[float | None] = 1.0
    _limits: ClassVar[tuple[float, float]] = (-300.0, 15.0)

    def _open_scale(self, center: float | None) -> float:  # noqa: ARG002
        return 1.0


@dataclass(frozen=True)
class Pow2Space(NumericSpace):
    """Powers of two from `min` to `max`, both inclusive and powers of two themselves; searched by their exponent."""

    min: float = 1
    is_integer: bool = True

    kind: ClassVar[str] = "pow2"

    def transform(self, values: Array) -> Array:
        """Return the exponent, log2 of `values`."""
        return np.log2(values)

    def inverse(self, transformed: Array) -> Array:
        """Return the power of two nearest to 2 to the power of `transformed`."""
        return np.power(2.0, np.round(transformed))

    def _range_problems(self) -> list[Problem]:
        found = super()._range_problems()
        for name, value in (("min", self.min), ("max", self.max)):
            if value != INFINITY and not _is_power_of_two(value):
                found.append(Problem("", name, value, "must be a power of two (1, 2, 4, 8, …)"))
        if not self.is_integer:
            found.append(Problem("", "is_integer", self.is_integer, "makes no sense in a space of powers of two"))
        if self.rounding_factor != 1:
            rule = "makes no sense in a space of powers of two"
            found.append(Problem("", "rounding_factor", self.rounding_factor, rule))
        return found

    def problem_with(self, value: Any) -> str | None:
        """Say why `value` is not in this space, or return None if it is."""
        return super().problem_with(value) or (None if _is_power_of_two(value) else "must be a power of two")

    _decade: ClassVar[float | None] = math.log2(10)
    _limits: ClassVar[tuple[float, float]] = (0.0, 62.0)  # what fits a 64-bit integer

    def _open_scale(self, center: float | None) -> float:  # noqa: ARG002
        return math.log2(10)


def _is_power_of_two(value: float) -> bool:
    return value >= 1 and math.frexp(value)[0] == 0.5  # 0.5: the mantissa of every power of two
