"""W&B's distributions as spaces to search.

A distribution says how W&B's own random search draws; its bounds, and whether it counts by the logarithm, say how
CARBS searches. `search_center` and W&B's `method` have no counterpart there.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from carbs import CategoricalSpace, LinearSpace, LogSpace, OrdinalSpace, Pow2Space, Space
from carbs.spaces.values import as_json, identity_of
from wandb_carbs.plain import is_number
from wandb_carbs.sweep.understood import UnclearEntryError, Understood

# More multiples of a fraction than this are searched as if the numbers were not rounded.
_MOST_MULTIPLES = 1000
# A positive range with this factor between its ends is probably meant to be searched by its logarithm.
_WIDE = 100


def space_of_distribution(settings: Mapping[str, Any]) -> Understood:
    """Understand one of W&B's distributions.

    Args:
        settings: `distribution` (which may be missing), `min`, `max`, `values`, … as W&B has them.

    Returns:
        The space or the constant.

    Raises:
        UnclearEntryError: If it cannot be understood.
    """
    kind = _kind_of(settings)
    _check_needs(kind, settings)
    found = _understood(kind, settings)
    unused = [key for key in KEYS if settings.get(key) is not None and key not in _USED.get(kind, _NUMBER_KEYS)]
    if not unused:
        return found
    note = f"{', '.join(map(repr, unused))} {'is' if len(unused) == 1 else 'are'} not used beside {kind}"
    return replace(found, notes=(*found.notes, note))


def _check_needs(kind: str, settings: Mapping[str, Any]) -> None:
    """Refuse a distribution that lacks what it needs, where the entry has what another one needs."""
    missing = next((key for key in _NEEDS.get(kind, ("min", "max")) if key not in settings), "")
    others = {key: value for key, value in settings.items() if key != "distribution"}
    given = next((keys for keys in (("value",), ("values",), ("min", "max")) if set(keys) <= set(others)), ())
    if missing and given:
        words = " and ".join(map(repr, given))
        rule = (
            f"{kind} needs {missing!r}, and {words} {'are' if len(given) > 1 else 'is'} given: leave 'distribution' out"
        )
        raise UnclearEntryError(
            "distribution", f"{rule}, or write `distribution: {_kind_of(others)}`", "'distribution'"
        )


def _understood(kind: str, settings: Mapping[str, Any]) -> Understood:
    if kind == "constant":
        return Understood(None, as_json(_need(settings, kind, "value")))
    if kind == "categorical":
        return _of_values(settings)
    numbers = {key: _number(key, settings[key]) for key in _NUMBER_KEYS if settings.get(key) is not None}
    found = _READERS[kind](kind, numbers)
    if found.space is None or not isinstance(found.space, (LinearSpace, LogSpace)):
        return found
    low, high = found.space.min, found.space.max
    return Understood(None, int(low) if found.space.is_integer else low) if low == high else found


def space_of_values(values: Sequence[Any]) -> Understood:
    """Understand a list of values: one is a constant, numbers in their order are searched by it.

    Args:
        values: JSON values.
    """
    listed = as_json(values)
    distinct = list({_key(value): value for value in reversed(listed)}.values())[::-1]
    notes = () if len(distinct) == len(listed) else ("values that are listed twice count once",)
    if len(distinct) == 1:
        return Understood(None, distinct[0], notes=notes)
    if not all(is_number(value) for value in distinct):
        return Understood(CategoricalSpace(tuple(distinct)), notes=notes)
    ordered = sorted(distinct)
    if distinct not in (ordered, ordered[::-1]):
        note = (
            "its numbers are in no order, so they are searched as choices without one; sort them to search them by it"
        )
        return Understood(CategoricalSpace(tuple(distinct)), notes=(*notes, note))
    if all(isinstance(value, int) and value > 0 for value in ordered):
        exponents = [value.bit_length() - 1 for value in ordered]
        is_pow2 = all(value == 1 << exponent for value, exponent in zip(ordered, exponents, strict=True))
        if is_pow2 and exponents == list(range(exponents[0], exponents[-1] + 1)):
            return Understood(Pow2Space(ordered[0], ordered[-1]), notes=notes)
    return Understood(OrdinalSpace(tuple(ordered)), notes=notes)


def _kind_of(settings: Mapping[str, Any]) -> str:
    kind = settings.get("distribution")
    if kind is not None:
        kind = {"categorical_w_probabilities": "categorical"}.get(kind, kind) if isinstance(kind, str) else kind
        if kind not in KINDS:
            close = difflib.get_close_matches(str(kind).lower(), KINDS, 1)
            hint = f"did you mean {close[0]!r}? " if close else "known are " + ", ".join(KINDS) + "; or "
            raise UnclearEntryError("distribution", f"is unknown: {hint}write {_instead(settings)}", None)
        return str(kind)
    for key, meant in (("value", "constant"), ("values", "categorical")):
        if key in settings:
            return meant
    if "min" in settings and "max" in settings:
        ends = (settings["min"], settings["max"])
        return "int_uniform" if all(isinstance(e, int) and not isinstance(e, bool) for e in ends) else "uniform"
    if "min" in settings or "max" in settings:
        given, missing = ("min", "max") if "min" in settings else ("max", "min")
        raise UnclearEntryError(given, f"'{missing}' is missing: write {_instead(settings)}")
    if "mu" in settings or "sigma" in settings:
        return "normal"
    raise UnclearEntryError("", f"says neither values nor bounds: write {_instead(settings)}")


def _of_values(settings: Mapping[str, Any]) -> Understood:
    values = _need(settings, "categorical", "values")
    notes: tuple[str, ...] = ()
    if settings.get("probabilities") is not None:
        notes = ("'probabilities' are not used: the search learns which choices are good",)
    if not isinstance(values, (list, tuple)):
        if isinstance(values, Mapping):
            raise UnclearEntryError("values", "must be a list: write `values: [a, b]`", None)
        if isinstance(values, str) and len(words := values.replace(",", " ").split()) > 1:
            raise UnclearEntryError("values", f"must be a list: write `values: [{', '.join(words)}]`", None)
        return Understood(None, values, notes=(*notes, "'values' is no list, so it is a constant"))
    if not values:
        raise UnclearEntryError("values", "must name at least one value: write `values: [a, b]`", None)
    found = space_of_values(values)
    return Understood(found.space, found.constant, notes=(*notes, *found.notes))


def _uniform(kind: str, numbers: Mapping[str, float]) -> Understood:
    low, high = _ends(kind, numbers)
    notes: tuple[str, ...] = (
        (f"{_logs(low, high)} would search it by its logarithm",) if 0 < _WIDE * low <= high else ()
    )
    return Understood(LinearSpace(low, high), notes=notes)


def _int_uniform(kind: str, numbers: Mapping[str, float]) -> Understood:
    low, high = _ends(kind, numbers)
    low, high = math.ceil(low), math.floor(high)
    if low > high:
        raise UnclearEntryError("min", f"leaves no whole number below max={numbers['max']!r}", None)
    return Understood(LinearSpace(low, high, is_integer=True))


def _q_uniform(kind: str, numbers: Mapping[str, float]) -> Understood:
    low, high = _ends(kind, numbers)
    return _multiples(LinearSpace(low, high), low, high, _step(numbers))


def _log_uniform(kind: str, numbers: Mapping[str, float]) -> Understood:
    given = _ends(kind, numbers)
    ends = [-end for end in reversed(given)] if kind.startswith("inv_") else list(given)
    if not all(abs(end) < 690 for end in ends):
        raise UnclearEntryError("min", f"of {kind} are exponents of e: write {_logs(*given)} for the values", "bounds")
    low, high = (_short(math.exp(end)) for end in ends)
    notes: tuple[str, ...] = ()
    if given[0] > 0 and given[1] <= 1:
        meant = f"for {given[0]:g} to {given[1]:g} write log_uniform_values"
        notes = (f"{kind} takes exponents of e, so this is {low:.4g} to {high:.4g}; {meant}",)
    space = LogSpace(low, high)
    found = _multiples(space, low, high, _step(numbers)) if kind.startswith("q_") else Understood(space)
    return Understood(found.space, found.constant, notes=(*notes, *found.notes))


def _log_uniform_values(kind: str, numbers: Mapping[str, float]) -> Understood:
    low, high = _ends(kind, numbers)
    if low <= 0:
        raise UnclearEntryError(
            "min", f"must be positive to be searched by its logarithm: write {_logs(low, high)}", None
        )
    space = LogSpace(low, high)
    return _multiples(space, low, high, _step(numbers)) if kind.startswith("q_") else Understood(space)


def _normal(kind: str, numbers: Mapping[str, float]) -> Understood:
    mu, sigma = numbers.get("mu", 0.0), numbers.get("sigma", 1.0)
    if sigma <= 0:
        raise UnclearEntryError("sigma", "must be positive", None)
    step = _step(numbers) if kind.startswith("q_") else None
    is_whole = step is not None and float(step).is_integer()
    notes = () if step is None or is_whole else (f"values are not rounded to multiples of {step:g}",)
    options: dict[str, Any] = {"is_integer": True, "rounding_factor": int(step)} if is_whole and step else {}
    if kind.endswith("log_normal"):
        if abs(mu) > 600:
            raise UnclearEntryError("mu", "must be the natural logarithm of the centre", None)
        # W&B's log_normal takes natural logarithms, a log space decades.
        space: Space = LogSpace(1 if is_whole else 0.0, scale=sigma / math.log(10), **options)
        center = _short(math.exp(mu))
    else:
        space, center = LinearSpace(scale=sigma, **options), mu
    if is_whole:
        center = max(round(center), 1) if "log" in kind else round(center)
    return Understood(space, center=center, notes=notes)


def _beta(kind: str, numbers: Mapping[str, float]) -> Understood:
    notes = ("a and b are not used: the search learns where between 0 and 1 it is good",)
    found = _multiples(LinearSpace(0.0, 1.0), 0.0, 1.0, _step(numbers)) if kind.startswith("q_") else None
    return Understood(found.space if found else LinearSpace(0.0, 1.0), notes=notes)


def _multiples(space: LinearSpace | LogSpace, low: float, high: float, step: float) -> Understood:
    """Restrict a space to multiples of a step."""
    if not math.isfinite(max(abs(low), abs(high)) / step):
        return Understood(space, notes=(f"values are not rounded to multiples of {step:g}, which is too small",))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if isinstance(space, LogSpace):
        first = max(first, 1)
    if first > last:
        rule = f"leaves no multiple between {low:g} and {high:g}: write another q, or {_logs(low, high)}"
        raise UnclearEntryError("q", rule, f"q={step:g}")
    if float(step).is_integer():
        size = int(step)
        kind = type(space)
        return Understood(kind(first * size, last * size, is_integer=True, rounding_factor=size))
    if last - first + 1 > _MOST_MULTIPLES:
        note = f"values are not rounded to multiples of {step:g}, of which there are {last - first + 1}"
        return Understood(space, notes=(note,))
    values = [_short(place * step) for place in range(first, last + 1)]
    return Understood(OrdinalSpace(tuple(values))) if len(values) > 1 else Understood(None, values[0])


def _ends(kind: str, numbers: Mapping[str, float]) -> tuple[float, float]:
    for key in ("min", "max"):
        if key not in numbers:
            raise UnclearEntryError("distribution", f"{kind} needs {key!r}: write {_instead(numbers)}")
    low, high = numbers["min"], numbers["max"]
    if low > high:
        raise UnclearEntryError("min", f"must not be above max={high!r}: write min: {high!r}, max: {low!r}", None)
    return low, high


def _step(numbers: Mapping[str, float]) -> float:
    step = numbers.get("q", 1)
    if step <= 0:
        raise UnclearEntryError("q", "must be positive", None)
    return step


def _need(settings: Mapping[str, Any], kind: str, key: str) -> Any:
    if key not in settings:
        raise UnclearEntryError("distribution", f"{kind} needs {key!r}: write {_instead(settings)}")
    return settings[key]


def _number(key: str, value: Any) -> float:
    if not is_number(value):
        raise UnclearEntryError(key, "must be a finite number", None)
    return value  # type: ignore[no-any-return]


def _key(value: Any) -> Any:
    identity = identity_of(value)
    try:
        hash(identity)
    except TypeError:  # an object, which the space refuses
        return repr(value)
    return identity


def _instead(settings: Mapping[str, Any]) -> str:
    """Return an entry to write instead, with what is known of the right one."""
    given: list[Any] = [settings.get(key) for key in ("min", "max")]
    low, high = (value if is_number(value) else None for value in given)
    low = 1e-4 if low is None else low
    high = max(1e-2, 100 * low) if high is None else high
    is_log = low > 0 and (high >= _WIDE * low or "log" in str(settings.get("distribution", "")))
    return f"`{{space: {'log' if is_log else 'linear'}, min: {low:g}, max: {high:g}}}`"


def _logs(low: float, high: float) -> str:
    top = high if high > 0 else 1e-2
    return f"`{{space: log, min: {low if low > 0 else top / 100:g}, max: {top:g}}}`"


def _short(value: float) -> float:
    """Cut the binary dust of a product: 3 * 0.1 is 0.3."""
    return float(f"{value:.12g}")


_NUMBER_KEYS = ("min", "max", "mu", "sigma", "q", "a", "b")
_READERS: dict[str, Callable[[str, Mapping[str, float]], Understood]] = {
    "uniform": _uniform,
    "int_uniform": _int_uniform,
    "q_uniform": _q_uniform,
    **dict.fromkeys(("log_uniform", "q_log_uniform", "inv_log_uniform"), _log_uniform),
    **dict.fromkeys(("log_uniform_values", "q_log_uniform_values", "inv_log_uniform_values"), _log_uniform_values),
    **dict.fromkeys(("normal", "q_normal", "log_normal", "q_log_normal"), _normal),
    **dict.fromkeys(("beta", "q_beta"), _beta),
}


# Keys that a kind needs in place of bounds; the last ones have defaults for all.
_NEEDS: dict[str, tuple[str, ...]] = {
    "constant": ("value",),
    "categorical": ("values",),
    **dict.fromkeys(("normal", "q_normal", "log_normal", "q_log_normal", "beta", "q_beta"), ()),
}
_USED = {"constant": ("value",), "categorical": ("values", "probabilities")}
KINDS = ("constant", "categorical", *_READERS)
KEYS = ("value", "values", "probabilities", *_NUMBER_KEYS)
