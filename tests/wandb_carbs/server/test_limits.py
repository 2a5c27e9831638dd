from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wandb_carbs.server.caching import SizedCache
from wandb_carbs.server.errors import RequestError, shortened
from wandb_carbs.server.limits import Budget, json_depth, spending
from wandb_carbs.server.store.database import Store

if TYPE_CHECKING:
    from pathlib import Path

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


def test_statement_ends_when_the_time_is_over(tmp_path: Path) -> None:
    store = Store(tmp_path / "db")
    with spending(Budget(seconds=0.2)), pytest.raises(RequestError, match=r"more than 0\.2 s"), store.reading() as db:
        db.execute(ENDLESS).fetchone()
    with store.reading() as db:
        assert db.execute("SELECT 1").fetchone()[0] == 1
    store.close()


def test_work_ends_when_the_client_has_gone(tmp_path: Path) -> None:
    store, budget = Store(tmp_path / "db"), Budget()
    with spending(budget):
        budget.cancel()
        with pytest.raises(RequestError, match="gone"), store.reading() as db:
            db.execute(ENDLESS).fetchone()
    with pytest.raises(RequestError, match="gone"), spending(budget):
        pass
    store.close()


def test_reply_has_a_bounded_number_of_values_and_characters() -> None:
    for name in ("values", "characters"):
        budget = Budget()
        budget.check()
        setattr(budget, name, -1)
        with pytest.raises(RequestError, match="fewer"):
            budget.check()


def test_cache_is_bounded_by_size_and_forgets_the_least_recently_used() -> None:
    made: list[str] = []

    def make(text: str) -> tuple[str, int]:
        made.append(text)
        return text.upper(), len(text)

    cache = SizedCache(make, 10)
    assert [cache("aaaa"), cache("bbbb"), cache("aaaa")] == ["AAAA", "BBBB", "AAAA"]
    assert cache("cccc") == "CCCC"
    assert "bbbb" not in cache
    assert "aaaa" in cache
    assert cache("d" * 11) == "D" * 11
    assert "d" * 11 not in cache
    assert made == ["aaaa", "bbbb", "cccc", "d" * 11]


def test_long_messages_lose_their_middle() -> None:
    assert shortened("short", 10) == "short"
    assert shortened("a" * 50 + "b" * 50, 25) == "a" * 10 + " ... " + "b" * 10
    assert len(str(RequestError("x" * 10_000))) <= 1000


def test_depth_counts_objects_and_lists() -> None:
    trees: list[object] = [1, [], {"a": []}, [[1], {"a": {"b": 2}}]]
    assert [json_depth(tree) for tree in trees] == [0, 1, 2, 3]
