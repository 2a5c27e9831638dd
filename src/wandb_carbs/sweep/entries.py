"""One entry of a sweep's `parameters`: a space to search, or a constant.

An entry has one of two forms, and a file may mix them: our own, `{space: log, min: 1e-5, max: 1e-1}`, and W&B's,
`{distribution: log_uniform_values, min: 1e-5, max: 1e-1}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from carbs import Param, Pow2Space
from carbs.errors import Problem, did_you_mean
from carbs.spaces.categorical import ChoiceSpace
from carbs.spaces.space import SPACES
from carbs.spaces.values import as_json
from carbs.values import shown
from wandb_carbs.plain import is_number, plain, why_no_json
from wandb_carbs.sweep.understood import UnclearEntryError
from wandb_carbs.sweep.wandb_spaces import KEYS, KINDS, space_of_distribution

EXAMPLE = "`{space: log, min: 1e-4, max: 1e-2}`"
_CENTER = "search_center"
# Words that people write for ours.
_OTHER_WORDS = {
    "integer": "is_integer",
    "int": "is_integer",
    "center": _CENTER,
    "centre": _CENTER,
    "start": _CENTER,
    "default": _CENTER,
    "initial": _CENTER,
    "minimum": "min",
    "low": "min",
    "lower": "min",
    "maximum": "max",
    "high": "max",
    "upper": "max",
    "values": "choices",
    "options": "choices",
    "step": "rounding_factor",
    "q": "rounding_factor",
    "type": "space",
    "kind": "space",
}
_FLAGS = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}
_SEED = re.compile(r"(?:^|[._-])(?:seeds?|random_?state)$")
_ALMOST = re.compile(r"([+-]?\d+(?:[.,]\d+)?)(?:(%)|(?:(\^|\*\*|/)([+-]?\d+(?:\.\d+)?)))?")
_NUMBERS = ("min", "max", "scale", "base", "rounding_factor", "mu", "sigma", "q", "a", "b")


@dataclass(frozen=True)
class Entry:
    """An entry that was understood: a parameter to search, or a constant.

    Attributes:
        param: The parameter; None for a constant.
        constant: The value of a constant.
        notes: Sentences about how it was understood, where this is not obvious.
    """

    param: Param | None
    constant: Any = None
    notes: tuple[str, ...] = ()


def read_entry(name: str, settings: Any) -> Entry | list[Problem]:
    """Read one entry.

    Args:
        name: The parameter's name, with dots where it is nested.
        settings: The entry as the file has it.

    Returns:
        The parameter or the constant, or every problem.
    """
    place = f"parameter {name!r}"
    if not isinstance(settings, Mapping) or not settings:
        return [Problem(place, "", settings, _rule_for_no_mapping(settings), "")]
    settings = {key: _as_meant(key, value) for key, value in plain(settings).items()}
    unclear = [Problem(place, key, value, rule) for key, value in settings.items() if (rule := why_no_json(value))]
    unclear += [
        Problem(place, key, value, f"must be a number: write {meant}")
        for key, value in settings.items()
        if key in _NUMBERS and (meant := _number_meant(value))
    ]
    if unclear:
        return unclear
    is_own = "space" in settings or not settings.keys() & {*KEYS, "distribution"}
    found = _read_own(name, settings) if is_own else _read_wandb(name, settings)
    if isinstance(found, Entry) and found.param is not None:
        problems = found.param.problems()
        return problems or replace(found, notes=(*found.notes, *_notes_on_name(name)))
    return found


def _notes_on_name(name: str) -> list[str]:
    """Return what is to be said of a parameter that is searched, by its name."""
    note = (
        f"parameter {name!r}: a seed is searched like any other, for the luckiest one; leave it out, and let the "
        "program draw its own: the search expects noise, and repeats runs by itself"
    )
    return [note] if _SEED.search(name.lower()) else []


def _read_own(name: str, settings: dict[str, Any]) -> Entry | list[Problem]:
    place = f"parameter {name!r}"
    if "space" not in settings:
        if all(isinstance(value, Mapping) for value in settings.values()):
            inner = ", ".join(f"{key}: …" for key in settings)
            dotted = f"{name}.{next(iter(settings))}"
            rule = f"nests others: write `{{parameters: {{{inner}}}}}`, or names with dots, `{dotted}`"
            return [Problem(place, "", settings, rule, "")]
        return [Problem(place, "space", None, f"'space' is missing: write {EXAMPLE}, or `{{value: 3}}`", "")]
    kind, center = settings.pop("space"), settings.pop(_CENTER, None)
    if not isinstance(kind, str) or kind not in SPACES:
        return [Problem(place, "space", kind, f"must be one of {', '.join(SPACES)}{_like_a_space(kind)}")]
    space = SPACES[kind]
    known = [item.name for item in fields(space)]
    problems = [
        Problem(place, key, settings[key], _unknown(key, [*known, _CENTER], f"of a {kind} space"), "")
        for key in settings
        if key not in known
    ]
    if issubclass(space, ChoiceSpace):
        if "choices" not in settings:
            if not any(problem.key in _OTHER_WORDS for problem in problems):
                problems.append(Problem(place, "choices", None, "'choices' is missing: write `choices: [a, b]`", ""))
            return problems
        choices = as_json(settings["choices"])
        if not problems and isinstance(choices, list) and len(choices) == 1:
            return Entry(None, choices[0], (f"{place} has a single choice, so it is a constant",))
    if problems:
        return problems
    low = settings.get("min")
    if low is not None and is_number(low) and low == settings.get("max"):
        constant = int(low) if settings.get("is_integer") or space is Pow2Space else low
        return Entry(None, constant, (f"{place} has min and max alike, so it is a constant",))
    return Entry(Param(name, space(**settings), center if issubclass(space, ChoiceSpace) else as_number(center)))


def _read_wandb(name: str, settings: dict[str, Any]) -> Entry | list[Problem]:
    place = f"parameter {name!r}"
    center = settings.pop(_CENTER, None)
    known = ["space", "distribution", *KEYS, "parameters", _CENTER]
    unknown = [
        Problem(place, key, settings[key], _unknown(key, known, "of W&B's distributions"), "")
        for key in settings
        if key not in known
    ]
    if unknown:
        return unknown
    try:
        found = space_of_distribution(settings)
    except UnclearEntryError as error:
        return [Problem(place, error.key, settings.get(error.key), error.rule, error.subject)]
    notes = tuple(f"{place}: {note}" for note in found.notes)
    if found.space is None:
        return Entry(None, found.constant, notes)
    center = center if isinstance(found.space, ChoiceSpace) else as_number(center)
    return Entry(Param(name, found.space, found.center if center is None else center), None, notes)


def _rule_for_no_mapping(value: Any) -> str:
    if value is None:
        return f"is empty: write {EXAMPLE} to search it, or `{{value: null}}` to hold it"
    if isinstance(value, Mapping):
        return f"is empty: write {EXAMPLE}"
    if isinstance(value, (list, tuple)):
        return f"must be a mapping, not a list: write `{{values: {list(value)!r}}}`"
    return f"must be a mapping, not {shown(value)}: write `{{value: {value}}}` to hold it, or {EXAMPLE} to search it"


def _as_meant(key: str, value: Any) -> Any:
    """Take quoted numbers for numbers where only numbers make sense, and yes for True where only flags do."""
    if key == "is_integer" and isinstance(value, str):
        return _FLAGS.get(value.lower(), value)
    return as_number(value) if key in _NUMBERS else value


def as_number(value: Any) -> Any:
    """Return the number that a text stands for, and all else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return value


