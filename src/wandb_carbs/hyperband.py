"""The settings of `early_terminate`: hyperband, by which W&B stops the runs that fall behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wandb_carbs.plain import is_number

TYPE = "hyperband"
DEFAULT_ETA = 3
# GraphQL's largest Int.
MAX_INT = 2**31 - 1
_KEYS = ("type", "min_iter", "max_iter", "s", "eta", "strict")
_EXAMPLE = "write `{type: hyperband, min_iter: 3}`"


def problems_with(settings: Any) -> list[tuple[str, str]]:
    """List all that is wrong with `early_terminate`, as key and sentence; the key of the whole is empty.

    Args:
        settings: The value of the key; None where it is missing.
    """
    if settings is None:
        return []
    if not isinstance(settings, Mapping):
        return [("", f"early_terminate={settings!r} must be a mapping: {_EXAMPLE}")]
    problems = []
    if settings.get("type") != TYPE:
        rule = f"must be {TYPE!r}, the only type that W&B has"
        problems.append(("type", f"early_terminate.type {settings.get('type')!r} {rule}"))
    for key, (holds, rule) in _NUMBERS.items():
        value = settings.get(key)
        if value is not None and not holds(value):
            problems.append((key, f"early_terminate.{key} {value!r} must be {rule}"))
    strict = settings.get("strict")
    if strict is not None and not isinstance(strict, bool):
        problems.append(("strict", f"early_terminate.strict {strict!r} must be true or false"))
    if settings.get("min_iter") is None and (settings.get("max_iter") is None or settings.get("s") is None):
        problems.append(("", f"early_terminate needs min_iter, or max_iter and s: {_EXAMPLE}"))
    return problems


def unknown_keys(settings: Mapping[str, Any]) -> list[str]:
    """Return the keys that mean nothing to hyperband."""
    return [str(key) for key in settings if key not in _KEYS]


def _is_whole(value: Any) -> bool:
    return is_number(value) and 1 <= value <= MAX_INT and value == int(value)


def _is_above(value: Any, bound: float) -> bool:
    return is_number(value) and bound < value <= MAX_INT


_WHOLE = (_is_whole, "a whole number of at least 1")
# The rule of each number, and the words for it.
_NUMBERS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "min_iter": _WHOLE,
    "max_iter": _WHOLE,
    "s": (lambda value: _is_above(value, 0), "a positive number"),
    "eta": (lambda value: _is_above(value, 1), "a number above 1"),
}
