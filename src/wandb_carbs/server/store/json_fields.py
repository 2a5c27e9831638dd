"""Fields of a run's JSON as SQL: a dotted key may lead into nested values, the longest literal keys first."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wandb_carbs.server.store.run_fields import JSON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A path of n dots may mean 2^n nested keys.
_MAX_DOTS = 3
# SQLite compares keys as they are written in the JSON; keys of these characters are never written as escapes.
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. /:")


@dataclass(frozen=True)
class Value:
    """A field of a run.

    Attributes:
        kind: SQL of its kind in JSON: integer, real, text, true, false, null, array, object; NULL if the run lacks it.
        text: SQL of its value.
    """

    kind: str
    text: str


def json_value(key: str, text_of: Callable[[str], str]) -> Value | None:
    """Return a dotted field of a run's JSON: the longest literal keys first, as `filters` looks for it.

    Args:
        key: The field, such as `config.lr`.
        text_of: Returns SQL of a column's JSON: `own_json` or `plain_json`.

    Returns:
        The field, or None where SQL cannot tell.
    """
    head, _, rest = key.partition(".")
    splits = _readings(rest) if head in JSON else []
    if not splits:
        return None
    column = JSON[head]
    paths = [_path([path[0], "value", *path[1:]]) for path in splits] if column == "config" else []
    paths += [_path(path) for path in splits]
    text = text_of(column)
    kinds = [f"json_type({text}, '{path}')" for path in paths]
    values = [f"json_extract({text}, '{path}')" for path in paths]
    kind = kinds[0] if len(kinds) == 1 else f"coalesce({', '.join(kinds)})"
    cases = " ".join(f"WHEN {k} IS NOT NULL THEN {v}" for k, v in zip(kinds, values, strict=True))
    return Value(f"({kind})", f"(CASE {cases} END)")


def json_paths(key: str) -> list[str]:
    """Return SQLite's paths to a dotted key, the longest literal keys first; none if SQLite cannot look for it."""
    return [_path(keys) for keys in _readings(key)]


def _readings(key: str) -> list[list[str]]:
    """Return all ways to read a dotted key as nested ones; none of a key with many dots or odd characters."""
    if key.count(".") > _MAX_DOTS or not PLAIN.issuperset(key):
        return []
    return [path for path in _splits(key.split(".")) if all(path)]


def _splits(words: list[str]) -> Iterator[list[str]]:
    """Yield all ways to read dotted words as nested keys, those with longer first keys first."""
    for end in range(len(words), 0, -1):
        first = ".".join(words[:end])
        if end == len(words):
            yield [first]
        else:
            for rest in _splits(words[end:]):
                yield [first, *rest]


def _path(keys: list[str]) -> str:
    return "$" + "".join(f'."{key}"' for key in keys)


def own_json(column: str) -> str:
    """Return SQL of a run's JSON as it is stored."""
    return f"runs.{column}"


def plain_json(column: str) -> str:
    """Return SQL of a run's JSON with NaN and infinities replaced, which SQLite does not read."""
    text = f"runs.{column}"
    replaced = text
    for before, (word, number) in itertools.product(
        (":", ": ", ",", ", ", "["), (("NaN", "{}"), ("Infinity", "9e999"), ("-Infinity", "-9e999"))
    ):
        replaced = f"replace({replaced}, '{before}{word}', '{before}{number}')"
    return f"CASE WHEN json_valid({text}) THEN {text} WHEN json_valid({replaced}) THEN {replaced} ELSE '{{}}' END"
