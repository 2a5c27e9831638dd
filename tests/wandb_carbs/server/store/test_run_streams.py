"""Lines, summaries and ends that runs stream."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stored import run_row, send
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import run_streams, runs, streams
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.ids import global_id


def test_lines_are_written_by_offset(store: Store) -> None:
    steps = [json.dumps({"_step": step, "loss": 1.0}) for step in range(4)]
    send(store, run_streams.HISTORY, 0, *steps[:3])
    send(store, run_streams.HISTORY, 0, *steps[:3])
    send(store, run_streams.HISTORY, 2, *steps[2:])
    with store.reading() as db:
        assert list(streams.lines(db, run_row(store)["id"], run_streams.HISTORY)) == steps
    assert run_row(store)["history_lines"] == 4
    assert run_row(store)["last_step"] == 3
    assert json.loads(run_row(store)["history_keys"]) == ["_step", "loss"]
    assert json.loads(run_row(store)["last_values"]) == {"_step": 3, "loss": 1.0}
    send(store, run_streams.HISTORY, 0, *steps[:3])  # again, after an outage
    assert json.loads(run_row(store)["last_values"]) == {"_step": 3, "loss": 1.0}


def test_output_lines_may_be_rewritten(store: Store) -> None:
    send(store, run_streams.OUTPUT, 0, "a", "10%")
    send(store, run_streams.OUTPUT, 1, "100%", "b")
    with store.reading() as db:
        assert list(streams.lines(db, run_row(store)["id"], run_streams.OUTPUT)) == ["a", "100%", "b"]


def test_summary_is_replaced_and_echoed_as_it_came(store: Store) -> None:
    send(store, run_streams.SUMMARY, 0, '{"a": 1, "b": 2}')
    send(store, run_streams.SUMMARY, 0, '{"b":  Infinity}')
    assert run_row(store)["summary"] == '{"b":  Infinity}'


@pytest.mark.parametrize("late", [{"carbs.state": "running", "step": 1}, {"step": 1}])
def test_acknowledged_record_survives_a_late_summary(store: Store, late: dict[str, Any]) -> None:
    """After an outage the SDK sends again what it had under way, older than what was recorded meanwhile."""
    record = {"carbs.state": "success", "carbs.objective": 0.5, "carbs.cost": 3.0}
    send(store, run_streams.SUMMARY, 0, '{"carbs.state": "running"}')
    runs.upsert(store, {"id": global_id("Run", run_row(store)["id"]), "summaryMetrics": json.dumps(record)})
    send(store, run_streams.SUMMARY, 0, json.dumps(late))
    assert json.loads(run_row(store)["summary"]) == {"step": 1, **record}
    # Newer lines go through: a corrected outcome, and an agent that takes its run up again.
    send(store, run_streams.SUMMARY, 0, '{"carbs.state": "success", "carbs.objective": 0.7, "carbs.cost": 3.0}')
    assert json.loads(run_row(store)["summary"])["carbs.objective"] == 0.7
    runs.upsert(store, {"id": global_id("Run", run_row(store)["id"]), "summaryMetrics": '{"carbs.state": "running"}'})
    assert json.loads(run_row(store)["summary"]) == {"carbs.state": "running"}


def test_complete_false_ends_nothing(store: Store) -> None:
    run_streams.stream(store, "local", "p", "r", {"complete": False, "failed": False, "dropped": 0})
    assert run_row(store)["state"] == "running"
    run_streams.stream(store, "local", "p", "r", {"complete": True, "exitcode": 3})
    assert (run_row(store)["state"], run_row(store)["exit_code"]) == ("failed", 3)


@pytest.mark.parametrize(
    "body",
    [
        [],
        None,
        {"files": [1]},
        {"files": {"f": 3}},
        {"files": {"f": {"offset": -1, "content": []}}},
        {"files": {"f": {"offset": 1.5, "content": []}}},
        {"files": {"f": {"offset": 10**30, "content": []}}},
        {"files": {"f": {"offset": 0, "content": [1]}}},
        {"files": {run_streams.SUMMARY: {"offset": 0, "content": ["[1]"]}}},
        {"files": {run_streams.HISTORY: {"offset": 0, "content": ["{"]}}},
        {"exitcode": "x"},
        {"exitcode": 10**30},
    ],
)
def test_malformed_stream_is_refused_whole(store: Store, body: Any) -> None:
    with pytest.raises(RequestError):
        run_streams.stream(store, "local", "p", "r", body)
    with store.reading() as db:
        assert runs.find(db, None, "p", "r") is None
