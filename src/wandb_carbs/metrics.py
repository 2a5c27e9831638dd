"""A metric among the values that a run has logged: in its summary, or in a row of its history.

The SDK itself writes the summary. After `run.define_metric("loss", summary="min")` it keeps `{"loss": {"min": 0.3}}` in
place of the last value, with `summary="min,max"` both, and with `summary="none"` nothing. Whoever reads a metric, an
agent or the server, follows the same rules.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

MISSING: Any = object()
_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})
# Longer names of nested values are not put together: a key of megabytes would come before each value inside.
MAX_NAME = 1_000
_KEPT = frozenset({"last", "first", "best", "min", "max", "mean"})
# So many of these, as `kept` orders them, are values by which a run counts: the last one, and the best by the goal.
ENDS = 3


def kept(*, maximize: bool) -> tuple[str, ...]:
    """Return the names of the values that the SDK may keep of a metric, the one that counts most first.

    That is the last value, as where `define_metric` was not called; else the best one by the goal.

    Args:
        maximize: Whether more of the metric is better.
    """
    best, worst = ("max", "min") if maximize else ("min", "max")
    return "last", "best", best, worst, "mean", "first"


def chosen(value: Any, *, maximize: bool) -> Any:
    """Return what counts of a metric's value: the value itself, or one of those that the SDK keeps.

    Args:
        value: The value in the summary, or `MISSING`.
        maximize: Whether more of the metric is better.
    """
    if not _is_kept(value):
        return value
    return next(value[name] for name in kept(maximize=maximize) if name in value)


def says_end(values: Any, name: str, *, maximize: bool) -> bool:
    """Tell whether a summary says by which value of a metric a run counts: the last one, or the best by the goal.

    It does not where `define_metric` has the SDK keep only another, such as the mean or the first value.

    Args:
        values: The summary.
        name: The metric.
        maximize: Whether more of the metric is better.
    """
    value = find(values, name)
    return not _is_kept(value) or any(key in value for key in kept(maximize=maximize)[:ENDS])


def says_best(values: Any, name: str, *, maximize: bool) -> bool:
    """Tell whether a summary says the best value of a metric in place of the last one, as `define_metric` may have it.

    Args:
        values: The summary.
        name: The metric.
        maximize: Whether more of the metric is better.
    """
    value = find(values, name)
    last, *best = kept(maximize=maximize)[:ENDS]
    return _is_kept(value) and last not in value and any(key in value for key in best)


def says_number(values: Any, name: str, *, maximize: bool) -> bool:
    """Tell whether a summary says the number by which a run counts, so that its history need not be read.

    Like `says_end`. It does not either where the SDK keeps the best value alone, and a NaN on the way has taken its
    place: to the SDK it is less and more than every number.

    Args:
        values: The summary.
        name: The metric.
        maximize: Whether more of the metric is better.
    """
    number = number_of(values, name, maximize=maximize)
    if number is None or not says_end(values, name, maximize=maximize):
        return False
    return math.isfinite(number) or not says_best(values, name, maximize=maximize)


def _is_kept(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and value.keys() <= _KEPT


def find(values: Any, name: str) -> Any:
    """Return the value of a name, or `MISSING`. Dots may lead into nested values: the longest literal key first."""
    if not isinstance(values, Mapping):
        return MISSING
    if name in values:
        return values[name]
    for first, rest in _splits(values, name):
        found = find(values[first], rest)
        if found is not MISSING:
            return found
    return MISSING


def flat(values: Mapping[str, Any], prefix: str = "", *, is_summary: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield values by their names, nested ones by dotted names; media stay whole, and so does what has a long name.

    Args:
        values: A JSON object.
        prefix: What to put before each name.
        is_summary: Whether it is a run's summary, in which what the SDK keeps of a metric is one value.
    """
    for key, value in values.items():
        name = prefix + key
        is_nested = isinstance(value, Mapping) and value and "_type" not in value and len(name) <= MAX_NAME
        if is_nested and not (is_summary and _is_kept(value)):
            yield from flat(value, f"{name}.", is_summary=is_summary)
        else:
            yield name, value


def without(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return values without one of them, be it inside a mapping that was logged."""
    if name not in values:
        for first, rest in _splits(values, name):
            if find(values[first], rest) is not MISSING:
                return {**values, first: without(values[first], rest)}
    return {key: value for key, value in values.items() if key != name}


def value_of(values: Any, name: str, *, maximize: bool = False) -> float | None:
    """Return a metric's value in a summary or a row of a history; None if it is no finite number.

    Args:
        values: The JSON object.
        name: The metric.
        maximize: Whether more of it is better, where the SDK keeps something else than the last value.
    """
    value = number_of(values, name, maximize=maximize)
    return value if value is not None and math.isfinite(value) else None


def number_of(values: Any, name: str, *, maximize: bool = False) -> float | None:
    """Return a metric's value like `value_of`, be it NaN or infinite: a run may have ended so."""
    return to_float(chosen(find(values, name), maximize=maximize))


def to_float(value: Any) -> float | None:
    """Return a logged value as a float; None if it is not a number.

    NaN and infinities are numbers here, be they the SDK's words for them.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and value not in _NOT_FINITE:
        return None
    try:
        return float(value)
    except OverflowError:  # JSON's integers have no largest
        return math.inf if int(value) > 0 else -math.inf


def _splits(values: Mapping[str, Any], name: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to read a dotted name as a key that is there and a rest, the longest keys first."""
    end = name.rfind(".")
    while end > 0:
        if name[:end] in values:
            yield name[:end], name[end + 1 :]
        end = name.rfind(".", 0, end)
