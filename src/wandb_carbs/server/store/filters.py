"""Mongo-like filters over runs.

W&B's clients send the user's filter as it is; all semantics are the server's. A field that a run lacks equals null,
differs from every value, and satisfies no range.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.errors import RequestError, shortened
from wandb_carbs.server.limits import check_budget, json_depth
from wandb_carbs.server.store.conditions import Sql, condition
from wandb_carbs.server.store.operators import field_test, list_of
from wandb_carbs.server.store.run_fields import RunDocument, check_field

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

# Filters are compiled and evaluated by recursion.
_MAX_DEPTH = 50
# A list of 50,000 runs has 0.6 million characters.
_MAX_LENGTH = 1_000_000
# Following a path costs its length times its dots.
_MAX_PATH = 1_000

Predicate = Callable[[RunDocument], bool]


class Filter:
    """A parsed filter.

    Attributes:
        sweep: The sweep that every match belongs to, when the filter says so; the storage looks there only.
        exact: Whether `sweep` is all that the filter asks.
        sql: What else it asks, as SQL; NULL for the runs of which only `matches` can tell.
    """

    def __init__(self, conjuncts: Sequence[tuple[str, Any]], sweep: str | None) -> None:
        predicates = [_field_or_logic(key, value) for key, value in conjuncts]
        self._predicates = predicates
        self.sql: Sql = condition(conjuncts)
        self.sweep = sweep
        self.exact = not predicates

    @classmethod
    def parse(cls, text: str | None) -> Filter:
        """Parse a filter's JSON.

        Raises:
            RequestError: It is malformed, or uses an unknown operator.
        """
        if text and len(text) > _MAX_LENGTH:
            raise RequestError(f"filters have {len(text)} characters; at most {_MAX_LENGTH} are taken", 413)
        try:
            tree = json.loads(text) if text else None
        except (ValueError, RecursionError) as error:
            raise RequestError(f"filters must be JSON: {error}") from None
        if json_depth(tree) > _MAX_DEPTH:
            raise RequestError(f"filters are nested too deeply: more than {_MAX_DEPTH} levels")
        conjuncts = _conjuncts({} if tree is None else tree)
        sweep = next((v for k, v in conjuncts if k == "sweep" and isinstance(v, str)), None)
        rest = [(k, v) for k, v in conjuncts if not (k == "sweep" and v is not None and v == sweep)]
        return cls(rest, sweep)

    def matches(self, row: sqlite3.Row) -> bool:
        """Tell whether a run matches; its sweep is looked at as well."""
        if self.sweep is not None and row["sweep_name"] != self.sweep:
            return False
        check_budget()
        document = RunDocument(row)
        return all(predicate(document) for predicate in self._predicates)


def _conjuncts(tree: Any) -> list[tuple[str, Any]]:
    if not isinstance(tree, dict):
        raise RequestError(f"filter {shortened(repr(tree), 100)} must be an object")
    found: list[tuple[str, Any]] = []
    for key, value in tree.items():
        if key == "$and":
            for part in list_of(key, value):
                found += _conjuncts(part)
        else:
            found.append((key, value))
    return found


def _compile(tree: Any) -> Predicate:
    predicates = [_field_or_logic(key, value) for key, value in _conjuncts(tree)]
    return lambda document: all(predicate(document) for predicate in predicates)


def _field_or_logic(key: str, value: Any) -> Predicate:
    if len(key) > _MAX_PATH:
        raise RequestError(f"filter: {shortened(key, 100)!r} has {len(key)} characters; at most {_MAX_PATH} are taken")
    if key in {"$or", "$nor"}:
        alternatives = [_compile(part) for part in _merged(list_of(key, value))]
        wanted = key == "$or"
        return lambda document: any(alternative(document) for alternative in alternatives) is wanted
    if key == "$not":
        negated = _compile(value)
        return lambda document: not negated(document)
    if key.startswith("$"):
        raise RequestError(f"unknown filter operator {key!r}")
    check_field(key)
    test = field_test(value)
    return lambda document: test(document.get(key))


def _merged(alternatives: list[Any]) -> list[Any]:
    """Write alternatives that ask for a name each, as the SDK lists runs, as one that asks for any of them."""
    names = [part["name"] for part in alternatives if isinstance(part, dict) and list(part) == ["name"]]
    if not all(isinstance(name, str) for name in names) or len(names) < 2:
        return alternatives
    rest = [part for part in alternatives if not (isinstance(part, dict) and list(part) == ["name"])]
    return [{"name": {"$in": names}}, *rest]
