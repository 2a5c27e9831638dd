"""The mutations: what clients may change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from stored import ask, make_run, make_sweep, run_row
from wandb_carbs.server.store import alerts
from wandb_carbs.server.store.ids import global_id

if TYPE_CHECKING:
    from pathlib import Path

    from wandb_carbs.server.store.database import Store

UPSERT = """mutation M($i: UpsertBucketInput!) { upsertBucket(input: $i) {
    bucket { id name displayName project { name entity { name } } historyLineCount } inserted } }"""


def change(store: Store, query: str, **variables: Any) -> Any:
    reply = ask(store, query, **variables)
    assert "errors" not in reply.body, reply.body
    return reply.body["data"]


def test_upserted_run_is_answered_with_its_place(store: Store) -> None:
    """Without the names of run, project and entity in the reply the SDK would lose what it logs without a word."""
    made = change(store, UPSERT, i={"name": "r", "modelName": "p", "entityName": None})["upsertBucket"]
    assert made["inserted"] is True
    assert made["bucket"]["name"] == "r"
    assert made["bucket"]["project"] == {"name": "p", "entity": {"name": "local"}}
    assert made["bucket"]["historyLineCount"] == 0
    assert change(store, UPSERT, i={"name": "r", "modelName": "p"})["upsertBucket"]["inserted"] is False


def test_refused_upsert_changes_nothing(store: Store) -> None:
    reply = ask(store, UPSERT, i={"name": "r", "modelName": "p", "config": "[1]"})
    assert reply.status == 400
    assert ask(store, '{ project(name: "p") { name } }').body["data"] == {"project": None}


def test_project_is_inserted_once(store: Store) -> None:
    query = 'mutation { upsertModel(input: {name: "p"}) { inserted project { name } } }'
    assert change(store, query)["upsertModel"] == {"inserted": True, "project": {"name": "p"}}
    assert change(store, query)["upsertModel"]["inserted"] is False


def test_agent_is_told_what_to_run(store: Store) -> None:
    sweep = make_sweep(store)["name"]
    create = 'mutation A($s: String!) { createAgent(input: {sweep: $s, host: "h"}) { agent { id } } }'
    agent = change(store, create, s=sweep)["createAgent"]["agent"]["id"]
    beat = """mutation B($i: ID!, $r: JSONString) { agentHeartbeat(input: {id: $i, runState: $r}) {
        agent { id } commands } }"""
    (command,) = json.loads(change(store, beat, i=agent, r="{}")["agentHeartbeat"]["commands"])  # a text, and one only
    assert command["type"] == "run"
    assert set(command["args"]["x"]) == {"value"}
    again = change(store, beat, i=agent, r=json.dumps({command["run_id"]: True}))["agentHeartbeat"]
    assert (again["commands"], again["agent"]["id"]) == ("[]", agent)
    assert ask(store, create, s="nosuch").status == ask(store, beat, i="nosuch", r="{}").status == 404


def test_files_get_an_address_each(store: Store) -> None:
    make_run(store, "r")
    query = """mutation F($r: String!) { createRunFiles(input: {projectName: "p", runName: $r, files: ["a", "b/c"]}) {
        runID uploadHeaders files { name uploadUrl } } }"""
    made = change(store, query, r="r")["createRunFiles"]
    assert [file["name"] for file in made["files"]] == ["a", "b/c"]
    assert all(file["uploadUrl"].startswith("http://here/storage/1/") for file in made["files"])
    assert made["uploadHeaders"] == []
    assert ask(store, query, r="nosuch").status == 404


def test_stopped_run_is_asked_to_stop(store: Store) -> None:
    run = global_id("Run", make_run(store, "r"))
    query = "mutation S($i: ID!) { stopRun(input: {id: $i}) { success } }"
    assert change(store, query, i=run)["stopRun"]["success"] is True
    assert run_row(store)["stop_requested"] == 1
    assert ask(store, query, i=global_id("Run", 99)).status == 404


def test_run_is_deleted_once_and_again(store: Store, tmp_path: Path) -> None:
    run = global_id("Run", make_run(store, "r", state="finished"))
    query = 'mutation D($i: ID!) { deleteRun(input: {id: $i, clientMutationId: "7"}) { clientMutationId } }'
    for _ in range(2):  # what is gone already is as the client wants it
        reply = ask(store, query, tmp_path, i=run)
        assert reply.body == {"data": {"deleteRun": {"clientMutationId": "7"}}}
    assert ask(store, '{ project(name: "p") { runCount } }').body["data"]["project"]["runCount"] == 0


@pytest.mark.parametrize(
    ("state", "asked", "status"),
    [("running", "failed", 200), ("crashed", "pending", 200), ("finished", "failed", 400), ("running", "nosuch", 400)],
)
def test_state_of_a_run_is_set_where_it_may(store: Store, state: str, asked: str, status: int) -> None:
    run = global_id("Run", make_run(store, "r", state=state))
    query = "mutation U($i: ID!, $s: String!) { updateRunState(input: {id: $i, state: $s}) { success } }"
    assert ask(store, query, i=run, s=asked).status == status
    assert run_row(store)["state"] == (asked if status == 200 else state)


@pytest.mark.parametrize("wait", [60_000, 500.5, None])
def test_alert_is_kept_whatever_its_pause(store: Store, wait: float | None) -> None:
    """The SDK sends how long it is silent afterwards as a number of milliseconds."""
    query = """mutation NotifyScriptableRunAlert($runName: String!, $title: String!, $text: String!,
        $severity: AlertSeverity = INFO, $waitDuration: Duration) { notifyScriptableRunAlert(input: {
        projectName: "p", runName: $runName, title: $title, text: $text, severity: $severity,
        waitDuration: $waitDuration}) { success } }"""
    run_id = make_run(store, "r")
    change(store, query, runName="r", title="trouble", text="loss", waitDuration=wait)
    with store.reading() as db:
        assert [(row["title"], row["severity"]) for row in alerts.of_run(db, run_id)] == [("trouble", "INFO")]
