"""Nested parameters: W&B's sweeps may nest them, the search names them with dots."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any


def nested(config: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a configuration that nest some of `values`, with these in their places.

    In a sweep whose parameters are nested, a run's configuration begins with W&B's own draw,
    `{"optimizer": {"lr": …}}`. The program reads it there, so that is where the suggestion's `optimizer.lr` has to be.

    Args:
        config: The run's configuration.
        values: Values by name, `optimizer.lr`.

    Returns:
        Whole entries of the first level, such as `optimizer`; empty where nothing is nested.
    """
    changed: dict[str, Any] = {}
    for name, value in values.items():
        first = next((key for key in config if name.startswith(f"{key}.") and isinstance(config[key], Mapping)), None)
        if first is None:
            continue
        entry = changed.get(first) or deepcopy(dict(config[first]))
        if _put(entry, name.removeprefix(f"{first}."), value):
            changed[first] = entry
    return changed


def _put(entry: dict[str, Any], name: str, value: Any) -> bool:
    """Put a value where its name leads in nested dictionaries; return whether there is such a place."""
    if name in entry:
        entry[name] = value
        return True
    return any(
        isinstance(inner, dict) and name.startswith(f"{key}.") and _put(inner, name.removeprefix(f"{key}."), value)
        for key, inner in entry.items()
    )
