"""How fields of the schema are answered."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from wandb_carbs.server.graphql import fields
from wandb_carbs.server.store.ids import global_id

ROW: Any = {"id": 3, "name": "n", "display_name": "d", "created_at": 1_800_000_000_000_001}
CONTEXT: Any = SimpleNamespace()


def test_simple_fields_are_read_from_the_row() -> None:
    found = {
        **fields.identifier("Run"),
        **fields.columns("name", displayName="display_name"),
        **fields.moments(createdAt="created_at"),
        **fields.constants(readOnly=False),
    }
    assert {name: field(ROW, CONTEXT) for name, field in found.items()} == {
        "id": global_id("Run", 3),
        "name": "n",
        "displayName": "d",
        "createdAt": "2027-01-15T08:00:00.000001Z",
        "readOnly": False,
    }


@pytest.mark.parametrize(
    ("first", "after", "items", "has_next"),
    [
        (None, None, "abcde", False),
        (2, None, "ab", True),
        (2, "1", "cd", True),
        (2, "2", "de", False),
        (0, None, "", True),
        (-1, None, "", True),
        (2, "99", "", False),
        (2, "nosuch", "ab", True),
        (1, "9" * 30, "a", True),
    ],
)
def test_connection_is_a_page(first: int | None, after: str | None, items: str, has_next: bool) -> None:
    page = fields.connection("abcde", first, after)
    assert [edge["node"] for edge in page["edges"]] == list(items)
    assert (page["pageInfo"]["hasNextPage"], page["totalCount"]) == (has_next, 5)


def test_nodes_are_made_for_the_page_alone() -> None:
    made: list[str] = []
    page = fields.connection("abcde", 2, "0", lambda item: made.append(item) or item.upper())  # type: ignore[func-returns-value]
    assert [edge["node"] for edge in page["edges"]] == ["B", "C"]
    assert made == ["b", "c"]


def test_pages_cover_everything_once() -> None:
    seen, after = [], None
    while True:
        page = fields.connection(range(7), 3, after)
        seen += [edge["node"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == list(range(7))
