"""Ticks of an axis on which numbers between 0 and 1 are drawn by their logit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

# More would touch one another, fewer would not show how the axis runs.
_MOST, _FEWEST = 7, 3
# A shorter axis, as a share of its upper end, has no round numbers that a float could tell apart.
_SHORTEST = 1e-12
# Digits that a float holds.
_DIGITS = 15


def logit_ticks(low: float, high: float) -> list[float]:
    """Return where a logit axis has its ticks: at 0.9, 0.99, 0.999, … and their mirror images at 0.1, 0.01, ….

    Where there are few of these, 0.95 and 0.98, 0.995 and 0.998, … come between them; on an axis that is shorter than
    that, which is nearly a linear one, there are round numbers.

    Args:
        low: The lower end of the axis, between 0 and 1.
        high: The upper end.
    """
    powers = _within(low, high, range(1, _DIGITS))
    if len(powers) > _MOST:
        # Every second, third, … of them, the same on both sides.
        step = math.ceil(len(powers) / _MOST)
        return _within(low, high, range(step, _DIGITS, step))
    for digits in ((1,), (1, 5), (1, 2, 5)):
        found = _within(low, high, range(1, _DIGITS), digits)
        if len(found) >= _FEWEST:
            return found
    return _round_numbers(low, high)


def tick_text(value: float) -> str:
    """Write the value of a tick: every nine counts."""
    return f"{value:.{_DIGITS}g}"


def _within(low: float, high: float, decades: Iterable[int], digits: Sequence[int] = (1,)) -> list[float]:
    """Return 0.5, and the numbers at such distances from 0 and from 1, that lie on an axis."""
    distances = [digit * 10.0**-decade for decade in decades for digit in digits]
    near = {_clean(end) for distance in distances if distance < 0.5 for end in (distance, 1 - distance)}
    return sorted(number for number in {0.5, *near} if low <= number <= high)


def _round_numbers(low: float, high: float) -> list[float]:
    if high - low <= _SHORTEST * high:
        return [low]
    rough = (high - low) / _FEWEST
    size = 10.0 ** math.floor(math.log10(rough))
    step = next((step * size for step in (5, 2) if step * size <= rough), size)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [_clean(place * step) for place in range(first, last + 1)]


def _clean(value: float) -> float:
    """Return a number without the digits that arithmetic leaves behind."""
    return float(f"{value:.{_DIGITS}g}")
