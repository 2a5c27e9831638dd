"""Runs: upserts, stops, deletion."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stored import make_run, make_sweep, run_row, send
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import run_streams, runs
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.ids import global_id
from wandb_carbs.server.sweeps import agents


def test_upsert_by_name_replaces_the_config_and_null_keeps_it(store: Store) -> None:
    _, inserted = runs.upsert(store, {"name": "r", "modelName": "p", "config": '{"a": {"value": 1}}'})
    assert inserted
    _, inserted = runs.upsert(store, {"name": "r", "modelName": "p", "config": None, "displayName": "nice"})
    assert not inserted
    assert (run_row(store)["config"], run_row(store)["display_name"]) == ('{"a": {"value": 1}}', "nice")
    runs.upsert(store, {"name": "r", "modelName": "p", "config": "{}", "tags": ["t"]})
    assert (run_row(store)["config"], run_row(store)["tags"]) == ("{}", '["t"]')


def test_run_that_starts_again_keeps_the_suggestion_in_its_config(store: Store) -> None:
    key, values = {"entityName": "local", "modelName": "p", "name": "r"}, {"lr": 0.1, "layers": 2}
    runs.upsert(store, {**key, "summaryMetrics": json.dumps({"carbs.suggestion": json.dumps(values)})})
    runs.upsert(store, {**key, "config": '{"lr": {"value": 0.2}, "mine": {"value": 1}}'})
    assert json.loads(run_row(store)["config"]) == {
        "lr": {"value": 0.2},
        "layers": {"value": 2},
        "mine": {"value": 1},
    }
    runs.upsert(store, {**key, "summaryMetrics": '{"carbs.suggestion": [1]}'})
    runs.upsert(store, {**key, "config": "{}"})
    assert json.loads(run_row(store)["config"]) == {}


def test_upsert_by_id_is_no_sign_of_life(store: Store) -> None:
    run_streams.stream(store, "local", "p", "r", {"complete": True})
    before = run_row(store)
    runs.upsert(store, {"id": global_id("Run", before["id"]), "summaryMetrics": '{"a": 1}'})
    after = run_row(store)
    assert (after["state"], after["heartbeat_at"]) == ("finished", before["heartbeat_at"])
    assert after["summary"] == '{"a": 1}'


def test_resuming_run_gives_its_id_and_its_name(store: Store) -> None:
    run_streams.stream(store, "local", "p", "r", {"complete": True})
    runs.upsert(store, {"id": global_id("Run", run_row(store)["id"]), "name": "r", "modelName": "p"})
    assert run_row(store)["state"] == "running"


def test_resumed_run_forgets_the_stop_of_its_earlier_life(store: Store) -> None:
    run_streams.stream(store, "local", "p", "r", {})
    runs.stop(store, global_id("Run", run_row(store)["id"]))
    runs.upsert(store, {"name": "r", "modelName": "p"})
    assert run_streams.stream(store, "local", "p", "r", {"complete": True, "exitcode": 255}) == {"stopped": True}
    assert run_row(store)["state"] == "killed"
    runs.upsert(store, {"name": "r", "modelName": "p"})
    assert run_row(store)["state"] == "running"
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


def test_run_of_a_sweep_is_in_its_project_whatever_its_program_names(store: Store) -> None:
    """Programs set WANDB_PROJECT; the SDK goes on in the project of the reply."""
    sweep = make_sweep(store)
    run_id, inserted = runs.upsert(store, {"name": "r", "sweep": sweep["name"], "modelName": "q", "entityName": "team"})
    with store.reading() as db:
        run = db.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
        assert db.execute("SELECT count(*) FROM projects").fetchone()[0] == 1
    assert inserted
    assert (run["project_id"], run["sweep_id"]) == (sweep["project_id"], sweep["id"])
    assert runs.upsert(store, {"name": "r", "sweep": sweep["name"], "modelName": "p"}) == (run_id, False)


def test_delete_takes_the_lines_along(store: Store) -> None:
    send(store, run_streams.OUTPUT, 0, "a")
    runs.delete(store, global_id("Run", run_row(store)["id"]))
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM lines").fetchone()[0] == 0


def test_run_that_was_deleted_alive_does_not_come_back(store: Store) -> None:
    """Its process streams and upserts on; a run that had ended may be made anew."""
    send(store, run_streams.OUTPUT, 0, "a")
    runs.delete(store, global_id("Run", run_row(store)["id"]))
    for speak in (
        lambda: send(store, run_streams.OUTPUT, 1, "b"),
        lambda: runs.upsert(store, {"name": "r", "modelName": "p", "config": "{}"}),
    ):
        with pytest.raises(RequestError, match="run r was deleted while it was alive") as refused:
            speak()
        assert refused.value.status == 410
    with store.reading() as db:
        assert runs.find(db, None, "p", "r") is None
    make_run(store, "r", modelName="q")  # of another project
    ended = make_run(store, "ended", state="finished")
    runs.delete(store, global_id("Run", ended))
    assert make_run(store, "ended") != ended


def test_run_that_is_handed_out_again_begins_without_the_metrics_of_before(store: Store) -> None:
    """Its record stays, and the time by which its agent knows the old rows; and so does everything if it resumes."""
    sweep = make_sweep(store)
    for resumes in (False, True):
        agent = agents.create_agent(store, sweep["name"], "host")
        (command,) = agents.heartbeat(store, agent, "{}")
        name = command["run_id"]
        kept = {"_timestamp": 1000.5, "carbs.suggestion": "{}"}
        summary = {"loss": 1, **kept}
        make_run(store, name, {}, summary)
        run_streams.stream(store, "local", "p", name, {"preempting": True})
        run_streams.stream(store, "local", "p", name, {"complete": True, "exitcode": 1})
        (command,) = agents.heartbeat(store, agent, "{}")
        assert (command["type"], command["run_id"]) == ("resume", name)
        values = {"modelName": "p", "name": name}
        runs.upsert(store, {**values, "id": global_id("Run", run_row(store, name)["id"])} if resumes else values)
        found = json.loads(run_row(store, name)["summary"])
        assert found == (summary if resumes else kept)
        runs.upsert(store, {"modelName": "p", "name": name, "summaryMetrics": '{"loss": 2}'})
        runs.upsert(store, values)  # later words of the same process
        assert json.loads(run_row(store, name)["summary"])["loss"] == 2
        run_streams.stream(store, "local", "p", name, {"complete": True})
