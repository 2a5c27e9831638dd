"""Values as JSON knows them, and numbers as people read them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

_COLOURS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(value: Any) -> Any:
    """Return a value with arrays, tensors, their scalars, tuples, ranges and paths replaced by what JSON knows."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [plain(item) for item in value]
    if isinstance(value, PurePath):
        return str(value)
    tolist = getattr(value, "tolist", None)
    return plain(tolist()) if callable(tolist) and not isinstance(value, type) else value


def why_no_json(value: Any) -> str:
    """Return the rule that a plain value breaks which JSON cannot hold, and what to write instead; empty if it can."""
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        pass
    else:
        return ""
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, list, Mapping)):
        return f"must be a list, not of type {type(value).__name__}: write `list(…)`, or `sorted(…)` if it has no order"
    return "must be text, a number, a boolean, None, or a list or mapping of these: write `str(…)` or the like"


def put_at(nested: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Put a value into nested dictionaries, at the place that the names of `path` lead to."""
    for name in path[:-1]:
        nested = nested.setdefault(name, {})
    nested[path[-1]] = value


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


def readable(text: str) -> str:
    """Return a text that any file can hold and that does nothing to a terminal.

    Colours are left out. Control characters but tabs and ends of lines are spelled out, and so is what UTF-8 does not
    have, such as a byte of a file's name that is no text.
    """
    spelled = _CONTROL.sub(lambda found: repr(found[0])[1:-1], _COLOURS.sub("", text))
    return spelled.encode("utf-8", "backslashreplace").decode("utf-8")


def is_number(value: Any) -> bool:
    """Return whether a JSON value is a finite number, and one that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # JSON's integers have no largest
        return False


def number(value: float, digits: int = 3) -> str:
    """Write a number for people: 22812 rather than 2.28e+04, and 0.9996 is not 1.

    Args:
        value: The number.
        digits: How many digits count, but for whole ones below a million and distances from 1.
    """
    size = abs(value)
    if 10**digits - 0.5 <= size < 1e6:
        return f"{value:.0f}"
    if 0.9 < size < 1:
        decimals = 1 - math.floor(math.log10(1 - size))
        return f"{value:.{max(digits, decimals)}f}".rstrip("0")
    return f"{value:.{digits}g}"


def plural(word: str, count: int) -> str:
    """Return a word for so many things: "runs", and "run" for one. Words for a state, "running", stay as they are."""
    return word if count == 1 or word.endswith(("ed", "ing")) else f"{word}s"