def _number_meant(value: Any) -> str:
    """Return the number that a text like 10^-5, 1/10, 10% or 0,5 means; empty where that is not clear."""
    match = _ALMOST.fullmatch(value.replace(" ", "")) if isinstance(value, str) else None
    if match is None:
        return ""
    if re.fullmatch(r"[+-]?[1-9]\d*,\d{3}", match[1]):  # thousands, or a decimal
        return ""
    left, sign, right = match[1].replace(",", "."), match[2] or match[3], match[4]
    try:
        if sign == "%":
            number = float(left) / 100
        elif sign:
            number = float(left) / float(right) if sign == "/" else float(left) ** float(right)
        else:
            number = float(left)
    except (ArithmeticError, ValueError):
        return ""
    return f"{number:.12g}" if is_number(number) else ""


def _unknown(key: str, known: Sequence[str], owner: str) -> str:
    word = _OTHER_WORDS.get(key)
    hint = f"; write {word!r}" if word in known else did_you_mean(key, known)
    return f"unknown key {key!r} {owner}{hint}; known are {', '.join(known)}"


def _like_a_space(kind: Any) -> str:
    """Return which space may have been meant, as the end of a sentence."""
    if kind in KINDS:
        return f"; W&B's distributions are named by `distribution: {kind}`"
    return did_you_mean(kind.lower().removesuffix("space"), SPACES) if isinstance(kind, str) else ""
