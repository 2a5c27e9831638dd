from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import run_streams, runs, streams
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.ids import global_id
from wandb_carbs.server.sweeps import sweeps

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "db")
    yield store
    store.close()


def row(store: Store, name: str = "r") -> sqlite3.Row:
    with store.reading() as db:
        found = runs.find(db, None, "p", name)
    assert found is not None
    return found


def send(store: Store, file: str, offset: int, *lines: str) -> None:
    run_streams.stream(store, "local", "p", "r", {"files": {file: {"offset": offset, "content": list(lines)}}})


def test_lines_are_written_by_offset(store: Store) -> None:
    steps = [json.dumps({"_step": step, "loss": 1.0}) for step in range(4)]
    send(store, run_streams.HISTORY, 0, *steps[:3])
    send(store, run_streams.HISTORY, 0, *steps[:3])
    send(store, run_streams.HISTORY, 2, *steps[2:])
    with store.reading() as db:
        assert streams.lines(db, row(store)["id"], run_streams.HISTORY) == steps
    assert row(store)["history_lines"] == 4
    assert row(store)["last_step"] == 3
    assert json.loads(row(store)["history_keys"]) == ["_step", "loss"]


def test_output_lines_may_be_rewritten(store: Store) -> None:
    send(store, run_streams.OUTPUT, 0, "a", "10%")
    send(store, run_streams.OUTPUT, 1, "100%", "b")
    with store.reading() as db:
        assert streams.lines(db, row(store)["id"], run_streams.OUTPUT) == ["a", "100%", "b"]


def test_summary_is_replaced_and_echoed_as_it_came(store: Store) -> None:
    send(store, run_streams.SUMMARY, 0, '{"a": 1, "b": 2}')
    send(store, run_streams.SUMMARY, 0, '{"b":  Infinity}')
    assert row(store)["summary"] == '{"b":  Infinity}'


@pytest.mark.parametrize("late", [{"carbs.state": "running", "step": 1}, {"step": 1}])
def test_acknowledged_record_survives_a_late_summary(store: Store, late: dict[str, Any]) -> None:
    """After an outage the SDK sends again what it had under way, older than what was recorded meanwhile."""
    record = {"carbs.state": "success", "carbs.objective": 0.5, "carbs.cost": 3.0}
    send(store, run_streams.SUMMARY, 0, '{"carbs.state": "running"}')
    runs.upsert(store, {"id": global_id("Run", row(store)["id"]), "summaryMetrics": json.dumps(record)})
    send(store, run_streams.SUMMARY, 0, json.dumps(late))
    assert json.loads(row(store)["summary"]) == {"step": 1, **record}
    # What is newer goes through: a corrected outcome, and an agent that takes its run up again.
    send(store, run_streams.SUMMARY, 0, '{"carbs.state": "success", "carbs.objective": 0.7, "carbs.cost": 3.0}')
    assert json.loads(row(store)["summary"])["carbs.objective"] == 0.7
    runs.upsert(store, {"id": global_id("Run", row(store)["id"]), "summaryMetrics": '{"carbs.state": "running"}'})
    assert json.loads(row(store)["summary"]) == {"carbs.state": "running"}


def test_complete_false_ends_nothing(store: Store) -> None:
    run_streams.stream(store, "local", "p", "r", {"complete": False, "failed": False, "dropped": 0})
    assert row(store)["state"] == "running"
    run_streams.stream(store, "local", "p", "r", {"complete": True, "exitcode": 3})
    assert (row(store)["state"], row(store)["exit_code"]) == ("failed", 3)


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


def test_upsert_by_name_replaces_the_config_and_null_keeps_it(store: Store) -> None:
    _, inserted = runs.upsert(store, {"name": "r", "modelName": "p", "config": '{"a": {"value": 1}}'})
    assert inserted
    _, inserted = runs.upsert(store, {"name": "r", "modelName": "p", "config": None, "displayName": "nice"})
    assert not inserted
    assert (row(store)["config"], row(store)["display_name"]) == ('{"a": {"value": 1}}', "nice")
    runs.upsert(store, {"name": "r", "modelName": "p", "config": "{}", "tags": ["t"]})
    assert (row(store)["config"], row(store)["tags"]) == ("{}", '["t"]')


def test_run_that_starts_again_keeps_the_suggestion_in_its_config(store: Store) -> None:
    key, values = {"entityName": "local", "modelName": "p", "name": "r"}, {"lr": 0.1, "layers": 2}
    runs.upsert(store, {**key, "summaryMetrics": json.dumps({"carbs.suggestion": json.dumps(values)})})
    runs.upsert(store, {**key, "config": '{"lr": {"value": 0.2}, "mine": {"value": 1}}'})
    assert json.loads(row(store)["config"]) == {
        "lr": {"value": 0.2},
        "layers": {"value": 2},
        "mine": {"value": 1},
    }
    runs.upsert(store, {**key, "summaryMetrics": '{"carbs.suggestion": [1]}'})
    runs.upsert(store, {**key, "config": "{}"})
    assert json.loads(row(store)["config"]) == {}


