"""JSON objects that clients send as texts."""

from __future__ import annotations

import json
from typing import Any

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.limits import MAX_JSON_DEPTH, json_depth


def sdk_part(config: str) -> dict[str, Any]:
    """Return what the SDK keeps for itself in a run's configuration, as it is stored; empty if there is nothing."""
    own = json.loads(config).get("_wandb")
    part = own.get("value") if isinstance(own, dict) else None
    return part if isinstance(part, dict) else {}


def json_object(name: str, text: str) -> dict[str, Any]:
    """Parse a JSON object.

    Raises:
        RequestError: The text is no JSON object.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{name} must be a JSON object: {error}") from None
    if not isinstance(value, dict):
        raise RequestError(f"{name} must be a JSON object, not {type(value).__name__}")
    if json_depth(value) > MAX_JSON_DEPTH:
        raise RequestError(f"{name} has more than {MAX_JSON_DEPTH} levels")
    return value
