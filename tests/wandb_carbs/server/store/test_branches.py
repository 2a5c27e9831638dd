"""Runs that go on from a step of a run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stored import ask, make_run, run_row, send
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import branches, run_streams, streams
from wandb_carbs.server.store.database import Store

REWIND = {"entityName": "local", "projectName": "p", "runName": "r", "metricName": "_step"}


def log(store: Store, steps: int) -> None:
    send(store, run_streams.HISTORY, 0, *(json.dumps({"_step": step, "loss": step}) for step in range(steps)))


def history(store: Store, name: str) -> list[Any]:
    with store.reading() as db:
        return [json.loads(line) for line in streams.lines(db, run_row(store, name)["id"], run_streams.HISTORY)]


def test_rewound_run_forgets_what_came_after_the_step(store: Store) -> None:
    log(store, 5)
    branches.rewind(store, {**REWIND, "metricValue": 2})
    assert [row["_step"] for row in history(store, "r")] == [0, 1, 2]
    row = run_row(store)
    assert (row["history_lines"], row["last_step"], row["judged_at"]) == (3, 2, 0)


@pytest.mark.parametrize("values", [{"metricName": "loss", "metricValue": 2}, {"runName": "nosuch", "metricValue": 2}])
def test_rewinding_to_something_else_is_refused(store: Store, values: dict[str, Any]) -> None:
    log(store, 5)
    with pytest.raises(RequestError, match="resume_from"):
        branches.rewind(store, {**REWIND, **values})
    assert len(history(store, "r")) == 5


def test_forked_run_begins_with_the_history_of_the_other(store: Store) -> None:
    log(store, 5)
    query = 'mutation M($c: JSONString) { upsertBucket(input: {name: "f", modelName: "p", config: $c}) { inserted } }'
    config = {"_wandb": {"value": {"branch_point": {"run_id": "r", "step": 2}}}}
    assert ask(store, query, c=json.dumps(config)).status == 200
    assert [row["_step"] for row in history(store, "f")] == [0, 1, 2]
    assert json.loads(run_row(store, "f")["summary"]) == {"_step": 2, "loss": 2}
    assert len(history(store, "r")) == 5


@pytest.mark.parametrize("name", ["nosuch", {}, 2**70, None])
def test_fork_of_an_unknown_run_makes_none(store: Store, name: Any) -> None:
    make_run(store, "r")
    query = 'mutation M($c: JSONString) { upsertBucket(input: {name: "f", modelName: "p", config: $c}) { inserted } }'
    config = {"_wandb": {"value": {"branch_point": {"run_id": name, "step": 2}}}}
    assert ask(store, query, c=json.dumps(config)).status == 404
    assert "errors" not in ask(store, '{ project(name: "p") { run(name: "f") { name } } }').body
    assert ask(store, '{ project(name: "p") { runCount } }').body["data"]["project"]["runCount"] == 1
