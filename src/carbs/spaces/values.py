"""Values of hyperparameters: their types, and which of them are the same."""

from __future__ import annotations

from typing import TypeAlias

from carbs.values import plain

ParamValue: TypeAlias = int | float | str | bool
ParamDict: TypeAlias = dict[str, ParamValue]
SUGGESTION_ID_KEY = "suggestion_uuid"
INFINITY = float("inf")


def identity_of(value: ParamValue) -> tuple[str, ParamValue]:
    """Tell 1, 1.0 and True apart only where JSON does: numbers are one type, booleans another."""
    value = plain(value)
    return ("bool" if isinstance(value, bool) else "str" if isinstance(value, str) else "number", value)
