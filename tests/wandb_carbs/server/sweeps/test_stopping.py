"""Early stopping, targets, controllers and queues, as the agents and runs of a sweep see them."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import run_streams, runs
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.ids import global_id
from wandb_carbs.server.sweeps import agents, bands, stopping, sweeps

if TYPE_CHECKING:
    pass

HYPERBAND = {"type": "hyperband", "min_iter": 2, "eta": 2}


def make(store: Store, **config: Any) -> tuple[int, str]:
    config = {"method": "random", "parameters": {"x": {"values": [1, 2]}}, **config}
    sweep_id, _ = sweeps.upsert(store, {"projectName": "p", "config": json.dumps(config)})
    return sweep_id, sweep_row(store, sweep_id)["name"]


def sweep_row(store: Store, sweep_id: int) -> Any:
    with store.reading() as db:
        return db.execute("SELECT * FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()


def log(store: Store, run: str, offset: int, *losses: float, **more: Any) -> bool:
    """Stream values of a run, and return whether it is to stop."""
    lines = [json.dumps({"_step": offset + place, "loss": loss}) for place, loss in enumerate(losses)]
    files: dict[str, Any] = {run_streams.HISTORY: {"offset": offset, "content": lines}}
    files[run_streams.SUMMARY] = {"offset": 0, "content": [json.dumps({"loss": losses[-1]})]}
    return stopping.stream(store, "local", "p", run, {"files": files, **more}).get("stopped", False)


def begin(store: Store, sweep: str) -> tuple[str, str]:
    """Start an agent and a run of it."""
    agent = agents.create_agent(store, sweep, "host")
    (command,) = agents.heartbeat(store, agent, "{}")
    runs.upsert(store, {"name": command["run_id"], "modelName": "p", "sweep": sweep})
    return agent, command["run_id"]


def test_hyperband_stops_the_worse_half(store: Store) -> None:
    _, sweep = make(store, metric={"name": "loss", "goal": "minimize"}, early_terminate=HYPERBAND)
    (_, good), (agent, bad) = begin(store, sweep), begin(store, sweep)
    assert log(store, good, 0, 3.0, 2.0) is False
    assert log(store, bad, 0, 5.0) is False
    assert log(store, bad, 1, 4.0) is True
    assert agents.heartbeat(store, agent, json.dumps({bad: True})) == [{"type": "stop", "run_id": bad}]
    assert log(store, good, 2, 1.0) is False


def test_hyperband_of_a_metric_to_maximize(store: Store) -> None:
    _, sweep = make(store, metric={"name": "loss", "goal": "maximize"}, early_terminate=HYPERBAND)
    (_, low), (_, high) = begin(store, sweep), begin(store, sweep)
    assert log(store, low, 0, 3.0, 2.0) is False
    assert log(store, high, 0, 5.0, 4.0) is False
    (_, third) = begin(store, sweep)
    assert log(store, third, 0, 4.0, 4.0) is True


@pytest.mark.parametrize("strict", [True, False])
def test_strict_hyperband_judges_by_the_band(store: Store, strict: bool) -> None:
    """A run that was worse at the band and better since goes on, unless hyperband is strict."""
    _, sweep = make(store, metric={"name": "loss"}, early_terminate={**HYPERBAND, "strict": strict})
    (_, first), (_, second) = begin(store, sweep), begin(store, sweep)
    log(store, first, 0, 3.0, 2.0)
    assert log(store, second, 0, 5.0, 4.0, 1.0) is strict


def test_history_is_read_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line is read when it is new, and again only until a band is reached or many lines have come."""
    monkeypatch.setattr(bands, "_KEPT_AFTER", 4)
    _, sweep = make(store, metric={"name": "loss"}, early_terminate={**HYPERBAND, "min_iter": 8})
    _, run = begin(store, sweep)
    seen: list[float] = []

    def note(row: Any, name: str) -> float | None:
        seen.append(row[name])
        return sweeps.value_of(row, name)

    monkeypatch.setattr(bands, "value_of", note)
    for number in range(40):
        log(store, run, number, 100.0 - number)
    assert set(seen) == {100.0 - number for number in range(40)}
    assert len(seen) <= 40 * 4


def test_runs_from_before_there_were_bands_count(store: Store) -> None:
    sweep_id, sweep = make(store, metric={"name": "other"})
    (_, first), (_, second) = begin(store, sweep), begin(store, sweep)
    log(store, first, 0, 3.0, 2.0)
    values = {"method": "random", "parameters": {"x": {"values": [1, 2]}}, "early_terminate": HYPERBAND}
    config = json.dumps({**values, "metric": {"name": "loss"}})
    sweeps.upsert(store, {"id": global_id("Sweep", sweep_id), "config": config})
    assert log(store, second, 0, 5.0, 4.0) is True


