"""Values of hyperparameters: their types, and which of them are the same."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, TypeAlias

import numpy as np

from carbs.values import plain

# A choice may be None or a list, too; `Any` stands for these, so that numbers need no cast.
ParamValue: TypeAlias = int | float | str | bool | Any
ParamDict: TypeAlias = dict[str, ParamValue]
SUGGESTION_ID_KEY = "suggestion_uuid"
INFINITY = float("inf")


def identity_of(value: Any) -> tuple[str, Hashable]:
    """Tell 1, 1.0 and True apart only where JSON does: numbers are one type, booleans another.

    A float of 32 or 16 bits counts as the number that it is printed as: `np.float32(0.1)` is 0.1.
    """
    if isinstance(value, (np.float32, np.float16)):
        value = float(str(value))
    value = as_json(value)
    if isinstance(value, list):
        return "list", tuple(identity_of(item) for item in value)
    if value is None:
        return "null", None
    return ("bool" if isinstance(value, bool) else "str" if isinstance(value, str) else "number", value)


def as_json(value: Any) -> Any:
    """Return a value as JSON has it: numpy's scalars become plain, tuples and arrays lists, everything else stays.

    A list that is nested too deeply for Python stays, too: it is valid nowhere.
    """
    try:
        return _as_json(value)
    except RecursionError:
        return value


def _as_json(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_as_json(item) for item in value]
    return plain(value)
