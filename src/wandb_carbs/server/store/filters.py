"""Mongo-like filters and orderings over runs.

W&B's clients send the user's filter as it is; all semantics are the server's. A field that a run lacks equals null,
differs from every value, and satisfies no range.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import re2

from wandb_carbs.server.errors import RequestError, shortened
from wandb_carbs.server.limits import json_depth
from wandb_carbs.server.store.database import DEFAULT_ENTITY, MICROSECONDS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_MISSING: Any = object()
# Filters are compiled and evaluated by recursion.
_MAX_DEPTH = 50
# A list of 50,000 runs has 0.6 million characters.
_MAX_LENGTH = 1_000_000
# Following a path costs its length times its dots.
_MAX_PATH = 1_000
_MAX_PATTERN = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

_COLUMNS = {
    "name": "name",
    "displayName": "display_name",
    "display_name": "display_name",
    "state": "state",
    "sweep": "sweep_name",
    "sweepName": "sweep_name",
    "group": "group_name",
    "jobType": "job_type",
    "job_type": "job_type",
    "host": "host",
    "notes": "notes",
    "description": "description",
    "commit": "commit_hash",
}
_TIMES = {
    "createdAt": "created_at",
    "created_at": "created_at",
    "heartbeatAt": "heartbeat_at",
    "heartbeat_at": "heartbeat_at",
}
_JSON = {"config": "config", "summary_metrics": "summary", "summaryMetrics": "summary", "summary": "summary"}

_FIELDS = frozenset({*_COLUMNS, *_TIMES, "tags", "username", "user.username", "duration"})

Predicate = Callable[["RunDocument"], bool]


class RunDocument:
    """A run as filters see it; its JSON is parsed only when a filter looks inside.

    Args:
        row: The run's row with its `sweep_name`.
    """

    def __init__(self, row: sqlite3.Row) -> None:
        self.row = row
        self._parsed: dict[str, Any] = {}

    def get(self, path: str) -> Any:
        """Return the value at a dotted path, or `_MISSING`."""
        if path in _COLUMNS:
            return self.row[_COLUMNS[path]]
        if path in _TIMES:
            return _EPOCH + timedelta(microseconds=self.row[_TIMES[path]])
        if path == "tags":
            return self._json("tags")
        if path in {"username", "user.username"}:
            return DEFAULT_ENTITY
        if path == "duration":
            return (self.row["heartbeat_at"] - self.row["created_at"]) / MICROSECONDS
        head, _, rest = path.partition(".")
        if head in _JSON and rest:
            found = self._json(_JSON[head])
            if head != "config":
                return _resolve(found, rest)
            # Stored as {"lr": {"value": 0.1}}; asked for as config.lr or config.lr.value.
            bare = {k: v["value"] for k, v in found.items() if isinstance(v, dict) and "value" in v}
            value = _resolve(bare, rest)
            return _resolve(found, rest) if value is _MISSING else value
        if head == "keys_info" and rest.startswith("keys."):
            return {} if rest.removeprefix("keys.") in self._json("history_keys") else _MISSING
        return _MISSING

    def _json(self, column: str) -> Any:
        if column not in self._parsed:
            self._parsed[column] = json.loads(self.row[column])
        return self._parsed[column]


def _resolve(value: Any, path: str) -> Any:
    """Follow a dotted path whose keys may hold dots themselves: the longest literal key first."""
    if not isinstance(value, Mapping):
        return _MISSING
    if path in value:
        return value[path]
    end = path.rfind(".")
    while end > 0:
        if path[:end] in value:
            found = _resolve(value[path[:end]], path[end + 1 :])
            if found is not _MISSING:
                return found
        end = path.rfind(".", 0, end)
    return _MISSING


class Filter:
    """A parsed filter.

    Attributes:
        sweep: The sweep that every match belongs to, when the filter says so; the storage looks there only.
        exact: Whether `sweep` is all that the filter asks.
    """

    def __init__(self, predicates: Sequence[Predicate], sweep: str | None) -> None:
        self._predicates = predicates
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
        return cls([_field_or_logic(key, value) for key, value in rest], sweep)

    def matches(self, row: sqlite3.Row) -> bool:
        """Tell whether a run matches; its sweep is looked at as well."""
        if self.sweep is not None and row["sweep_name"] != self.sweep:
            return False
        document = RunDocument(row)
        return all(predicate(document) for predicate in self._predicates)


def _conjuncts(tree: Any) -> list[tuple[str, Any]]:
    if not isinstance(tree, dict):
        raise RequestError(f"filter {shortened(repr(tree), 100)} must be an object")
    found: list[tuple[str, Any]] = []
    for key, value in tree.items():
        if key == "$and":
            for part in _parts(key, value):
                found += _conjuncts(part)
        else:
            found.append((key, value))
    return found


def _parts(operator: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise RequestError(f"filter operator {operator} needs a list, not {shortened(repr(value), 100)}")
    return value


def _compile(tree: Any) -> Predicate:
    predicates = [_field_or_logic(key, value) for key, value in _conjuncts(tree)]
    return lambda document: all(predicate(document) for predicate in predicates)


def _field_or_logic(key: str, value: Any) -> Predicate:
    if len(key) > _MAX_PATH:
        raise RequestError(f"filter: {shortened(key, 100)!r} has {len(key)} characters; at most {_MAX_PATH} are taken")
    if key in {"$or", "$nor"}:
        alternatives = [_compile(part) for part in _merged(_parts(key, value))]
        wanted = key == "$or"
        return lambda document: any(alternative(document) for alternative in alternatives) is wanted
    if key == "$not":
        negated = _compile(value)
        return lambda document: not negated(document)
    if key.startswith("$"):
        raise RequestError(f"unknown filter operator {key!r}")
    _check_field(key)
    test = _test(value)
    return lambda document: test(document.get(key))


def _check_field(key: str) -> None:
    """Check that runs have a field: one that no run has would match nothing, or everything.

    Raises:
        RequestError: They have not.
    """
    head, _, rest = key.partition(".")
    if key in _FIELDS or (head in _JSON and rest) or key.startswith("keys_info.keys."):
        return
    raise RequestError(
        f"runs have no field {shortened(key, 100)!r}; those of the configuration and the summary are written "
        f"config.{shortened(key, 100)} and summary_metrics.{shortened(key, 100)}"
    )


def _merged(alternatives: list[Any]) -> list[Any]:
    """Write alternatives that ask for a name each, as the SDK lists runs, as one that asks for any of them."""
    names = [part["name"] for part in alternatives if isinstance(part, dict) and list(part) == ["name"]]
    if not all(isinstance(name, str) for name in names) or len(names) < 2:
        return alternatives
    rest = [part for part in alternatives if not (isinstance(part, dict) and list(part) == ["name"])]
    return [{"name": {"$in": names}}, *rest]


def _test(condition: Any) -> Callable[[Any], bool]:
    """Return the test of one field's value."""
    if not (isinstance(condition, dict) and any(key.startswith("$") for key in condition)):
        return lambda value: _equal(value, condition)
    if "$options" in condition:
        condition = _with_options(condition)
    tests = [_operator(name, operand) for name, operand in condition.items()]
    return lambda value: all(test(value) for test in tests)


