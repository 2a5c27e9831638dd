"""Search spaces in words."""

from __future__ import annotations

import json
import math
from typing import Any

from carbs import LogSpace, Param
from carbs.spaces.categorical import ChoiceSpace

# More choices than these are counted, not listed.
_MOST_LISTED = 12


def describe(param: Param) -> tuple[str, str, str]:
    """Say in words what a parameter is searched in: the kind of its space, its values, and where the search starts."""
    space = param.space
    if param.fixed is not None:
        return "length of every run", _text(param.fixed), ""
    start = "" if param.search_center is None else _text(param.search_center)
    if isinstance(space, ChoiceSpace):
        listed = [_text(choice) for choice in space.choices]
        if len(listed) > _MOST_LISTED:
            middle = f"… ({len(listed)} in all) …"
            listed = [*listed[: _MOST_LISTED // 2], middle, *listed[-_MOST_LISTED // 2 :]]
        return space.kind, ", ".join(listed), start
    words = f"{_end(space.min)} to {_end(space.max)}"
    if isinstance(space, LogSpace) and space.min == 0:
        words = f"above 0, to {_end(space.max)}" if math.isfinite(space.max) else "above 0"
    elif space.min == -math.inf and space.max == math.inf:
        words = "any number"
    if space.kind != "pow2" and space.is_integer:
        words += ", integers" if space.rounding_factor == 1 else f", multiples of {space.rounding_factor}"
    return space.kind, words, start


def _end(value: float) -> str:
    return _text(value) if math.isfinite(value) else "any"


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
