"""The operators of filters, on the value of one field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import re2

from wandb_carbs.metrics import MISSING
from wandb_carbs.server.errors import RequestError, shortened
from wandb_carbs.server.store.run_fields import kind_of, parse_moment

_MAX_PATTERN = 1_000


def list_of(operator: str, value: Any) -> list[Any]:
    """Return an operator's list.

    Raises:
        RequestError: The operand is not a list.
    """
    if not isinstance(value, list):
        raise RequestError(f"filter operator {operator} needs a list, not {shortened(repr(value), 100)}")
    return value


def field_test(condition: Any) -> Callable[[Any], bool]:
    """Return the test of one field's value.

    Args:
        condition: A value, or operators with their operands.

    Raises:
        RequestError: An operator is unknown, or its operand malformed.
    """
    if not (isinstance(condition, dict) and any(key.startswith("$") for key in condition)):
        return lambda value: _equal(value, condition)
    if "$options" in condition:
        condition = _with_options(condition)
    tests = [_operator(name, operand) for name, operand in condition.items()]
    return lambda value: all(test(value) for test in tests)


def _with_options(condition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a condition with the options of its regular expression written into the expression.

    Raises:
        RequestError: There is no regular expression, or an option is not one of i, m and s.
    """
    pattern, options = condition.get("$regex"), condition["$options"]
    if not isinstance(pattern, str) or not isinstance(options, str) or not set(options) <= set("ims"):
        raise RequestError(f"filter operator $options {options!r} needs a $regex, and takes the letters i, m and s")
    rest = {name: operand for name, operand in condition.items() if name != "$options"}
    return {**rest, "$regex": f"(?{options}){pattern}" if options else pattern}


def _operator(name: str, operand: Any) -> Callable[[Any], bool]:
    if name == "$eq":
        return lambda value: _equal(value, operand)
    if name == "$ne":
        return lambda value: not _equal(value, operand)
    if name == "$exists":
        return lambda value: (value is not MISSING) is bool(operand)
    if name in {"$in", "$nin"}:
        choices, wanted = list_of(name, operand), name == "$in"
        texts = frozenset(choice for choice in choices if isinstance(choice, str))
        others = [choice for choice in choices if not isinstance(choice, str)]
        return lambda value: (_is_among(value, texts) or any(_equal(value, other) for other in others)) is wanted
    if name == "$not":
        test = field_test(operand)
        return lambda value: not test(value)
    if name == "$regex":
        pattern = _pattern(operand)
        return lambda value: any(isinstance(v, str) and _is_found(pattern, v) for v in _each(value))
    if name in _LISTS:
        return _LISTS[name](operand)
    if name in _RANGES:
        holds = _RANGES[name]
        return lambda value: any(_ordered(v, operand, holds) for v in _each(value))
    raise RequestError(f"unknown filter operator {name!r}")


def _is_among(value: Any, texts: frozenset[str]) -> bool:
    """Tell whether a value, or one of its elements, equals one of many texts."""
    if isinstance(value, datetime):
        return any(_same(value, text) for text in texts)
    return any(isinstance(v, str) and v in texts for v in _each(value))


def _pattern(operand: Any) -> Any:
    """Compile a regular expression for an engine whose time grows with the length of the text only.

    Raises:
        RequestError: It is malformed, or needs an engine that tries one way after the other.
    """
    if not isinstance(operand, str) or len(operand) > _MAX_PATTERN:
        what = f"{len(operand)} characters" if isinstance(operand, str) else type(operand).__name__
        raise RequestError(f"filter operator $regex needs a text of at most {_MAX_PATTERN} characters, not {what}")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(operand.encode("utf-8", "replace"), options)
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if error.args and isinstance(error.args[0], bytes) else error
        raise RequestError(
            f"filter operator $regex: {shortened(operand, 100)!r}: {reason}; the syntax is that of RE2, "
            "without look-around and back-references"
        ) from None


def _is_found(pattern: Any, text: str) -> bool:
    return pattern.search(text.encode("utf-8", "replace")) is not None


def _all_of(operand: Any) -> Callable[[Any], bool]:
    wanted = list_of("$all", operand)
    return lambda value: bool(wanted) and all(_equal(value, one) for one in wanted)


def _size_of(operand: Any) -> Callable[[Any], bool]:
    if not isinstance(operand, int) or isinstance(operand, bool):
        raise RequestError(f"filter operator $size needs a number, not {shortened(repr(operand), 100)}")
    return lambda value: isinstance(value, list) and len(value) == operand


def _element_of(operand: Any) -> Callable[[Any], bool]:
    if not isinstance(operand, dict) or not operand or not all(key.startswith("$") for key in operand):
        raise RequestError("filter operator $elemMatch needs an object of operators for the elements of a list")
    test = field_test(operand)
    return lambda value: isinstance(value, list) and any(test(element) for element in value)


# Operators on fields that hold lists.
_LISTS: dict[str, Callable[[Any], Callable[[Any], bool]]] = {
    "$all": _all_of,
    "$size": _size_of,
    "$elemMatch": _element_of,
}

_RANGES: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda a, b: a > b,
    "$gte": lambda a, b: a >= b,
    "$lt": lambda a, b: a < b,
    "$lte": lambda a, b: a <= b,
}


def _each(value: Any) -> list[Any]:
    """A list matches where one of its elements does."""
    return [*value, value] if isinstance(value, list) else [value]


def _equal(value: Any, operand: Any) -> bool:
    if operand is None:
        return value is None or value is MISSING
    return any(_same(v, operand) for v in _each(value))


def _same(value: Any, operand: Any) -> bool:
    if isinstance(value, datetime):
        return value == parse_moment(operand)
    return kind_of(value) == kind_of(operand) and bool(value == operand)


def _ordered(value: Any, operand: Any, holds: Callable[[Any, Any], bool]) -> bool:
    if isinstance(value, datetime):
        operand = parse_moment(operand)
    kind = kind_of(value)
    return kind in {"number", "text", "time"} and kind == kind_of(operand) and holds(value, operand)