def _with_options(condition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a condition with the options of its regular expression written into the expression.

    Raises:
        RequestError: There is no regular expression, or an option is none of i, m and s.
    """
    pattern, options = condition.get("$regex"), condition["$options"]
    if not isinstance(pattern, str) or not isinstance(options, str) or not set(options) <= set("ims"):
        raise RequestError(f"filter operator $options {options!r} needs a $regex, and takes the letters i, m and s")
    rest = {name: operand for name, operand in condition.items() if name != "$options"}
    return {**rest, "$regex": f"(?{options}){pattern}" if options else pattern}


def _operator(name: str, operand: Any) -> Callable[[Any], bool]:
    if name == "$eq":
        return lambda value: _equal(value, operand)
    if name == "$ne":
        return lambda value: not _equal(value, operand)
    if name == "$exists":
        return lambda value: (value is not _MISSING) is bool(operand)
    if name in {"$in", "$nin"}:
        choices, wanted = _parts(name, operand), name == "$in"
        texts = frozenset(choice for choice in choices if isinstance(choice, str))
        others = [choice for choice in choices if not isinstance(choice, str)]
        return lambda value: (_is_among(value, texts) or any(_equal(value, other) for other in others)) is wanted
    if name == "$not":
        test = _test(operand)
        return lambda value: not test(value)
    if name == "$regex":
        pattern = _pattern(operand)
        return lambda value: any(isinstance(v, str) and _is_found(pattern, v) for v in _each(value))
    if name in _LISTS:
        return _LISTS[name](operand)
    if name in _RANGES:
        holds = _RANGES[name]
        return lambda value: any(_ordered(v, operand, holds) for v in _each(value))
    raise RequestError(f"unknown filter operator {name!r}")


def _is_among(value: Any, texts: frozenset[str]) -> bool:
    """Tell whether a value, or one of its elements, equals one of many texts."""
    if isinstance(value, datetime):
        return any(_same(value, text) for text in texts)
    return any(isinstance(v, str) and v in texts for v in _each(value))


def _pattern(operand: Any) -> Any:
    """Compile a regular expression for an engine whose time grows with the length of the text only.

    Raises:
        RequestError: It is malformed, or needs an engine that tries one way after the other.
    """
    if not isinstance(operand, str) or len(operand) > _MAX_PATTERN:
        what = f"{len(operand)} characters" if isinstance(operand, str) else type(operand).__name__
        raise RequestError(f"filter operator $regex needs a text of at most {_MAX_PATTERN} characters, not {what}")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(operand.encode("utf-8", "replace"), options)
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if error.args and isinstance(error.args[0], bytes) else error
        raise RequestError(
            f"filter operator $regex: {shortened(operand, 100)!r}: {reason}; the syntax is that of RE2, "
            "without look-around and back-references"
        ) from None


def _is_found(pattern: Any, text: str) -> bool:
    return pattern.search(text.encode("utf-8", "replace")) is not None


def _all_of(operand: Any) -> Callable[[Any], bool]:
    wanted = _parts("$all", operand)
    return lambda value: bool(wanted) and all(_equal(value, one) for one in wanted)


def _size_of(operand: Any) -> Callable[[Any], bool]:
    if not isinstance(operand, int) or isinstance(operand, bool):
        raise RequestError(f"filter operator $size needs a number, not {shortened(repr(operand), 100)}")
    return lambda value: isinstance(value, list) and len(value) == operand


def _element_of(operand: Any) -> Callable[[Any], bool]:
    if not isinstance(operand, dict) or not operand or not all(key.startswith("$") for key in operand):
        raise RequestError("filter operator $elemMatch needs an object of operators for the elements of a list")
    test = _test(operand)
    return lambda value: isinstance(value, list) and any(test(element) for element in value)


# Operators on fields that hold lists.
_LISTS: dict[str, Callable[[Any], Callable[[Any], bool]]] = {
    "$all": _all_of,
    "$size": _size_of,
    "$elemMatch": _element_of,
}

_RANGES: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda a, b: a > b,
    "$gte": lambda a, b: a >= b,
    "$lt": lambda a, b: a < b,
    "$lte": lambda a, b: a <= b,
}


def _each(value: Any) -> list[Any]:
    """A list matches where one of its elements does."""
    return [*value, value] if isinstance(value, list) else [value]


def _equal(value: Any, operand: Any) -> bool:
    if operand is None:
        return value is None or value is _MISSING
    return any(_same(v, operand) for v in _each(value))


def _same(value: Any, operand: Any) -> bool:
    if isinstance(value, datetime):
        return value == _moment(operand)
    return _kind(value) == _kind(operand) and bool(value == operand)


def _ordered(value: Any, operand: Any, holds: Callable[[Any, Any], bool]) -> bool:
    if isinstance(value, datetime):
        operand = _moment(operand)
    kind = _kind(value)
    return kind in {"number", "text", "time"} and kind == _kind(operand) and holds(value, operand)


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "text"
    return "time" if isinstance(value, datetime) else type(value).__name__


def parse_order(order: str | None) -> list[tuple[str, bool]]:
    """Parse an order such as `-summary_metrics.loss, +created_at`.

    Returns:
        Fields with whether they descend. Without a sign a field ascends; W&B's default is the newest first.
    """
    keys = [key.strip() for key in (order or "-created_at").split(",") if key.strip()]
    return [(key.lstrip("+-"), key.startswith("-")) for key in keys] or [("created_at", True)]


def sort_runs(rows: list[sqlite3.Row], keys: Sequence[tuple[str, bool]]) -> list[sqlite3.Row]:
    """Sort runs; ties go by insertion, in the first key's direction, and runs without the key come last."""
    documents = sorted((RunDocument(row) for row in rows), key=lambda d: d.row["id"], reverse=keys[0][1])
    for key, descending in reversed(keys):
        held: list[tuple[tuple[int, Any], RunDocument]] = []
        rest: list[RunDocument] = []
        for document in documents:
            value = document.get(key)
            rank = _rank(value)
            if rank is None:
                rest.append(document)
            else:
                held.append(((rank, value), document))
        held.sort(key=lambda pair: pair[0], reverse=descending)
        documents = [document for _, document in held] + rest
    return [document.row for document in documents]


def _rank(value: Any) -> int | None:
    """Order values of different kinds among each other; None for what has no order."""
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - NaN
        return None
    kinds = {"truth": 0, "number": 1, "text": 2, "time": 3}
    return kinds.get(_kind(value))
