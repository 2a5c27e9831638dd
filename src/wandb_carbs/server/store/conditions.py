"""Filters and orders as SQL, so that SQLite works through all runs instead of Python.

A condition is true, false, or NULL where SQL cannot tell: for lists, for operators that SQL lacks, and for runs whose
JSON has NaN. SQL's own logic carries NULL through AND, OR and NOT, and `filters` then decides those runs alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wandb_carbs.metrics import ENDS, kept
from wandb_carbs.server.store.database import MICROSECONDS
from wandb_carbs.server.store.json_fields import Value, json_value, own_json, plain_json
from wandb_carbs.server.store.run_fields import COLUMNS, EPOCH, JSON, TIMES, parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_OPPOSITES = {"$ne": "$eq", "$nin": "$in"}
_SIGNS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_MAX_TERMS = 400
_RANKS = "WHEN 'true' THEN 0 WHEN 'false' THEN 0 WHEN 'integer' THEN 1 WHEN 'real' THEN 1 WHEN 'text' THEN 2"
_LISTED = "(SELECT value FROM json_each(?))"

UNKNOWN = "NULL"


@dataclass(frozen=True)
class Sql:
    """A piece of SQL with the values of its question marks."""

    text: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Order:
    """One key of an order of runs.

    Attributes:
        columns: SQL of the columns to select of `runs`.
        terms: Terms of ORDER BY over these columns.
    """

    columns: str
    terms: str


def condition(conjuncts: Sequence[tuple[str, Any]]) -> Sql:
    """Translate a filter that `filters` has found to be well-formed.

    Args:
        conjuncts: Fields or logical operators, with what is asked of each.
    """
    whole = _all(conjuncts)
    if sum(whole.text.count(word) for word in (" AND ", " OR ", "(NOT ")) > _MAX_TERMS:
        return Sql(UNKNOWN)  # SQLite bounds the depth of an expression
    columns = [column for column in ("config", "summary") if f"runs.{column}" in whole.text]
    if not columns:
        return whole
    valid = " AND ".join(f"json_valid(runs.{column})" for column in columns)
    return Sql(f"(CASE WHEN {valid} THEN {whole.text} END)", whole.values)


def _all(conjuncts: Iterable[tuple[str, Any]]) -> Sql:
    return _joined("AND", [_field_or_logic(key, value) for key, value in conjuncts])


def order(key: str, *, descending: bool, place: int) -> Order | None:
    """Translate one key of an order: values by kind, then by value; runs without the key come last.

    Args:
        key: The key.
        descending: Whether the largest come first.
        place: The place of the key in the order; it makes the names of its columns.

    Returns:
        The order, or None where SQL cannot tell.
    """
    direction = "DESC" if descending else "ASC"
    kind, value = f"kind{place}", f"value{place}"
    plain = {**TIMES, **COLUMNS, "duration": "runs.heartbeat_at - runs.created_at"}.get(key)
    if plain is not None:
        return Order(f"{plain} AS {value}", f"{value} IS NULL, {value} {direction}")
    found = json_value(key, plain_json)
    if found is None:
        return None
    held = Value(kind, value)
    if JSON[key.partition(".")[0]] == "summary":
        held = _chosen(held, maximize=descending)
    rank = f"CASE {held.kind} {_RANKS} END"
    return Order(
        f"{found.kind} AS {kind}, {found.text} AS {value}",
        f"({rank}) IS NULL, {rank} {direction}, CASE WHEN {rank} IS NOT NULL THEN {held.text} END {direction}",
    )


def metric(name: str, *, maximize: bool) -> tuple[str, Sql] | None:
    """Translate a metric of a run at its end: it says the same as `sweeps.metrics.value_at_end`.

    Args:
        name: Its name.
        maximize: Whether more of it is better.

    Returns:
        SQL of columns to select of `runs`, and SQL over these of the metric, NULL if it is no finite number. None where
        SQL cannot tell.
    """
    found = json_value(f"summary.{name}", plain_json)
    if found is None:
        return None
    held = Value("kind0", "value0")
    counts = _chosen(held, maximize=maximize)
    says_end = f"(SELECT inner_.key {_first_kept(held, maximize=maximize)}) IN {kept(maximize=maximize)[:ENDS]}"
    logged = Sql("FROM json_each(last_values) WHERE json_each.key = ?", (name,))
    value = Sql(
        f"""(CASE WHEN {held.kind} = 'object' AND NOT {says_end} AND EXISTS (SELECT 1 {logged.text})
            THEN (SELECT CASE WHEN {_is_finite("type", "value")} THEN value END {logged.text})
            WHEN {_is_finite(counts.kind, counts.text)} THEN {counts.text} END)""",
        logged.values * 2,
    )
    return f"{found.kind} AS kind0, {found.text} AS value0, last_values", value


def _is_finite(kind: str, text: str) -> str:
    return f"{kind} IN ('integer', 'real') AND abs({text}) < 9e999"


def _chosen(value: Value, *, maximize: bool) -> Value:
    """Return SQL of what counts of a metric's value: it says the same as `metrics.chosen`."""
    first = _first_kept(value, maximize=maximize)
    kind, text = f"coalesce((SELECT inner_.type {first}), 'object')", f"(SELECT inner_.value {first})"
    return Value(
        f"(CASE {value.kind} WHEN 'object' THEN {kind} ELSE {value.kind} END)",
        f"(CASE {value.kind} WHEN 'object' THEN {text} ELSE {value.text} END)",
    )


