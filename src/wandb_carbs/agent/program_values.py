"""The values that a program is run with: the suggestion and the constants, in the shape that the sweep declares."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from carbs.errors import Problem, raise_problems
from wandb_carbs.plain import plain, put_at
from wandb_carbs.record import COPY_KEY, INTERNAL_KEY
from wandb_carbs.sweep.distributions import walk
from wandb_carbs.sweep.entries import Entry, read_entry


def check_parameters(parameters: Mapping[str, Any], searched: Collection[str]) -> None:
    """Make sure that no program can be given a value that W&B has drawn.

    Args:
        parameters: The parameters in W&B's configuration of the sweep.
        searched: Names of those that the search chooses; a nested one's parts are joined by dots.

    Raises:
        CarbsError: If there is one that is neither searched nor constant; names every one.
    """
    problems = [
        Problem(
            f"parameter {name!r}",
            "",
            settings,
            "is neither searched nor constant, so that W&B would draw it at random: create the sweep with "
            "`wandb-carbs create`, or give it one `value`",
            "",
        )
        for path, settings in walk(parameters)
        if (name := ".".join(path)) not in searched and _constant(name, settings) is None
    ]
    raise_problems("the sweep cannot be run by this agent", problems)


def values_for(parameters: Mapping[str, Any], suggestion: Mapping[str, Any]) -> dict[str, Any]:
    """Return all values of a run, in the order and the shape in which the sweep declares its parameters.

    Args:
        parameters: The parameters in W&B's configuration of the sweep, which `check_parameters` has let pass.
        suggestion: The configuration to run; a nested parameter's name has its parts joined by dots.
    """
    values: dict[str, Any] = {}
    used = set()
    for path, settings in walk(parameters):
        name = ".".join(path)
        used.add(name)
        constant = None if name in suggestion else _constant(name, settings)
        put_at(values, path, suggestion[name] if constant is None else constant.constant)
    return {**values, **{name: value for name, value in suggestion.items() if name not in used}}


def write_parameters(path: Path, values: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    """Write the file from which the SDK takes a sweep's values into `wandb.config`.

    With them go the record's keys, where the SDK keeps what is its own: so they stay with the run, whatever the program
    logs, and the program does not see them.

    Args:
        path: The file.
        values: The values.
        record: The record's flat keys.
    """
    wrapped = {name: {"value": value} for name, value in with_copy(values, record).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    # All ASCII: the SDK reads it in the machine's own encoding.
    path.write_text(yaml.safe_dump({"wandb_version": 1, **wrapped}, sort_keys=False), encoding="utf-8")


def with_copy(values: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's configuration: its values, and a copy of the record's keys out of the program's sight."""
    return {**plain(values), INTERNAL_KEY: {COPY_KEY: plain(record)}}


def _constant(name: str, settings: Any) -> Entry | None:
    """Return the entry of a parameter that W&B can draw one value for only; None if it can draw others."""
    entry = read_entry(name, settings)
    return entry if isinstance(entry, Entry) and entry.param is None else None
