"""Sweeps whose runs a controller on the user's machine chooses."""

from __future__ import annotations

import json
from typing import Any

from stored import make_sweep, sweep_row
from wandb_carbs.server.store import runs
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.ids import global_id
from wandb_carbs.server.sweeps import agents, sweeps


def test_schedule_of_a_local_controller_is_what_agents_get(store: Store) -> None:
    row = make_sweep(store, controller={"type": "local"})
    sweep_id, sweep = row["id"], row["name"]
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
