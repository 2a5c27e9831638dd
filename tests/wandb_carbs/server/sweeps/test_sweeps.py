"""Making and changing sweeps."""

from __future__ import annotations

import json

import pytest

from stored import make_sweep, sweep_row
from wandb_carbs.server.errors import RequestError, UnsupportedError
from wandb_carbs.server.store import runs
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.ids import global_id
from wandb_carbs.server.sweeps import agents, sweeps


def test_refused_sweep_leaves_nothing_behind(store: Store) -> None:
    for config in ("{", "[]", "{method: random}", "{method: random, run_cap: 0, parameters: {x: {value: 1}}}"):
        with pytest.raises(RequestError, match="invalid sweep config"):
            sweeps.upsert(store, {"projectName": "p", "config": config})
    with pytest.raises(RequestError, match="state"):
        sweeps.upsert(store, {"config": "{method: random, parameters: {x: {value: 1}}}", "state": "ASLEEP"})
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM sweeps").fetchone()[0] == 0


@pytest.mark.parametrize(
    "config",
    [
        {"method": "custom"},
        {"method": "bayes", "metric": {"name": "loss"}, "scheduler": {"engine": "wandb"}},
    ],
)
def test_queue_is_all_that_a_sweep_with_a_scheduler_hands_out(store: Store, config: dict[str, object]) -> None:
    row = make_sweep(store, run_cap=2, **config)
    sweep_id, sweep = row["id"], row["name"]
    agent = agents.create_agent(store, sweep, "host")
    assert agents.heartbeat(store, agent, "{}") == []
    values = {"id": global_id("Sweep", sweep_id), "config": '{"x": {"value": 7}, "y": 8}', "displayName": "mine"}
    name = sweeps.enqueue(store, values)
    (command,) = agents.heartbeat(store, agent, "{}")
    assert (command["run_id"], command["args"]) == (name, {"x": {"value": 7}, "y": {"value": 8}})
    with pytest.raises(RequestError, match="config must be a JSON object"):
        sweeps.enqueue(store, {**values, "config": "[]"})
    sweeps.upsert(store, {"id": values["id"], "state": "FINISHED"})
    with pytest.raises(RequestError, match="takes no more runs"):
        sweeps.enqueue(store, values)


def test_sweep_that_a_run_queue_is_to_start_is_refused(store: Store) -> None:
    """`wandb launch-sweep` would say that it was started."""
    config = json.dumps({"method": "random", "parameters": {"x": {"value": 1}}})
    values = {"projectName": "p", "config": config}
    with pytest.raises(UnsupportedError, match="no run queues"):
        sweeps.upsert(store, {**values, "launchScheduler": '{"queue": "q"}'})
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM sweeps").fetchone()[0] == 0
    sweeps.upsert(store, {**values, "launchScheduler": "null"})


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
