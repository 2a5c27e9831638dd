"""Sweeps and their agents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stored import ask, begin_run, make_run, make_sweep
from wandb_carbs.server.store.database import Store


def sweep_of(store: Store, name: str, selected: str, **variables: Any) -> Any:
    declared = "".join(f", ${key}: JSONString" for key in variables)
    query = f'query Q($s: String!{declared}) {{ project(name: "p") {{ sweep(sweepName: $s) {{ {selected} }} }} }}'
    reply = ask(store, query, s=name, **variables)
    assert "errors" not in reply.body
    return reply.body["data"]["project"]["sweep"]


def test_sweep_describes_itself(store: Store) -> None:
    row = make_sweep(store, name="nice", description="words", run_cap=7, metric={"name": "loss"})
    selected = "name displayName description method state config runCountExpected runCount bestLoss controllerRunName"
    found = sweep_of(store, row["name"], selected)
    assert json.loads(found.pop("config"))["run_cap"] == 7
    assert found == {
        "name": row["name"],
        "displayName": "nice",
        "description": "words",
        "method": "random",
        "state": "PENDING",
        "runCountExpected": 7,
        "runCount": 0,
        "bestLoss": None,
        "controllerRunName": row["name"],
    }


@pytest.mark.parametrize(("goal", "best"), [("minimize", 1.0), ("maximize", 3.0)])
@pytest.mark.parametrize("metric", ["loss", "a.b", 'odd "name"'])
def test_best_value_is_that_of_the_finished_runs(store: Store, goal: str, best: float, metric: str) -> None:
    name = make_sweep(store, metric={"name": metric, "goal": goal})["name"]
    for number, value in enumerate([2, 1, 3.0, "0", None, float("nan"), float("inf"), True]):
        make_run(store, f"r{number}", {}, {metric: value}, sweep=name, state="finished")
    make_run(store, "running", {}, {metric: -5}, sweep=name)
    assert sweep_of(store, name, "bestLoss")["bestLoss"] == best


def test_filter_of_a_sweeps_runs_stays_inside(store: Store) -> None:
    name, other = make_sweep(store)["name"], make_sweep(store)["name"]
    for run, sweep in (("a", name), ("b", name), ("c", other)):
        make_run(store, run, {}, {"loss": 1}, sweep=sweep)
    for filters, names in {
        None: ["a", "b"],
        '{"name": {"$in": ["b", "c"]}}': ["b"],
        f'{{"sweep": "{other}"}}': [],
    }.items():
        found = sweep_of(store, name, "runs(filters: $f) { edges { node { name } } }", f=filters)
        assert [edge["node"]["name"] for edge in found["runs"]["edges"]] == names


def test_agents_show_their_runs(store: Store) -> None:
    name = make_sweep(store)["name"]
    agent, run = begin_run(store, name)
    found = sweep_of(store, name, "agents { edges { node { id name host state totalRuns } } }")
    (edge,) = found["agents"]["edges"]
    assert edge["node"]["id"] == agent
    assert (edge["node"]["host"], edge["node"]["state"], edge["node"]["totalRuns"]) == ("host", "RUNNING", 1)
    query = f'agent(agentName: "{edge["node"]["name"]}") {{ runs {{ edges {{ node {{ name }} }} }} }}'
    assert sweep_of(store, name, query)["agent"]["runs"]["edges"] == [{"node": {"name": run}}]
    assert sweep_of(store, name, 'agent(agentName: "nosuch") { name }')["agent"] is None


def test_prior_runs_are_listed(store: Store) -> None:
    make_run(store, "a")
    made = ask(
        store,
        """mutation M($c: String, $f: JSONString) { upsertSweep(
            input: {projectName: "p", config: $c, priorRunsFilters: $f}) { sweep { name } } }""",
        c="{method: random, parameters: {x: {value: 1}}}",
        f='{"$or": [{"name": "a"}]}',
    )
    name = made.body["data"]["upsertSweep"]["sweep"]["name"]
    make_run(store, "b", sweep=name)
    found = sweep_of(store, name, "priorRuns { edges { node { name sweepName } } }")
    assert found["priorRuns"]["edges"] == [{"node": {"name": "a", "sweepName": name}}]
