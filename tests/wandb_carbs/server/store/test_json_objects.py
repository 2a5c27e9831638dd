"""JSON objects that clients send as texts."""

from __future__ import annotations

import pytest

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.json_objects import json_object


def test_object_is_parsed() -> None:
    assert json_object("config", '{"a": [1, {"b": null}]}') == {"a": [1, {"b": None}]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        '"a"',
        '{"a": ' + "[" * 200 + "]" * 200 + "}",
        "[" * 100_000,
    ],
)
def test_anything_else_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(RequestError, match=r"^config "):
        json_object("config", text)
