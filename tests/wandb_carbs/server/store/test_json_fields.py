"""Fields of a run's JSON, as SQLite finds them."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import Any

import pytest

from wandb_carbs.server.store.json_fields import json_paths, json_value, own_json, plain_json


def found(key: str, *, config: Any = None, summary: str = "{}") -> tuple[Any, Any]:
    """Return kind and value of a field of a run, with the SQL that reads NaN."""
    value = json_value(key, plain_json)
    assert value is not None
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE runs (config, summary)")
        db.execute("INSERT INTO runs VALUES (?, ?)", (json.dumps(config or {}), summary))
        row: tuple[Any, Any] = db.execute(f"SELECT {value.kind}, {value.text} FROM runs").fetchone()
    return row


def test_longest_literal_key_comes_first() -> None:
    assert json_paths("a.b.c") == ['$."a.b.c"', '$."a.b"."c"', '$."a"."b.c"', '$."a"."b"."c"']
    assert found("summary.a.b", summary='{"a": {"b": 1}, "a.b": "x"}') == ("text", "x")
    assert found("summary.a.b", summary='{"a": {"b": 1}}') == ("integer", 1)
    assert json_paths("a..b") == ['$."a..b"', '$."a."."b"', '$."a".".b"'], "no key is empty"


def test_value_of_a_configuration_is_inside_an_entry() -> None:
    """The SDK writes `{"lr": {"value": 0.1}}`."""
    assert found("config.lr", config={"lr": {"value": 0.1}}) == ("real", 0.1)
    assert found("config.opt.lr", config={"opt": {"value": {"lr": 0.1}}}) == ("real", 0.1)
    assert found("config.lr", config={"lr": 0.2}) == ("real", 0.2)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_lacks_leave_the_others_readable(word: str) -> None:
    assert found("summary.loss", summary=f'{{"odd": {word}, "list": [{word}], "loss": 1}}') == ("integer", 1)
    assert found("summary.loss", summary=f'{{"loss":{word}}}') != (None, None)


@pytest.mark.parametrize("key", ["name", "config.a.b.c.d.e", 'config.a"b', "config.\u00e9", "config."])
def test_sql_cannot_tell(key: str) -> None:
    assert json_value(key, own_json) is None
