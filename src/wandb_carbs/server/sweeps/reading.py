"""Reading the YAML of sweeps that anybody may send: as plain JSON values, within bounds."""

from __future__ import annotations

from typing import Any

import yaml

from wandb_carbs.server.errors import RequestError, shortened
from wandb_carbs.server.limits import MAX_JSON_DEPTH

# A list of ten thousand choices has 100 kB.
_MAX_LENGTH = 500_000
_MAX_VALUES = 100_000
# Larger integers are infinite as floats.
_MAX_BITS = 1024
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Leaves dates the texts that they are: JSON has none."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def load_mapping(text: str) -> dict[str, Any]:
    """Parse a YAML mapping of JSON values.

    Raises:
        RequestError: It is malformed or too large, refers to itself, or holds values that JSON has not.
    """
    if len(text) > _MAX_LENGTH:
        raise RequestError(f"invalid sweep config: it has {len(text)} characters; at most {_MAX_LENGTH} are taken", 413)
    try:
        config = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe one
        _check(config)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RequestError(f"invalid sweep config: {error}") from None
    if not isinstance(config, dict):
        raise RequestError("invalid sweep config: it must be a mapping")
    return config


def _check(config: object) -> None:
    """Check that what was read is a JSON value of a bounded size, aliases written out.

    Raises:
        ValueError: It is not.
    """
    count, level = 0, [config]
    for _ in range(MAX_JSON_DEPTH):
        following: list[object] = []
        for value in level:
            if isinstance(value, dict):
                following += [*value, *value.values()]
            elif isinstance(value, list):
                following += value
            else:
                _check_scalar(value)
            if count + len(following) > _MAX_VALUES:
                raise ValueError(f"it has more than {_MAX_VALUES} values, its aliases written out")
        if not following:
            return
        count, level = count + len(following), following
    raise ValueError(f"it has more than {MAX_JSON_DEPTH} levels, or refers to itself")


def _check_scalar(value: object) -> None:
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        raise ValueError(f"an integer has {value.bit_length()} bits; at most {_MAX_BITS} are taken")
    if value is not None and not isinstance(value, (str, int, float)):
        kind = type(value).__name__
        raise ValueError(
            f"{shortened(repr(value), 100)} is of type {kind}: write a text, a number, a list or a mapping"
        )
