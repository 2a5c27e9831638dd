"""W&B's sweep parameters as a search space, and CARBS spaces as W&B's distributions."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from carbs import LinearSpace, LogitSpace, LogSpace, Param, Pow2Space
from carbs.errors import Problem, raise_problems
from carbs.spaces.categorical import ChoiceSpace
from wandb_carbs.sweep.entries import Entry, read_entry
from wandb_carbs.sweep.wandb_spaces import KEYS

_MAX_POW2 = 2**62  # what fits a 64-bit integer


@dataclass(frozen=True)
class SweepSpace:
    """The `parameters` of a sweep's configuration as they were understood.

    Attributes:
        params: The hyperparameters to search; nested ones are named with dots, `optimizer.lr`.
        constants: The values that every run gets, by such names. The search ignores them.
        paths: Where each of both belongs in a run's configuration: `("optimizer", "lr")`; a name without nesting is a
            path of one, whatever dots it holds.
        notes: Sentences about how it was understood, where this is not obvious.
    """

    params: tuple[Param, ...]
    constants: Mapping[str, Any] = field(default_factory=dict)
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def space_of(configuration: Mapping[str, Any], *, may_be_constant: bool = False) -> SweepSpace:
    """Understand the parameters of a sweep's configuration, W&B's own or one of `wandb-carbs create`.

    Args:
        configuration: The sweep's configuration; only its `parameters` are read.
        may_be_constant: Whether it is fine that there is nothing to search.

    Returns:
        What to search, and the constants.

    Raises:
        CarbsError: If something cannot be understood; its `problems` are all there are, the place of each being
            "parameter 'optimizer.lr'".
    """
    parameters = configuration.get("parameters")
    if not isinstance(parameters, Mapping):
        rule = (
            "must be a mapping of names to what they may be: write `parameters: {lr: {space: log, min: 1e-4, max: 1}}`"
        )
        raise_problems("invalid sweep", [Problem("", "parameters", parameters, rule)])
    assert isinstance(parameters, Mapping)
    entries: dict[str, Entry] = {}
    paths: dict[str, tuple[str, ...]] = {}
    problems = list(_problems_of_nesting(parameters))
    for path, settings in walk(parameters):
        name = ".".join(path)
        if name in paths:
            where = " and ".join(" in ".join(map(repr, reversed(given))) for given in (paths[name], path))
            problems.append(Problem(f"parameter {name!r}", "", None, f"is given twice: {where}", ""))
            continue
        paths[name] = path
        found = read_entry(name, settings)
        if isinstance(found, Entry):
            entries[name] = found
        else:
            problems += found
    params = tuple(entry.param for entry in entries.values() if entry.param is not None)
    if not params and not problems and not may_be_constant:
        rule = "must name at least one to search" + (": all are constants" if entries else "")
        problems.append(Problem("", "parameters", None, rule, "'parameters'"))
    raise_problems("invalid sweep parameters", problems)
    constants = {name: entry.constant for name, entry in entries.items() if entry.param is None}
    return SweepSpace(params, constants, paths, tuple(note for entry in entries.values() for note in entry.notes))


def walk(parameters: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Go through the entries of `parameters`, into those that nest others; yield each one's path and settings."""
    for name, settings in parameters.items():
        inner = _nested_in(settings)
        if inner is not None:
            yield from walk(inner, (*path, str(name)))
        else:
            yield (*path, str(name)), settings


def _nested_in(settings: Any) -> Mapping[str, Any] | None:
    """Return the parameters that an entry nests; None where it is an entry of its own."""
    inner = settings.get("parameters") if isinstance(settings, Mapping) else None
    return inner if isinstance(inner, Mapping) and "space" not in settings else None


def _problems_of_nesting(parameters: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[Problem]:
    """Yield what is wrong with entries that nest others: W&B takes nothing beside their `parameters`, either."""
    for name, settings in parameters.items():
        inner, here = _nested_in(settings), (*path, str(name))
        if inner is None:
            continue
        place = f"parameter {'.'.join(here)!r}"
        if not inner:
            rule = "is empty: write `parameters: {lr: {space: log, min: 1e-4, max: 1e-2}}`"
            yield Problem(place, "parameters", inner, rule, "'parameters'")
        for key in settings:
            rule = f"move it into 'parameters'; it is then `{'.'.join((*here, str(key)))}`"
            if key in ("distribution", *KEYS):
                rule = "an entry has values or nests others, not both"
            if key != "parameters":
                yield Problem(place, str(key), settings[key], f"stands beside 'parameters': {rule}", repr(key))
        yield from _problems_of_nesting(inner, here)


def constants_of(configuration: Mapping[str, Any], searched: Collection[str]) -> dict[str, Any]:
    """Return what every run of a sweep gets and its search does not choose, by names with dots.

    Args:
        configuration: The sweep's configuration, as W&B keeps it.
        searched: Names of the hyperparameters; one of them that can take a single value is a constant to W&B.
    """
    parameters = configuration.get("parameters")
    found = {
        name: read_entry(name, settings)
        for path, settings in walk(parameters if isinstance(parameters, Mapping) else {})
        if (name := ".".join(path)) not in searched
    }
    return {name: entry.constant for name, entry in found.items() if isinstance(entry, Entry) and entry.param is None}


def distribution_of(param: Param, space: Any) -> dict[str, Any]:
    """Return W&B's nearest distribution; it is valid and finite, but nothing is ever run with what it draws."""
    if param.fixed is not None:
        return {"value": param.fixed}
    if isinstance(space, ChoiceSpace):
        return {"values": list(space.choices)}
    if isinstance(space, Pow2Space):
        top = min(space.max, _MAX_POW2)
        return {"values": [2**k for k in range(int(top).bit_length()) if space.min <= 2**k <= top]}
    if isinstance(space, LogitSpace):
        return {"distribution": "uniform", "min": float(space.min), "max": float(space.max)}
    if not space.is_bounded:
        return _open_distribution(param, space)
    low, high = space.min, space.max
    if space.is_integer:
        low, high = math.ceil(low), math.floor(high)
        if low == high:
            return {"value": low}
        if isinstance(space, LogSpace):
            return {"distribution": "q_log_uniform_values", "min": low, "max": high, "q": space.rounding_factor}
        return {"distribution": "int_uniform", "min": low, "max": high}
    kind = "log_uniform_values" if isinstance(space, LogSpace) else "uniform"
    return {"distribution": kind, "min": float(low), "max": float(high)}


def _open_distribution(param: Param, space: LinearSpace | LogSpace) -> dict[str, Any]:
    """Spread around the centre by one search unit where a space has an open end."""
    center = float(param.center)
    if isinstance(space, LogSpace):
        # W&B's log_normal takes mu and sigma of the natural logarithm.
        mu, sigma = math.log(center), space.resolved_scale * math.log(space.base)
        kind = "log_normal"
    else:
        mu, sigma, kind = center, space.resolved_scale, "normal"
    if space.is_integer:
        return {"distribution": f"q_{kind}", "mu": mu, "sigma": sigma, "q": space.rounding_factor}
    return {"distribution": kind, "mu": mu, "sigma": sigma}
