from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.limits import Budget, check_budget, json_depth, spending
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


def test_budget_that_is_checked_is_that_of_the_request_at_work() -> None:
    check_budget()
    with spending(Budget()) as budget:
        check_budget()
        budget.cancel()
        with pytest.raises(RequestError, match="gone"):
            check_budget()
    check_budget()


def test_depth_counts_objects_and_lists() -> None:
    trees: list[object] = [1, [], {"a": []}, [[1], {"a": {"b": 2}}]]
    assert [json_depth(tree) for tree in trees] == [0, 1, 2, 3]