def test_upsert_by_id_is_no_sign_of_life(store: Store) -> None:
    run_streams.stream(store, "local", "p", "r", {"complete": True})
    before = row(store)
    runs.upsert(store, {"id": global_id("Run", before["id"]), "summaryMetrics": '{"a": 1}'})
    after = row(store)
    assert (after["state"], after["heartbeat_at"]) == ("finished", before["heartbeat_at"])
    assert after["summary"] == '{"a": 1}'


def test_resuming_run_gives_its_id_and_its_name(store: Store) -> None:
    run_streams.stream(store, "local", "p", "r", {"complete": True})
    runs.upsert(store, {"id": global_id("Run", row(store)["id"]), "name": "r", "modelName": "p"})
    assert row(store)["state"] == "running"


def test_resumed_run_forgets_the_stop_of_its_earlier_life(store: Store) -> None:
    run_streams.stream(store, "local", "p", "r", {})
    runs.stop(store, global_id("Run", row(store)["id"]))
    runs.upsert(store, {"name": "r", "modelName": "p"})
    assert run_streams.stream(store, "local", "p", "r", {"complete": True, "exitcode": 255}) == {"stopped": True}
    assert row(store)["state"] == "killed"
    runs.upsert(store, {"name": "r", "modelName": "p"})
    assert row(store)["state"] == "running"
    assert run_streams.stream(store, "local", "p", "r", {}) == {}


@pytest.mark.parametrize(
    "values",
    [
        {"name": "a/b"},
        {"name": ".."},
        {"name": "x" * 129},
        {"name": "a\nb"},
        {"name": "r", "modelName": "a?b"},
        {"name": "r", "config": "[]"},
        {"name": "r", "config": "{"},
        {"name": "r", "sweep": "nosuch"},
        {"id": "nosuch"},
        {"id": global_id("Run", 99)},
    ],
)
def test_malformed_upsert_changes_nothing(store: Store, values: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        runs.upsert(store, values)
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM runs").fetchone()[0] == 0


def test_delete_takes_the_lines_along(store: Store) -> None:
    send(store, run_streams.OUTPUT, 0, "a")
    runs.delete(store, global_id("Run", row(store)["id"]))
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM lines").fetchone()[0] == 0


def test_history_is_sampled_by_keys_steps_and_count(store: Store) -> None:
    lines = [json.dumps({"_step": s, "loss": float(s), **({"acc": s} if s % 2 else {})}) for s in range(10)]
    send(store, run_streams.HISTORY, 0, *lines, '{"_step": 10, "loss": NaN}')
    run_id = row(store)["id"]
    with store.reading() as db:
        specs = ['{"keys": ["acc", "_step"], "samples": 3}', '{"minStep": 9, "maxStep": 10}']
        by_keys, by_steps = streams.sampled_rows(db, run_id, specs)
        assert [r["acc"] for r in by_keys] == [1, 5, 9]
        assert by_steps[1] == {"_step": 10, "loss": "NaN"}
        assert len(streams.sampled_lines(db, run_id, run_streams.HISTORY, 4, (None, None))) == 4
        assert streams.sampled_lines(db, run_id, run_streams.HISTORY, 1, (None, None)) == ['{"_step": 10, "loss": NaN}']
        with pytest.raises(RequestError):
            streams.sampled_rows(db, run_id, ['{"samples": "many"}'])


def test_refused_sweep_leaves_nothing_behind(store: Store) -> None:
    for config in ("{", "[]", "{method: random}", "{method: random, run_cap: 0, parameters: {x: {value: 1}}}"):
        with pytest.raises(RequestError, match="invalid sweep config"):
            sweeps.upsert(store, {"projectName": "p", "config": config})
    with pytest.raises(RequestError, match="state"):
        sweeps.upsert(store, {"config": "{method: random, parameters: {x: {value: 1}}}", "state": "ASLEEP"})
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM sweeps").fetchone()[0] == 0


def test_newer_database_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "new")
    with store.transaction() as db:
        db.execute("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(RequestError, match="schema version 99"):
        Store(tmp_path / "new")


def test_nested_transaction_rolls_back_with_the_outer_one(store: Store) -> None:
    def fail() -> None:
        with store.transaction():
            runs.upsert(store, {"name": "r", "modelName": "p"})
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM runs").fetchone()[0] == 0
