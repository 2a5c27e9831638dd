"""Values as users write them: numpy's scalars made plain, numbers recognised, and all of them shown in errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

# Longer values are cut in an error's message.
_LONGEST = 200
# Types of nearly all values, which a search of thousands of runs checks again and again.
_PLAIN = (float, int, str, bool)


def plain(value: Any) -> Any:
    """Return the plain Python value that a numpy scalar stands for, and everything else as it is."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.floating):
        return float(value)
    return str(value) if isinstance(value, np.str_) else value


def as_float(value: Any) -> float | None:
    """Return a number as a float; None for a boolean, anything else, or an integer beyond all floats."""
    if type(value) is float:
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def is_finite(value: Any) -> bool:
    """Say whether `value` is a finite number that a float can hold."""
    number = as_float(value)
    return number is not None and math.isfinite(number)


def is_positive(value: Any) -> bool:
    """Say whether `value` is a positive, finite number."""
    return is_finite(value) and bool(value > 0)


def is_whole(value: Any, least: int) -> bool:
    """Say whether `value` is an integer (not merely a whole float) of at least `least` that a float can hold."""
    return isinstance(value, (int, np.integer)) and is_finite(value) and bool(value >= least)


def is_flag(value: Any) -> bool:
    """Say whether `value` is True or False, or 1 or 0 as files have it."""
    return isinstance(value, (int, np.bool_)) and value in (0, 1)


def is_dictionary(value: Any) -> bool:
    """Say whether `value` can be read like a dictionary; wandb.Config can, although it is no Mapping."""
    return hasattr(value, "keys") and hasattr(value, "get")


def shown(value: Any) -> str:
    """Return `value` as an error's message shows it: its representation, shortened, whatever it is."""
    value = plain(value)
    if isinstance(value, int) and as_float(value) is None and not isinstance(value, bool):
        return "<integer too large for a float>"
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a foreign object, or a nested one, may fail in any way
        return f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
