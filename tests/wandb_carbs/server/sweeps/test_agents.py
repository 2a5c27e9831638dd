"""Agents that live, die, and lose replies; time is a number here."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from stored import sweep_row
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import run_states, run_streams, runs
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.ids import global_id
from wandb_carbs.server.sweeps import agents, sweeps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class World:
    """A store with one sweep, and a clock that only the test moves."""

    def __init__(self, folder: Path) -> None:
        self.time = 1_800_000_000.0
        self.path = folder / "db"
        self.store = Store(self.path, lambda: self.time)
        self.sweep = ""
        self.sweep_id = ""

    def restart(self) -> None:
        self.store.close()
        self.store = Store(self.path, lambda: self.time)

    def create(self, config: str = "{method: random, parameters: {x: {min: 0.0, max: 1.0}}}") -> None:
        row, _ = sweeps.upsert(self.store, {"projectName": "p", "config": config})
        self.sweep_id = global_id("Sweep", row)
        with self.store.reading() as db:
            self.sweep = db.execute("SELECT name FROM sweeps WHERE id = ?", (row,)).fetchone()["name"]

    def agent(self) -> str:
        return agents.create_agent(self.store, self.sweep, "host")

    def beat(self, agent: str, *alive: str) -> list[dict[str, Any]]:
        return agents.heartbeat(self.store, agent, json.dumps(dict.fromkeys(alive, True)))

    def work(self, agent: str) -> str:
        (command,) = self.beat(agent)
        assert command["type"] in {"run", "resume"}
        name = command["run_id"]
        assert isinstance(name, str)
        return name

    def init(self, name: str) -> None:
        runs.upsert(self.store, {"name": name, "modelName": "p", "sweep": self.sweep})

    def stream(self, name: str, **body: Any) -> dict[str, bool]:
        return run_streams.stream(self.store, "local", "p", name, body)

    def state(self, name: str) -> str:
        run_states.expire(self.store)
        with self.store.reading() as db:
            return str(db.execute("SELECT state FROM runs WHERE name = ?", (name,)).fetchone()["state"])

    def sweep_state(self, new: str | None = None) -> str:
        if new is not None:
            sweeps.upsert(self.store, {"id": self.sweep_id, "state": new})
        with self.store.reading() as db:
            return str(db.execute("SELECT state FROM sweeps WHERE name = ?", (self.sweep,)).fetchone()["state"])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.create()
    yield world
    world.store.close()


def test_first_agent_starts_the_sweep(world: World) -> None:
    assert world.sweep_state() == "PENDING"
    world.agent()
    assert world.sweep_state() == "RUNNING"


def test_run_command_wraps_its_values(world: World) -> None:
    (command,) = world.beat(world.agent())
    assert command["type"] == "run"
    assert 0 <= command["args"]["x"]["value"] <= 1
    assert world.state(command["run_id"]) == "pending"


def test_command_names_the_program(world: World) -> None:
    world.create("{method: random, program: train.py, parameters: {x: {value: 1}}}")
    assert world.beat(world.agent())[0]["program"] == "train.py"


def test_busy_agent_gets_no_work(world: World) -> None:
    agent = world.agent()
    name = world.work(agent)
    assert world.beat(agent, name) == []
    world.init(name)
    assert world.beat(agent, name) == []
    assert world.state(name) == "running"


def test_lost_reply_is_sent_again_once(world: World) -> None:
    agent = world.agent()
    name = world.work(agent)
    world.time += 1
    assert world.work(agent) == name
    world.time += 1
    assert world.work(agent) != name
    assert world.state(name) == "crashed"


def test_run_that_dies_before_init_is_crashed(world: World) -> None:
    agent = world.agent()
    name = world.work(agent)
    world.beat(agent, name)
    world.time += 1
    assert world.work(agent) != name
    assert world.state(name) == "crashed"


def test_run_that_vanishes_is_crashed_after_a_grace(world: World) -> None:
    agent = world.agent()
    name = world.work(agent)
    world.init(name)
    world.beat(agent, name)
    world.time += 5
    other = world.work(agent)
    assert world.state(name) == "running"
    world.time += 5
    world.beat(agent, other)
    assert world.state(name) == "crashed"


def test_late_ending_counts(world: World) -> None:
    agent = world.agent()
    name = world.work(agent)
    world.init(name)
    world.time += 5
    other = world.work(agent)
    world.stream(name, complete=True, exitcode=0)
    world.time += 5
    world.beat(agent, other)
    assert world.state(name) == "finished"


def test_run_that_outlives_its_agents_report_is_not_crashed(world: World) -> None:
    agent = world.agent()
    name = world.work(agent)
    world.init(name)
    for _ in range(4):
        world.time += 5
        world.stream(name)
        world.beat(agent, "another")
    assert world.state(name) == "running"


def test_unstarted_run_of_a_silent_agent_goes_to_another(world: World) -> None:
    name = world.work(world.agent())
    world.time += 61
    assert world.work(world.agent()) == name


def test_silence_while_the_server_was_down_is_forgiven(world: World) -> None:
    silent = world.agent()
    name = world.work(silent)
    running = world.work(world.agent())
    world.init(running)
    world.time += 3600
    world.restart()
    assert world.work(world.agent()) not in {name, running}
    assert world.state(running) == "running"
    world.time += 121
    assert world.state(running) == "crashed"


def test_run_without_agent_expires_and_comes_back(world: World) -> None:
    world.time += 1000
    runs.upsert(world.store, {"name": "r", "modelName": "p"})
    world.time += 119
    assert world.state("r") == "running"
    world.time += 2
    assert world.state("r") == "crashed"
    world.stream("r")
    assert world.state("r") == "running"


def test_living_agent_vouches_for_its_run(world: World) -> None:
    agent = world.agent()
    name = world.work(agent)
    world.init(name)
    for _ in range(30):
        world.time += 10
        world.beat(agent, name)
    assert world.state(name) == "running"


def test_pause_gives_no_work_and_lets_runs_go_on(world: World) -> None:
    busy, idle = world.agent(), world.agent()
    name = world.work(busy)
    world.init(name)
    world.sweep_state("PAUSED")
    assert world.beat(idle) == []
    assert world.beat(busy, name) == []
    world.sweep_state("RUNNING")
    assert world.work(idle)


def test_stopped_sweep_exits_idle_agents_only(world: World) -> None:
    busy, idle = world.agent(), world.agent()
    name = world.work(busy)
    world.init(name)
    world.sweep_state("FINISHED")
    assert world.beat(idle) == [{"type": "exit"}]
    assert world.beat(busy, name) == []
    world.stream(name, complete=True)
    assert world.beat(busy) == [{"type": "exit"}]


def test_canceled_sweep_stops_runs_until_they_are_gone(world: World) -> None:
    agent = world.agent()
    name = world.work(agent)
    world.init(name)
    world.beat(agent, name)
    world.sweep_state("CANCELED")
    assert world.beat(agent, name) == [{"type": "stop", "run_id": name}]
    assert world.beat(agent, name) == [{"type": "stop", "run_id": name}]
    assert world.stream(name) == {"stopped": True}
    assert world.beat(agent) == [{"type": "exit"}]
    world.time += 5
    world.beat(agent)
    assert world.state(name) == "killed"


def test_stop_of_a_finished_sweeps_run_still_reaches_it(world: World) -> None:
    agent = world.agent()
    name = world.work(agent)
    world.init(name)
    world.sweep_state("FINISHED")
    with world.store.reading() as db:
        row = db.execute("SELECT id FROM runs WHERE name = ?", (name,)).fetchone()["id"]
    runs.stop(world.store, global_id("Run", row))
    assert world.beat(agent, name) == [{"type": "stop", "run_id": name}]


def test_run_cap_ends_the_sweep(world: World) -> None:
    world.create("{method: random, run_cap: 2, parameters: {x: {min: 0.0, max: 1.0}}}")
    first, second = world.agent(), world.agent()
    name, other = world.work(first), world.work(second)
    world.init(name)
    world.stream(name, complete=True)
    # The second agent's run has not started: were it lost, the first agent would take it.
    assert world.beat(first) == []
    world.init(other)
    assert world.beat(first) == [{"type": "exit"}]
    assert world.sweep_state() == "FINISHED"
    assert world.beat(second, other) == []


def test_grid_ends_with_its_last_point_even_across_a_restart(world: World) -> None:
    world.create("{method: grid, parameters: {x: {values: [1, 2, 3]}}}")
    agent = world.agent()
    seen = []
    for _ in range(3):
        (command,) = world.beat(agent)
        seen.append(command["args"]["x"]["value"])
        world.init(command["run_id"])
        world.stream(command["run_id"], complete=True)
        world.restart()
    assert seen == [1, 2, 3]
    assert world.beat(agent) == [{"type": "exit"}]


def test_preempted_run_is_handed_out_again(world: World) -> None:
    agent = world.agent()
    (command,) = world.beat(agent)
    name = command["run_id"]
    world.init(name)
    world.stream(name, preempting=True)
    assert world.state(name) == "preempting"
    world.stream(name, complete=True, exitcode=1)
    assert world.state(name) == "preempted"
    (again,) = world.beat(world.agent())
    assert again == {**command, "type": "resume"}


def test_agents_that_ask_at_once_get_different_runs(tmp_path: Path) -> None:
    """Neither a run nor a point of the grid is handed out twice, not even by two servers on the same folder."""
    worlds = [World(tmp_path), World(tmp_path)]
    worlds[0].create("{method: grid, parameters: {x: {min: 1, max: 64}}}")
    worlds[1].sweep = worlds[0].sweep
    agents = [worlds[0].agent() for _ in range(64)]
    with ThreadPoolExecutor(16) as pool:
        (commands,) = zip(*pool.map(lambda place: worlds[place % 2].beat(agents[place]), range(64)), strict=True)
    assert sorted(command["args"]["x"]["value"] for command in commands) == list(range(1, 65))
    assert len({command["run_id"] for command in commands}) == 64
    for world in worlds:
        world.store.close()


@pytest.mark.parametrize(
    ("before", "exit_code", "stopped", "after"),
    [
        ("running", 0, False, "finished"),
        ("running", 0, True, "finished"),
        ("running", 1, False, "failed"),
        ("running", 255, True, "killed"),
        ("running", None, False, "crashed"),
        ("running", None, True, "killed"),
        ("preempting", 1, False, "preempted"),
        ("preempting", None, False, "preempted"),
        ("preempting", 0, False, "finished"),
    ],
)
def test_ending(before: str, exit_code: int | None, stopped: bool, after: str) -> None:
    assert run_states.ending(before, exit_code, stop_requested=stopped) == after


@pytest.mark.parametrize("identifier", ["", "?", "AAAA", global_id("Run", 1), global_id("Agent", 99)])
def test_unknown_agent_is_not_found(world: World, identifier: str) -> None:
    with pytest.raises(RequestError) as caught:
        agents.heartbeat(world.store, identifier, "{}")
    assert caught.value.status == 404


@pytest.mark.parametrize("run_state", ["[]", "x", "3"])
def test_malformed_run_state_is_refused(world: World, run_state: str) -> None:
    with pytest.raises(RequestError, match="runState"):
        agents.heartbeat(world.store, world.agent(), run_state)


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
