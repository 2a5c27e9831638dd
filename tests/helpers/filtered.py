"""Runs to be filtered and ordered."""

from __future__ import annotations

import json
from typing import Any

from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.queries import count_runs, select_runs


class Clock:
    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


RUNS: list[dict[str, Any]] = [
    {
        "config": {"lr": 0.1, "n": {"d": 5}, "a.b": 1, "_wandb": {}},
        "summary": {"carbs.state": "success", "loss": 3.0, "nested": {"x": {"y": 1}}},
        "tags": ["red"],
    },
    {"config": {"lr": 0.2}, "summary": {"carbs": {"state": "failure"}, "loss": 1}, "tags": ["red", "blue"]},
    {"config": {"lr": "0.1"}, "summary": {"loss": "low"}, "tags": []},
    {"config": {}, "summary": {"loss": None, "list": [1, 2]}, "tags": []},
]


def names(store: Store, filters: object, order: str = "+created_at") -> str:
    with store.reading() as db:
        page = select_runs(db, 1, json.dumps(filters), order)
        assert count_runs(db, 1, json.dumps(filters)) == len(page.rows)
    return " ".join(row["name"] for row in page.rows)
