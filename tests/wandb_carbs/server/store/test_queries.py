"""Pages of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filtered import Clock, names
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import runs
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.queries import select_runs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("-created_at", "r3 r2 r1 r0"),
        ("created_at", "r0 r1 r2 r3"),
        ("heartbeat_at", "r0 r1 r2 r3"),
        ("+summary_metrics.loss", "r1 r0 r2 r3"),
        ("-summary_metrics.loss", "r2 r0 r1 r3"),
        ("+config.lr.value", "r0 r1 r2 r3"),
        ("-config.lr.value", "r2 r1 r0 r3"),
        ("-state, +name", "r0 r1 r2 r3"),
        ("+state, -name", "r3 r2 r1 r0"),
        ("-summary_metrics.nosuch", "r3 r2 r1 r0"),
    ],
)
def test_order_puts_runs_without_the_key_last(four_runs: Store, order: str, expected: str) -> None:
    assert names(four_runs, {}, order) == expected


@pytest.mark.parametrize("order", ["+created_at", "-created_at", "+name", "-config.lr"])
@pytest.mark.parametrize("first", [1, 2, 3, 4])
def test_pages_cover_every_run_once(four_runs: Store, order: str, first: int) -> None:
    found: list[str] = []
    after = None
    with four_runs.reading() as db:
        whole = [row["name"] for row in select_runs(db, 1, None, order).rows]
        while True:
            page = select_runs(db, 1, None, order, first=first, after=after)
            found += [row["name"] for row in page.rows]
            if not page.has_next:
                break
            after = page.cursor(len(page.rows) - 1)
    assert found == whole


@pytest.mark.parametrize("after", ["?", "AAAA", "MToy", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OToxOjE="])
def test_malformed_cursor_is_refused(four_runs: Store, after: str) -> None:
    with four_runs.reading() as db, pytest.raises(RequestError, match="cursor"):
        select_runs(db, 1, None, None, first=1, after=after)


def test_runs_of_the_same_moment_keep_their_order(tmp_path: Path) -> None:
    store = Store(tmp_path / "db", Clock())
    for number in range(5):
        runs.upsert(store, {"name": f"r{number}", "modelName": "p"})
    assert names(store, {}, "+created_at") == "r0 r1 r2 r3 r4"
    assert names(store, {}, "-created_at") == "r4 r3 r2 r1 r0"
    assert names(store, {"name": {"$exists": True}}, "-created_at") == "r4 r3 r2 r1 r0"
    store.close()
