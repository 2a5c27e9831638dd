"""Values as JSON knows them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Return a value with arrays, tensors, their scalars and tuples replaced by what JSON knows."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    tolist = getattr(value, "tolist", None)
    return plain(tolist()) if callable(tolist) and not isinstance(value, type) else value


def to_json(values: Mapping[str, Any]) -> str:
    """Write values as JSON; numpy's become plain ones, numbers that JSON lacks the SDK's words, all else its text.

    Python's own `NaN` is no JSON, and a server may refuse it, or the whole summary with it.
    """
    return json.dumps(finite(plain(values)), default=str, allow_nan=False)


def finite(value: Any) -> Any:
    """Return a JSON value with NaN and infinities spelled as strings, as the SDK does: JSON has no numbers for them."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def is_number(value: Any) -> bool:
    """Return whether a JSON value is a finite number, and one that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # JSON's integers have no largest
        return False
