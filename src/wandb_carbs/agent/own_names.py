"""Searched values that a program's own configuration holds under a name of its own, and that are others there.

W&B locks a sweep's parameters under the names that the sweep gives them. A program that writes its whole configuration
into the run shows beside them which values it trains with: `optimizer.lr` inside `optimizer`, `batch-size` as
`batch_size`, `+lr` as `lr`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from wandb_carbs.agent.arguments import says

# float32 keeps seven digits.
_SAME = 1e-6
_MISSING = object()
# Texts of which a program may make None. A parser that does so with `null` has not read the text.
_NOTHING = ("none", "", "no", "off", "false", "0")
# Hydra's marks before a name: add, or add and replace.
_MARKS = "+"


def other_values(
    config: Mapping[str, Any], suggestion: Mapping[str, Any], locked: Collection[str] = ()
) -> dict[str, Any]:
    """Find searched parameters to which the program's own configuration gives another value.

    A value that cannot be compared, such as a list made of a text, is no other one.

    Args:
        config: The run's configuration after the program has written its own into it.
        suggestion: The suggested values, by the sweep's names; a nested parameter's parts are joined by dots.
        locked: Further names that the sweep gives values to.

    Returns:
        The program's value of each such parameter.
    """
    taken = {*suggestion, *locked}
    found: dict[str, Any] = {}
    for name, value in suggestion.items():
        for own in _own_values(config, name, taken):
            if not _agrees(own, value):
                found[name] = own
    return found


def explain(other: Mapping[str, Any], suggestion: Mapping[str, Any]) -> str:
    """Say what the program's configuration holds instead of the suggestion."""
    differences = ", ".join(f"{name}={value!r} (suggested: {suggestion[name]!r})" for name, value in other.items())
    return (
        f"the program's own configuration holds other values than the suggestion: {differences}. If it trains with "
        "them, the search learns from the wrong configuration: see how the program reads its arguments, and under "
        "which names"
    )


def _own_values(config: Mapping[str, Any], name: str, taken: Collection[str]) -> Iterator[Any]:
    bare = name.lstrip(_MARKS)
    for spelling in dict.fromkeys((bare, bare.replace("-", "_"))):
        if spelling not in taken and spelling in config:
            yield config[spelling]
        parts = re.split(r"[./]", spelling)
        if len(parts) > 1 and (inner := _at(config, parts)) is not _MISSING:
            yield inner


def _at(config: Any, path: list[str]) -> Any:
    for name in path:
        config = config.get(name, _MISSING) if isinstance(config, Mapping) else _MISSING
    return config


def _agrees(own: Any, value: Any) -> bool:
    if isinstance(own, list) and isinstance(value, list):
        return len(own) == len(value) and all(map(_agrees, own, value))
    if isinstance(own, (list, Mapping)) or isinstance(value, (list, Mapping)):
        return True
    if value is None or own is None:
        return own is value or (own is None and str(value).lower() in _NOTHING)
    if own == value or says(str(own), value) or _is_number(own, value):
        return True
    if not isinstance(value, str):
        return False
    if not isinstance(own, str):  # of a text a program makes what it likes: `yes` is true
        return not _is_number(value, value)
    # A name may become a longer one: `cifar` the path `/data/cifar`; `${…}` is filled in.
    texts = sorted([own.lower(), value.lower()], key=len)
    return texts[0] in texts[1] or "${" in value


def _is_number(own: Any, value: Any) -> bool:
    try:
        return math.isclose(float(own), float(value), rel_tol=_SAME)
    except (TypeError, ValueError, OverflowError):
        return False
