"""Early stopping, targets, controllers and queues, as the agents and runs of a sweep see them."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from stored import begin_run, make_sweep, sweep_row
from wandb_carbs import metrics
from wandb_carbs.server.store import run_streams, runs
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.ids import global_id
from wandb_carbs.server.sweeps import agents, bands, stopping, sweeps

HYPERBAND = {"type": "hyperband", "min_iter": 2, "eta": 2}


def log(store: Store, run: str, offset: int, *losses: float, **more: Any) -> bool:
    """Stream values of a run, and return whether it is to stop."""
    lines = [json.dumps({"_step": offset + place, "loss": loss}) for place, loss in enumerate(losses)]
    files: dict[str, Any] = {run_streams.HISTORY: {"offset": offset, "content": lines}}
    files[run_streams.SUMMARY] = {"offset": 0, "content": [json.dumps({"loss": losses[-1]})]}
    return stopping.stream(store, "local", "p", run, {"files": files, **more}).get("stopped", False)


def test_hyperband_stops_the_worse_half(store: Store) -> None:
    sweep = make_sweep(store, metric={"name": "loss", "goal": "minimize"}, early_terminate=HYPERBAND)["name"]
    (_, good), (agent, bad) = begin_run(store, sweep), begin_run(store, sweep)
    assert log(store, good, 0, 3.0, 2.0) is False
    assert log(store, bad, 0, 5.0) is False
    assert log(store, bad, 1, 4.0) is True
    assert agents.heartbeat(store, agent, json.dumps({bad: True})) == [{"type": "stop", "run_id": bad}]
    assert log(store, good, 2, 1.0) is False


def test_hyperband_of_a_metric_to_maximize(store: Store) -> None:
    sweep = make_sweep(store, metric={"name": "loss", "goal": "maximize"}, early_terminate=HYPERBAND)["name"]
    (_, low), (_, high) = begin_run(store, sweep), begin_run(store, sweep)
    assert log(store, low, 0, 3.0, 2.0) is False
    assert log(store, high, 0, 5.0, 4.0) is False
    (_, third) = begin_run(store, sweep)
    assert log(store, third, 0, 4.0, 4.0) is True


@pytest.mark.parametrize("strict", [True, False])
def test_strict_hyperband_judges_by_the_band(store: Store, strict: bool) -> None:
    """A run that was worse at the band and better since goes on, unless hyperband is strict."""
    sweep = make_sweep(store, metric={"name": "loss"}, early_terminate={**HYPERBAND, "strict": strict})["name"]
    (_, first), (_, second) = begin_run(store, sweep), begin_run(store, sweep)
    log(store, first, 0, 3.0, 2.0)
    assert log(store, second, 0, 5.0, 4.0, 1.0) is strict


def test_run_that_begins_anew_is_judged_anew(store: Store) -> None:
    """Neither the best values nor the judgements of the process before count."""
    sweep = make_sweep(store, metric={"name": "loss"}, early_terminate=HYPERBAND)["name"]
    (_, run), (_, other) = begin_run(store, sweep), begin_run(store, sweep)
    log(store, run, 0, 1.0, 1.0, 1.0, 1.0, preempting=True, complete=True, exitcode=1)
    log(store, other, 0, 3.0, 2.0)
    (command,) = agents.heartbeat(store, agents.create_agent(store, sweep, "host"), "{}")
    assert (command["type"], command["run_id"]) == ("resume", run)
    runs.upsert(store, {"name": run, "modelName": "p", "config": '{"_wandb": {"value": {}}}'})
    lines = [json.dumps({"_step": step, "loss": 5.0}) for step in range(2)]
    files = {run_streams.HISTORY: {"offset": 4, "content": lines}}
    assert stopping.stream(store, "local", "p", run, {"files": files}) == {"stopped": True}


def test_history_is_read_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line is read when it is new, and again only until a band is reached or many lines have come."""
    monkeypatch.setattr(bands, "_KEPT_AFTER", 4)
    sweep = make_sweep(store, metric={"name": "loss"}, early_terminate={**HYPERBAND, "min_iter": 8})["name"]
    _, run = begin_run(store, sweep)
    seen: list[float] = []

    def note(row: Any, name: str) -> float | None:
        seen.append(row[name])
        return metrics.value_of(row, name)

    monkeypatch.setattr(bands, "value_of", note)
    for number in range(40):
        log(store, run, number, 100.0 - number)
    assert set(seen) == {100.0 - number for number in range(40)}
    assert len(seen) <= 40 * 4