def test_judging_keeps_no_other_writer_waiting(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _, sweep = make(store, metric={"name": "loss"}, early_terminate=HYPERBAND)
    _, run = begin(store, sweep)
    written = threading.Event()

    def write() -> None:
        runs.upsert(store, {"name": "other", "modelName": "p"})
        written.set()

    def wait(row: Any, name: str) -> float | None:
        threading.Thread(target=write).start()
        assert written.wait(30)
        return sweeps.value_of(row, name)

    monkeypatch.setattr(bands, "value_of", wait)
    log(store, run, 0, 1.0)
    assert written.is_set()


def test_ended_runs_are_not_stopped(store: Store) -> None:
    _, sweep = make(store, metric={"name": "loss"}, early_terminate=HYPERBAND)
    (_, first), (_, second) = begin(store, sweep), begin(store, sweep)
    log(store, first, 0, 3.0, 2.0)
    assert log(store, second, 0, 5.0, 4.0, complete=True, exitcode=0) is False


@pytest.mark.parametrize(("goal", "last"), [("minimize", 0.5), ("maximize", 2.0)])
def test_target_ends_the_sweep(store: Store, goal: str, last: float) -> None:
    sweep_id, sweep = make(store, metric={"name": "loss", "goal": goal, "target": last})
    agent, run = begin(store, sweep)
    log(store, run, 0, 1.0)
    assert sweep_row(store, sweep_id)["state"] == "RUNNING"
    log(store, run, 1, last, complete=True)
    assert sweep_row(store, sweep_id)["state"] == "FINISHED"
    assert agents.heartbeat(store, agent, "{}") == [{"type": "exit"}]


def test_nested_metric() -> None:
    assert sweeps.value_of({"a": {"b": 2}}, "a.b") == 2.0
    assert sweeps.value_of({"a.b": 3, "a": {"b": 2}}, "a.b") == 3.0
    for odd in ({"a": 1}, {"a": {"b": True}}, {"a": {"b": "NaN"}}, {"a": {"b": 10**400}}, {}):
        assert sweeps.value_of(odd, "a.b") is None


def test_queue_is_all_that_a_custom_sweep_hands_out(store: Store) -> None:
    sweep_id, sweep = make(store, method="custom", run_cap=2)
    agent = agents.create_agent(store, sweep, "host")
    assert agents.heartbeat(store, agent, "{}") == []
    values = {"id": global_id("Sweep", sweep_id), "config": '{"x": {"value": 7}, "y": 8}', "displayName": "mine"}
    name = sweeps.enqueue(store, values)
    (command,) = agents.heartbeat(store, agent, "{}")
    assert (command["run_id"], command["args"]) == (name, {"x": {"value": 7}, "y": {"value": 8}})
    sweeps.enqueue(store, values)
    with pytest.raises(RequestError, match="run_cap 2"):
        sweeps.enqueue(store, values)
    with pytest.raises(RequestError, match="config must be a JSON object"):
        sweeps.enqueue(store, {**values, "config": "[]"})
    sweeps.upsert(store, {"id": values["id"], "state": "FINISHED"})
    with pytest.raises(RequestError, match="takes no more runs"):
        sweeps.enqueue(store, values)


def test_schedule_of_a_local_controller_is_what_agents_get(store: Store) -> None:
    sweep_id, sweep = make(store, controller={"type": "local"})
    identifier = global_id("Sweep", sweep_id)
    agent = agents.create_agent(store, sweep, "host")
    assert agents.heartbeat(store, agent, "{}") == []

    def schedule(key: str, args: Any, *stop: str) -> None:
        plan = {"schedule": [{"id": key, "data": {"args": args}}], "earlystop": list(stop)}
        sweeps.upsert(store, {"id": identifier, "controller": json.dumps(plan)})

    schedule("one", {"x": {"value": 5}})
    (command,) = agents.heartbeat(store, agent, "{}")
    assert command["args"] == {"x": {"value": 5}}
    scheduled = json.loads(sweep_row(store, sweep_id)["scheduler"])["scheduled"]
    assert scheduled == [{"id": "one", "runid": command["run_id"]}]
    other = agents.create_agent(store, sweep, "host")
    assert agents.heartbeat(store, other, "{}") == []
    runs.upsert(store, {"name": command["run_id"], "modelName": "p", "sweep": sweep})
    schedule("one", {"x": {"value": 5}}, command["run_id"])
    assert agents.heartbeat(store, agent, json.dumps({command["run_id"]: True})) == [
        {"type": "stop", "run_id": command["run_id"]}
    ]
    schedule("two", None)
    assert agents.heartbeat(store, other, "{}") == [{"type": "exit"}]
    assert sweep_row(store, sweep_id)["state"] == "FINISHED"


def test_prior_runs(store: Store) -> None:
    """A run is moved with a warning where another sweep loses it; one that does not exist is an error."""
    for name in ("a", "b"):
        runs.upsert(store, {"name": name, "modelName": "p"})
    config = json.dumps({"method": "random", "parameters": {"x": {"value": 1}}})

    def attach(*names: str) -> tuple[int, list[str]]:
        prior = json.dumps({"$or": [{"name": name} for name in names]})
        return sweeps.upsert(store, {"projectName": "p", "config": config, "priorRunsFilters": prior})

    first, warnings = attach("a")
    assert warnings == []
    second, warnings = attach("a", "b")
    assert warnings == [f"run a has been moved here from sweep {sweep_row(store, first)['name']}"]
    with pytest.raises(RequestError, match="no run c, d"):
        attach("a", "c", "d")
    with store.reading() as db:
        assert [row["sweep_id"] for row in db.execute("SELECT sweep_id FROM runs ORDER BY name")] == [second, second]
        assert db.execute("SELECT count(*) FROM sweeps").fetchone()[0] == 2


def test_grid_leaves_out_what_prior_runs_have_run(store: Store) -> None:
    runs.upsert(store, {"name": "a", "modelName": "p", "config": '{"x": {"value": 2}, "seed": {"value": 3}}'})
    config = json.dumps({"method": "grid", "parameters": {"x": {"values": [1, 2, 3]}}})
    sweep_id, _ = sweeps.upsert(
        store, {"projectName": "p", "config": config, "priorRunsFilters": '{"$or": [{"name": "a"}]}'}
    )
    sweep = sweep_row(store, sweep_id)["name"]
    found = []
    for _ in range(3):
        (command,) = agents.heartbeat(store, agents.create_agent(store, sweep, "host"), "{}")
        found.append(command.get("args"))
        if command["type"] == "run":
            runs.upsert(store, {"name": command["run_id"], "modelName": "p", "sweep": sweep})
    assert found == [{"x": {"value": 1}}, {"x": {"value": 3}}, None]
