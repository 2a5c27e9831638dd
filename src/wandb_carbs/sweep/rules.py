"""A rule for whole configurations by its name, `module:function`, so that a sweep can keep it."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from carbs import CarbsError, ParamDict
from carbs.errors import Problem, refuse

_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_RULE = "must be the name of a function, 'module:function', which is loaded from the program's folder"


def problem_with(name: Any) -> Problem | None:
    """Return the problem with a rule's name, or None; an empty name means that there is no rule."""
    is_name = isinstance(name, str) and (not name or _NAME.fullmatch(name) is not None)
    return None if is_name else _invalid(name)


def load_rule(name: str, folder: Path) -> Callable[[ParamDict], bool]:
    """Load the function that a rule's name stands for.

    Args:
        name: "module:function".
        folder: Where the module is looked for first, as if a program there imported it.

    Raises:
        CarbsError: If it cannot be loaded, or is no function.
    """
    if not name or problem_with(name) is not None:
        raise refuse(_invalid(name))
    module, _, path = name.partition(":")
    place = str(folder.resolve())
    # It stays there: the function may import more when it is called.
    if place not in sys.path:
        sys.path.insert(0, place)
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as error:  # the user's module may raise anything
        raise CarbsError(f"is_valid={name!r} cannot be loaded from {folder.resolve()}: {error!r}") from error
    if not callable(found):
        raise CarbsError(f"is_valid={name!r} is {found!r}, and must be a function of a configuration")
    rule: Callable[[ParamDict], bool] = found
    return rule


def _invalid(name: Any) -> Problem:
    return Problem("", "is_valid", name, _RULE)