def test_runs_from_before_there_were_bands_count(store: Store) -> None:
    row = make_sweep(store, metric={"name": "other"})
    sweep_id, sweep = row["id"], row["name"]
    (_, first), (_, second) = begin_run(store, sweep), begin_run(store, sweep)
    log(store, first, 0, 3.0, 2.0)
    values = {"method": "random", "parameters": {"x": {"values": [1, 2]}}, "early_terminate": HYPERBAND}
    config = json.dumps({**values, "metric": {"name": "loss"}})
    sweeps.upsert(store, {"id": global_id("Sweep", sweep_id), "config": config})
    assert log(store, second, 0, 5.0, 4.0) is True


def test_judging_keeps_no_other_writer_waiting(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = make_sweep(store, metric={"name": "loss"}, early_terminate=HYPERBAND)["name"]
    _, run = begin_run(store, sweep)
    written = threading.Event()

    def write() -> None:
        runs.upsert(store, {"name": "other", "modelName": "p"})
        written.set()

    def wait(row: Any, name: str) -> float | None:
        threading.Thread(target=write).start()
        assert written.wait(30)
        return metrics.value_of(row, name)

    monkeypatch.setattr(bands, "value_of", wait)
    log(store, run, 0, 1.0)
    assert written.is_set()


def test_ended_runs_are_not_stopped(store: Store) -> None:
    sweep = make_sweep(store, metric={"name": "loss"}, early_terminate=HYPERBAND)["name"]
    (_, first), (_, second) = begin_run(store, sweep), begin_run(store, sweep)
    log(store, first, 0, 3.0, 2.0)
    assert log(store, second, 0, 5.0, 4.0, complete=True, exitcode=0) is False


@pytest.mark.parametrize(("goal", "last"), [("minimize", 0.5), ("maximize", 2.0)])
def test_target_ends_the_sweep(store: Store, goal: str, last: float) -> None:
    row = make_sweep(store, metric={"name": "loss", "goal": goal, "target": last})
    sweep_id, sweep = row["id"], row["name"]
    agent, run = begin_run(store, sweep)
    log(store, run, 0, 1.0)
    assert sweep_row(store, sweep_id)["state"] == "RUNNING"
    log(store, run, 1, last, complete=True)
    assert sweep_row(store, sweep_id)["state"] == "FINISHED"
    assert agents.heartbeat(store, agent, "{}") == [{"type": "exit"}]


def test_target_is_not_reached_by_a_mean(store: Store) -> None:
    """`run.define_metric("loss", summary="mean")` keeps the last value out of the summary."""
    row = make_sweep(store, metric={"name": "loss", "goal": "minimize", "target": 1.0})
    _, run = begin_run(store, row["name"])

    def stream(offset: int, loss: float, mean: float) -> str:
        files = {
            run_streams.HISTORY: {"offset": offset, "content": [json.dumps({"_step": offset, "loss": loss})]},
            run_streams.SUMMARY: {"offset": 0, "content": [json.dumps({"loss": {"mean": mean}})]},
        }
        stopping.stream(store, "local", "p", run, {"files": files})
        state: str = sweep_row(store, row["id"])["state"]
        return state

    assert stream(0, 2.0, 0.5) == "RUNNING"
    assert stream(1, 0.5, 1.25) == "FINISHED"
