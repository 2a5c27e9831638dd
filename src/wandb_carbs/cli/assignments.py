"""Values of hyperparameters that commands take: `--at n=7e9 --at d=1e12`, or `--at n=7e9,d=1e12`."""

from __future__ import annotations

import ast
import contextlib
import json
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from wandb_carbs.tables import short

if TYPE_CHECKING:
    from carbs.spaces.categorical import ChoiceSpace
    from carbs.spaces.search_space import SearchSpace

# An option of type `Assignments`: pairs of name and value for each time that it was named.
Given: TypeAlias = tuple[tuple[tuple[str, str], ...], ...]

# A comma that begins the next name; one in a value, a list's, does not.
_COMMA = re.compile(r",(?=[^,=]+=)")


class Assignments(click.ParamType):  # type: ignore[type-arg, unused-ignore]  # generic from click 8.5 on
    """Names with values, as text: only the search space says what the values are."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[tuple[str, str], ...]:
        """Return pairs of name and value."""
        if isinstance(value, tuple):
            return value
        pairs = []
        for part in _COMMA.split(str(value)):
            name, sign, text = (piece.strip() for piece in part.partition("="))
            if not (name and sign and text):
                self.fail(f"{part!r} is not NAME=VALUE, such as n=7e9", param, ctx)
            pairs.append((name, text))
        return tuple(pairs)


class Names(click.ParamType):  # type: ignore[type-arg, unused-ignore]  # generic from click 8.5 on
    """Names of hyperparameters: `--scale n --scale d`, or `--scale n,d`."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the names."""
        if isinstance(value, tuple):
            return value
        names = tuple(part.strip() for part in str(value).split(","))
        if not all(names):
            self.fail(f"{value!r} has an empty name", param, ctx)
        return names


def values_of(space: SearchSpace, given: Given) -> dict[str, Any]:
    """Return the values that were given, as the search space has them; unknown names stay text.

    Args:
        space: The search space.
        given: The option's values.

    Raises:
        UsageError: If a name is given twice, or a number is wanted and none is there.
    """
    from carbs.spaces.categorical import ChoiceSpace  # noqa: PLC0415 - imports numpy

    values: dict[str, Any] = {}
    for name, text in (pair for pairs in given for pair in pairs):
        if name in values:
            raise click.UsageError(f"{name} is given twice")
        settled = space.spaces[space.names.index(name)] if name in space.names else None
        if settled is None:
            values[name] = text
        elif isinstance(settled, ChoiceSpace):
            values[name] = _choice(settled, text)
        else:
            number = _number(text)
            if number is None:
                raise click.UsageError(f"{name}={text} must be a number, such as {name}=7e9")
            values[name] = number
    return values


def _choice(space: ChoiceSpace, text: str) -> Any:
    """Return the choice that a text means: as JSON, as Python or as tables write it; the text itself if none."""
    for value in _readings(text):
        if space.problem_with(value) is None:
            return space.own(value)
    shown = [choice for choice in space.choices if short(choice) == text]
    return shown[0] if len(shown) == 1 else text


def _readings(text: str) -> Iterator[Any]:
    """Yield the values that a text may stand for, the likeliest first: 1 is a number before it is a text."""
    for read in (json.loads, ast.literal_eval):
        with contextlib.suppress(ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python's, of a text that is hardly Python
                value = read(text)
            yield value
    yield text


def _number(text: str) -> int | float | None:
    """Return the number that a text is, a whole one as an integer, or None."""
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        return int(number) if isinstance(number, float) and number.is_integer() else number
    return None
