"""A deleted sweep is gone with its runs; one at work is not deleted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from stored import begin_run, make_run, make_sweep
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import run_streams
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.files import RunFiles
from wandb_carbs.server.store.ids import global_id
from wandb_carbs.server.sweeps import agents, sweeps
from wandb_carbs.server.sweeps.deletion import delete

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def files(store: Store, tmp_path: Path) -> RunFiles:
    return RunFiles(store, tmp_path / "files", lambda: "key")


def rows(store: Store, table: str) -> list[Any]:
    with store.reading() as db:
        return db.execute(f"SELECT * FROM {table}").fetchall()


def test_sweep_goes_with_its_agents_its_runs_and_their_files(store: Store, files: RunFiles) -> None:
    sweep, other = make_sweep(store), make_sweep(store)
    agents.create_agent(store, sweep["name"], "host")
    make_run(store, "mine", sweep=sweep["name"], state="finished")
    make_run(store, "theirs", sweep=other["name"])
    (mine, _) = rows(store, "runs")
    with files.begin() as upload:
        upload.write(b"text")
        files.keep(upload, mine["id"], "a.txt")
    identifier = global_id("Sweep", sweep["id"])
    sweeps.upsert(store, {"id": identifier, "state": "FINISHED"})
    delete(store, files, identifier)
    assert [row["name"] for row in rows(store, "runs")] == ["theirs"]
    assert [row["name"] for row in rows(store, "sweeps")] == [other["name"]]
    assert (rows(store, "agents"), rows(store, "files")) == ([], [])
    assert not files.path(mine["id"], "a.txt").exists()
    delete(store, files, identifier)  # what is gone is as the client wants it


def test_run_that_another_sweep_took_over_stays_there(store: Store, files: RunFiles) -> None:
    sweep = make_sweep(store)
    _, name = begin_run(store, sweep["name"])
    run_streams.stream(store, "local", "p", name, {"complete": True, "exitcode": 0})
    heir, _ = sweeps.upsert(
        store, {"projectName": "p", "config": sweep["config"], "priorRunsFilters": json.dumps({"name": name})}
    )
    identifier = global_id("Sweep", sweep["id"])
    sweeps.upsert(store, {"id": identifier, "state": "CANCELED"})
    delete(store, files, identifier)
    (run,) = rows(store, "runs")
    assert (run["name"], run["sweep_id"], run["agent_id"]) == (name, heir, None)
    assert (rows(store, "agents"), [row["id"] for row in rows(store, "sweeps")]) == ([], [heir])


@pytest.mark.parametrize(
    ("state", "run_state"), [("RUNNING", "finished"), ("PAUSED", "finished"), ("FINISHED", "running")]
)
def test_sweep_at_work_is_not_deleted(store: Store, files: RunFiles, state: str, run_state: str) -> None:
    sweep = make_sweep(store)
    make_run(store, "r", sweep=sweep["name"], state=run_state)
    identifier = global_id("Sweep", sweep["id"])
    sweeps.upsert(store, {"id": identifier, "state": state})
    with pytest.raises(
        RequestError, match=f"is {state}, and {int(run_state == 'running')} of its runs are alive; stop"
    ):
        delete(store, files, identifier)
    assert len(rows(store, "runs")) == len(rows(store, "sweeps")) == 1


def test_an_id_of_no_sweep_is_an_error(store: Store, files: RunFiles) -> None:
    with pytest.raises(RequestError):
        delete(store, files, "nosuch")