def _first_kept(value: Value, *, maximize: bool) -> str:
    """Return SQL of the source `inner_`: of the values that the SDK keeps of a metric, the one that counts."""
    names = kept(maximize=maximize)
    places = " ".join(f"WHEN '{name}' THEN {place}" for place, name in enumerate(names))
    inner = f"json_each(CASE {value.kind} WHEN 'object' THEN {value.text} END) AS inner_"
    return f"""FROM {inner} WHERE NOT EXISTS (SELECT 1 FROM {inner} WHERE inner_.key NOT IN {names})
        ORDER BY CASE inner_.key {places} END LIMIT 1"""  # noqa: S608 - our own names


def _joined(word: str, parts: Sequence[Sql]) -> Sql:
    if not parts:
        return Sql("1" if word == "AND" else "0")
    return Sql(
        f"({f' {word} '.join(part.text for part in parts)})", tuple(value for part in parts for value in part.values)
    )


def _not(part: Sql) -> Sql:
    return Sql(f"(NOT {part.text})", part.values)


def _field_or_logic(key: str, value: Any) -> Sql:
    if key == "$and":
        return _joined("AND", [_all(part.items()) for part in value])
    if key in {"$or", "$nor"}:
        some = _joined("OR", [_all(part.items()) for part in value])
        return some if key == "$or" else _not(some)
    if key == "$not":
        return _not(_all(value.items()))
    return _field(key, value)


def _field(key: str, asked: Any) -> Sql:
    if not (isinstance(asked, dict) and any(name.startswith("$") for name in asked)):
        return _test(key, "$eq", asked)
    return _joined("AND", [_test(key, name, operand) for name, operand in asked.items() if name != "$options"])


def _test(key: str, name: str, operand: Any) -> Sql:
    if name in _OPPOSITES:
        return _not(_test(key, _OPPOSITES[name], operand))
    if name == "$not":
        return _not(_field(key, operand))
    if name == "$in":
        return _among(key, operand)
    if name not in {"$eq", "$exists", *_SIGNS} or not _can_bind(operand):
        return Sql(UNKNOWN)
    if key in COLUMNS:
        return _of_column(COLUMNS[key], name, operand)
    if key in TIMES:
        return _of_time(TIMES[key], name, operand)
    if key == "tags" and name == "$eq" and isinstance(operand, str):
        return Sql("EXISTS (SELECT 1 FROM json_each(runs.tags) WHERE value = ?)", (operand,))
    value = json_value(key, own_json)
    return Sql(UNKNOWN) if value is None else _of_json(value, name, operand)


def _among(key: str, choices: list[Any]) -> Sql:
    """Translate `$in`; the texts among the choices are looked up together."""
    texts = [choice for choice in choices if isinstance(choice, str) and _can_bind(choice)]
    parts = [_test(key, "$eq", choice) for choice in choices if not (isinstance(choice, str) and _can_bind(choice))]
    if texts and key in COLUMNS:
        column = COLUMNS[key]
        parts.append(Sql(f"ifnull({column} IN {_LISTED}, 0)", (json.dumps(texts),)))
    elif texts and key not in TIMES and (value := json_value(key, own_json)) is not None:
        found = f"{value.kind} = 'text' AND {value.text} IN {_LISTED}"
        parts.append(Sql(_unless_list(value, found), (json.dumps(texts),)))
    else:
        parts += [_test(key, "$eq", text) for text in texts]
    return _joined("OR", parts)


def _of_column(column: str, name: str, operand: Any) -> Sql:
    if name == "$exists":
        return Sql("1" if operand else "0")
    if name == "$eq" and operand is None:
        return Sql(f"({column} IS NULL)")
    if not isinstance(operand, str):
        return Sql("0")
    return Sql(f"ifnull({column} {_SIGNS.get(name, '=')} ?, 0)", (operand,))


def _of_time(column: str, name: str, operand: Any) -> Sql:
    if name == "$exists":
        return Sql("1" if operand else "0")
    moment = parse_moment(operand)
    if moment is None:
        return Sql("0")
    since = moment - EPOCH
    microseconds = (since.days * 86_400 + since.seconds) * MICROSECONDS + since.microseconds
    return Sql(f"({column} {_SIGNS.get(name, '=')} ?)", (microseconds,))


def _of_json(value: Value, name: str, operand: Any) -> Sql:
    if name == "$exists":
        return Sql(f"({value.kind} IS {'NOT ' if operand else ''}NULL)")
    if operand is None:
        return Sql(_unless_list(value, f"ifnull({value.kind}, 'null') = 'null'") if name == "$eq" else "0")
    if isinstance(operand, bool):
        found = f"{value.kind} = '{'true' if operand else 'false'}'" if name == "$eq" else "0"
        return Sql(_unless_list(value, found))
    kinds = "('text')" if isinstance(operand, str) else "('integer', 'real')"
    found = f"{value.kind} IN {kinds} AND {value.text} {_SIGNS.get(name, '=')} ?"
    return Sql(_unless_list(value, found), (operand,))


def _unless_list(value: Value, found: str) -> str:
    return f"(CASE {value.kind} WHEN 'array' THEN NULL ELSE ifnull({found}, 0) END)"


def _can_bind(operand: Any) -> bool:
    """Tell whether a value means to SQLite what it means to JSON."""
    if isinstance(operand, str):
        return operand.isprintable() and len(operand) < 10_000 and not any("\ud800" <= c <= "\udfff" for c in operand)
    if isinstance(operand, float):
        return operand == operand  # noqa: PLR0124 - NaN
    if isinstance(operand, int):
        return abs(operand) < 2**53
    return operand is None
