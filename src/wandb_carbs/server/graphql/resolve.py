"""How a field gets its value: from a mapping, under the request's budget and with arguments of the right types."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
)

from wandb_carbs.server.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import GraphQLInputType

    from wandb_carbs.server.limits import Budget

# Values between two looks at the clock: a fraction of a millisecond.
_VALUES_BETWEEN_CHECKS = 100
_NUMBERS: dict[str, set[type]] = {"Int": {int}, "Int64": {int}, "Float": {int, float}, "Duration": {int, float}}


class StopExecution(BaseException):
    """Ends the execution of a query, through the executor, which catches every `Exception`."""

    def __init__(self, reason: RequestError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def answer(function: Callable[..., Any], source: Any, info: Any, **arguments: Any) -> Any:
    """Resolve a field by the function that the schema has for it: of the object, the context and the arguments."""
    budget: Budget = info.context.budget
    if arguments:
        _check_arguments(info, arguments)
    try:
        value = function(source, info.context, **arguments)
    except sqlite3.OperationalError:
        _check(budget)  # the budget may have interrupted the statement
        raise
    return _spend(budget, value)


def change(function: Callable[..., Any], _root: Any, info: Any, **arguments: Any) -> Any:
    """Resolve a mutation by its function: of the context and the input."""
    _check_arguments(info, arguments)
    return function(info.context, arguments["input"])


def value_of_key(source: Any, info: Any, **_: Any) -> Any:
    """Resolve a field that has no function: its value is in the mapping."""
    return _spend(info.context.budget, source.get(info.field_name) if isinstance(source, dict) else None)


def counted(following: Callable[..., Any], source: Any, info: Any, **arguments: Any) -> Any:
    """Resolve a field under the budget, as middleware, where the schema describes itself by functions of its own."""
    return _spend(info.context.budget, following(source, info, **arguments))


def _spend(budget: Budget, value: Any) -> Any:
    budget.values -= 1
    if isinstance(value, str):
        budget.characters -= len(value)
    if budget.values % _VALUES_BETWEEN_CHECKS == 0 or budget.values < 0 or budget.characters < 0:
        _check(budget)
    return value


def _check(budget: Budget) -> None:
    try:
        budget.check()
    except RequestError as reason:
        raise StopExecution(reason) from None


def _check_arguments(info: Any, arguments: dict[str, Any]) -> None:
    """Check the types of what variables were put in for: without validation a variable may have any type.

    Raises:
        RequestError: A value has the wrong type.
    """
    declared = info.parent_type.fields[info.field_name].args
    for name, value in arguments.items():
        if not _fits(value, declared[name].type):
            raise RequestError(f"{info.field_name}: argument {name!r} must be of type {declared[name].type}")


def _fits(value: Any, kind: GraphQLInputType) -> bool:
    if is_non_null_type(kind):
        return value is not None and _fits(value, kind.of_type)
    if value is None:
        return True
    if is_list_type(kind):
        return isinstance(value, list) and all(_fits(item, kind.of_type) for item in value)
    if is_input_object_type(kind):
        assert isinstance(kind, GraphQLInputObjectType)
        return isinstance(value, dict) and all(
            _fits(item, kind.fields[name].type) for name, item in value.items() if name in kind.fields
        )
    if isinstance(kind, GraphQLEnumType):
        return isinstance(value, str)
    name = getattr(kind, "name", "")
    if name == "JSON":
        return True
    if name == "Boolean":
        return isinstance(value, bool)
    if name in _NUMBERS:
        return type(value) in _NUMBERS[name] and abs(value) < (2**31 if name == "Int" else 2**63)
    return isinstance(value, str)
