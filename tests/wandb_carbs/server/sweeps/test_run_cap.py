"""The number of runs that a sweep may have; a scheduler counts for itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from stored import make_run, make_sweep, run_row, sweep_row
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.ids import global_id
from wandb_carbs.server.sweeps import agents, sweeps

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store

CONFIG = {"method": "custom", "metric": {"name": "loss", "goal": "minimize"}, "run_cap": 2}
SCHEDULER = {"scheduler": {"engine": "optuna"}}


class Sweep:
    """A sweep with one agent, whose runs are enqueued one by one, as `wandb sweep-scheduler` does."""

    def __init__(self, store: Store, config: dict[str, Any]) -> None:
        self.store = store
        self.row = make_sweep(store, **config)
        self.agent = agents.create_agent(store, self.row["name"], "host")

    def enqueue(self) -> str:
        return sweeps.enqueue(self.store, {"id": global_id("Sweep", self.row["id"]), "config": json.dumps({"x": 1})})

    def beat(self, *alive: str) -> str:
        """Return the run that the agent gets or the command for it, or nothing."""
        commands = agents.heartbeat(self.store, self.agent, json.dumps(dict.fromkeys(alive, True)))
        return "".join(command.get("run_id") or command["type"] for command in commands)

    def end(self, name: str, state: str, summary: dict[str, Any]) -> None:
        make_run(self.store, name, summary=summary, sweep=self.row["name"], state=state)

    @property
    def state(self) -> str:
        return str(sweep_row(self.store, self.row["id"])["state"])


def test_scheduler_enqueues_beyond_the_cap_and_ends_the_sweep(store: Store) -> None:
    """It enqueues before it has seen that the last run has finished; no error must meet it then."""
    sweep = Sweep(store, {**CONFIG, **SCHEDULER})
    for _ in range(2):
        name = sweep.enqueue()
        assert sweep.beat() == name
        sweep.end(name, "finished", {"loss": 1.0})
    beyond = sweep.enqueue()
    sweeps.upsert(store, {"id": global_id("Sweep", sweep.row["id"]), "state": "FINISHED"})
    assert sweep.beat() == "exit"
    assert run_row(store, beyond)["state"] == "killed"
    with pytest.raises(RequestError, match="takes no more runs"):
        sweep.enqueue()


def test_agent_ends_the_sweep_of_a_scheduler_that_is_gone(store: Store) -> None:
    sweep = Sweep(store, {**CONFIG, **SCHEDULER})
    names = [sweep.enqueue() for _ in range(3)]
    for name in names[:2]:
        assert sweep.beat() == name
        sweep.end(name, "finished", {"loss": 1.0})
    assert sweep.state == "RUNNING"
    assert sweep.beat() == "exit"
    assert sweep.state == "FINISHED"
    assert run_row(store, names[2])["state"] == "killed"


@pytest.mark.parametrize(
    ("state", "summary"),
    [
        ("failed", {"loss": 1.0}),
        ("crashed", {}),
        ("finished", {}),
        ("finished", {"loss": "NaN"}),
        ("finished", {"inner": {"loss": 1.0}}),
    ],
)
def test_run_beyond_the_cap_starts_only_once_another_has_no_result(
    store: Store, state: str, summary: dict[str, Any]
) -> None:
    """The scheduler counts runs that have finished with the metric, and waits for as many."""
    sweep = Sweep(store, {**CONFIG, **SCHEDULER})
    first, second, third = [sweep.enqueue() for _ in range(3)]
    assert sweep.beat() == first
    sweep.end(first, "finished", {"loss": 1.0})
    assert sweep.beat() == second
    other = agents.create_agent(store, sweep.row["name"], "other")
    assert agents.heartbeat(store, other, "{}") == []  # the second may be the last
    make_run(store, second, summary={}, sweep=sweep.row["name"])
    assert agents.heartbeat(store, other, "{}") == []
    sweep.end(second, state, summary)
    (command,) = agents.heartbeat(store, other, "{}")
    assert command["run_id"] == third


def test_without_a_scheduler_a_run_beyond_the_cap_is_refused(store: Store) -> None:
    sweep = Sweep(store, CONFIG)
    for _ in range(2):
        sweep.enqueue()
    with pytest.raises(RequestError, match="as many runs as its run_cap 2"):
        sweep.enqueue()
