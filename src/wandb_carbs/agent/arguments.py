"""W&B's own draw in the program's arguments, or in `wandb.config` before the suggestion is there.

`wandb agent` passes the values that W&B drew as `--name=value`. A program that reads its arguments trains with them,
while its run is recorded for the suggestion. So does one that takes the suggestion after its training.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from wandb_carbs.metrics import flat
from wandb_carbs.record import ARGUMENTS_KEY

# Argument styles: --name=value, -name=value, name=value, +name=value and ++name=value (Hydra).
_ASSIGNMENT = re.compile(r"(?:--?|\+\+?)?([^=\s]+)=(.*)", re.DOTALL)
_FLAG = re.compile(r"--?([^=\s]+)")
# Relative difference up to which two numbers are the same, one of them written in fewer digits.
_SAME = 1e-9


class DrawnArgumentsWarning(UserWarning):
    """The program's arguments hold another value of a searched parameter than the suggestion."""


class LateSuggestionWarning(UserWarning):
    """The run had logged before its suggestion was there, which has other values than `wandb.config` had then."""


def drawn_arguments(arguments: Sequence[str], values: Mapping[str, Any]) -> dict[str, str]:
    """Find parameters that the arguments set to another value than the suggestion.

    Args:
        arguments: The program's arguments, without its own name.
        values: The run's configuration, made of the suggestion.

    Returns:
        The arguments' text for each such parameter.
    """
    pairs = zip(arguments, [*arguments[1:], None], strict=False)
    assigned = [item for argument, following in pairs for item in _assignments(argument, following, values)]
    return {name: text for name, text in assigned if not says(text, values[name])}


def drawn_before(config: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
    """Find parameters that had another value in `wandb.config` than the suggestion, before that was there.

    Args:
        config: The configuration then.
        values: The run's configuration, made of the suggestion.

    Returns:
        The text of each such value.
    """
    return {name: str(value) for name, value in other_values(config, values).items()}


def other_values(items: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the items, nested ones by their dotted names, that have other values than `values` has."""
    return {name: value for name, value in flat(items) if name in values and not says(str(value), values[name])}


def marks_of(before: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flat key that marks a run of this process that may train with W&B's own draw; else nothing.

    Args:
        before: The configuration with which the run had logged before its suggestion was there; empty if it had not.
        values: The run's configuration, made of the suggestion.
    """
    found = {**drawn_before(before, values), **drawn_arguments(sys.argv[1:], values)}
    return {ARGUMENTS_KEY: json.dumps(found)} if found else {}


def explain(found: Mapping[str, str], values: Mapping[str, Any]) -> str:
    """Say what is wrong with the arguments, and the two ways out."""
    differences = ", ".join(f"{name}={text} (suggested: {values[name]!r})" for name, text in found.items())
    return (
        f"the program's arguments hold other values than the suggestion: {differences}. They are W&B's own draw; if "
        "the program trains with them, the search learns from the wrong configuration. There are two ways out: start "
        "the program by `wandb-carbs agent SWEEP`, which passes the suggestion as arguments, or read wandb.config and "
        'create the sweep with command=["${env}", "python", "${program}"], which passes none'
    )


def explain_late(found: Mapping[str, str], values: Mapping[str, Any]) -> str:
    """Say what is wrong with a suggestion that is taken after the run has logged, and the way out."""
    differences = ", ".join(f"{name}={text} (suggested: {values[name]!r})" for name, text in found.items())
    return (
        "the run had logged before WandbCarbs took its suggestion, while wandb.config held W&B's own draw: "
        f"{differences}. If the program has trained with these values, the search learns from the wrong configuration, "
        "and its cost begins only now. Call WandbCarbs.from_sweep(run) right after wandb.init(), and read wandb.config "
        "after that"
    )


def _assignments(argument: str, following: str | None, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Read the parameters that one argument sets, together with the text that they are set to."""
    if argument.startswith("{"):  # ${args_json}
        try:
            document = json.loads(argument)
        except (ValueError, RecursionError):
            return []
        return [(name, _text(document[name])) for name in values if isinstance(document, dict) and name in document]
    match = _ASSIGNMENT.fullmatch(argument)
    if match is not None:
        return [(match[1], match[2])] if match[1] in values else []
    flag = _FLAG.fullmatch(argument)
    if flag is None or flag[1] not in values:
        return []
    # A name alone is a boolean that is true; a negative number after it is no further name.
    is_alone = following is None or (following.startswith("--") or _ASSIGNMENT.fullmatch(following) is not None)
    return [(flag[1], "True" if is_alone or following is None else following)]


def says(text: str, value: Any) -> bool:
    """Return whether a text, such as an argument's, means the value."""
    stripped = text.strip().strip("'\"")
    if stripped == str(value) or stripped.lower() == _text(value).strip('"').lower():
        return True
    if isinstance(value, bool):
        return stripped.lower() in (("1", "yes", "on") if value else ("0", "no", "off"))
    if isinstance(value, (int, float)):
        try:
            return math.isclose(float(stripped), value, rel_tol=_SAME)
        except (ValueError, OverflowError):
            return False
    try:
        return bool(json.loads(text) == value)
    except (ValueError, RecursionError):
        return False


def _text(value: Any) -> str:
    return json.dumps(value) if not isinstance(value, str) else value
