"""The search space of a sweep as its page shows it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from wandb_carbs.server.sweeps.config import stored_config
from wandb_carbs.server.sweeps.run_rows import definition


def spaces(sweep: sqlite3.Row) -> list[dict[str, Any]]:
    """Return the search space: name, kind, limits and centre of each parameter, and the length that all runs have."""
    described = definition(sweep)
    if described is not None:
        params = described.get("params")
        return [_space(param) for param in params if isinstance(param, dict)] if isinstance(params, list) else []
    parameters = stored_config(sweep["config"]).get("parameters")
    return _distributions(parameters, "") if isinstance(parameters, Mapping) else []


def _space(param: Mapping[str, Any]) -> dict[str, Any]:
    space = param.get("space")
    space = space if isinstance(space, dict) else {}
    if (fixed := space.get("fixed")) is not None:
        return {"name": str(param.get("name", "")), "kind": "length of every run", "limits": str(fixed), "center": ""}
    return {
        "name": str(param.get("name", "")),
        "kind": f"{space.get('kind', '')}{', integer' if space.get('is_integer') else ''}",
        "limits": _limits(space.get("choices"), space.get("min"), space.get("max")),
        "center": "" if param.get("search_center") is None else param["search_center"],
    }


def _limits(choices: Any, low: Any, high: Any) -> str:
    if choices is not None:
        return json.dumps(choices, ensure_ascii=False)[1:-1]
    return "" if low is None and high is None else f"{low} to {high}"


def _distributions(parameters: Mapping[Any, Any], prefix: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, settings in parameters.items():
        if not isinstance(settings, Mapping):
            continue
        if isinstance(settings.get("parameters"), Mapping):
            found += _distributions(settings["parameters"], f"{prefix}{name}.")
            continue
        choices = [settings["value"]] if "value" in settings else settings.get("values")
        default = "constant" if "value" in settings else "" if choices is None else "values"
        found.append(
            {
                "name": f"{prefix}{name}",
                "kind": settings.get("distribution", default),
                "limits": _limits(choices, settings.get("min"), settings.get("max")),
                "center": "",
            }
        )
    return found
