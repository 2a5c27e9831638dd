"""The operators of filters."""

from __future__ import annotations

from typing import Any

import pytest

from wandb_carbs.metrics import MISSING
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.operators import field_test


@pytest.mark.parametrize(
    ("condition", "matching", "others"),
    [
        (3, [3, 3.0, [3]], ["3", True, None, MISSING]),
        (None, [None, MISSING], [0, "", False, []]),
        (True, [True], [1, "true"]),
        ({"$ne": 3}, ["3", MISSING, 4], [3, [3, 4]]),
        ({"$gt": 3}, [4, [1, 4]], [3, "4", MISSING, None, True]),
        ({"$gte": "b"}, ["b", "c"], ["a", 3]),
        ({"$gt": 1, "$lt": 3}, [2], [1, 3]),
        ({"$in": [1, "a", None]}, [1, "a", MISSING, ["a"]], [2, "b", True]),
        ({"$nin": [1, "a"]}, [2, MISSING], [1, ["a"]]),
        ({"$exists": True}, [0, None, ""], [MISSING]),
        ({"$exists": False}, [MISSING], [None]),
        ({"$not": {"$gt": 3}}, [3, MISSING, "a"], [4]),
        ({"$regex": "a.c"}, ["xabcx", ["abc"]], ["ABC", 3, MISSING]),
        ({"$regex": "a.c", "$options": "i"}, ["ABC"], ["ac"]),
        ({"$all": [1, 2]}, [[2, 1, 3]], [[1], 1, MISSING]),
        ({"$size": 2}, [[1, 2]], [[1], 2]),
        ({"$elemMatch": {"$gt": 1, "$lt": 3}}, [[2], [0, 2]], [[0, 4], 2]),
        ({"a": 1}, [{"a": 1}], [{"a": 2}, MISSING]),
    ],
)
def test_operator(condition: Any, matching: list[Any], others: list[Any]) -> None:
    test = field_test(condition)
    assert [value for value in matching if not test(value)] == []
    assert [value for value in others if test(value)] == []


@pytest.mark.parametrize(
    "condition",
    [
        {"$what": 1},
        {"$in": "a"},
        {"$nin": {}},
        {"$regex": 3},
        {"$regex": "("},
        {"$regex": "(?=a)"},
        {"$regex": r"(a)\1"},
        {"$regex": "a" * 2000},
        {"$options": "i"},
        {"$regex": "a", "$options": "z"},
        {"$size": True},
        {"$elemMatch": 3},
        {"$all": 3},
    ],
)
def test_malformed_operator_is_refused(condition: Any) -> None:
    with pytest.raises(RequestError, match=r"\$"):
        field_test(condition)
