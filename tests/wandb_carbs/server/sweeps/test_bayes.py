"""Runs of `method: bayes`: what agents get, and what the search learns from."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from wandb_carbs.server.store import run_states
from wandb_carbs.server.sweeps import agents, bayes, sweeps

if TYPE_CHECKING:
    from collections.abc import Callable

    from wandb_carbs.server.store.database import Store

LINE: dict[str, Any] = {"x": {"min": 0.0, "max": 10.0}}


def create(store: Store, parameters: dict[str, Any], goal: str = "minimize") -> str:
    config = {"method": "bayes", "metric": {"name": "loss", "goal": goal}, "parameters": parameters}
    row, warnings = sweeps.upsert(store, {"projectName": "p", "config": json.dumps(config)})
    with store.transaction() as db:
        db.execute("UPDATE sweeps SET seed = 3 WHERE id = ?", (row,))
        name: str = db.execute("SELECT name FROM sweeps WHERE id = ?", (row,)).fetchone()["name"]
    assert warnings == []
    return name


def ask(store: Store, sweep: str) -> tuple[str, dict[str, Any]]:
    """Let a new agent ask for a run; return its name and its parameters."""
    (command,) = agents.heartbeat(store, agents.create_agent(store, sweep, "host"), None)
    return command["run_id"], {key: held["value"] for key, held in command["args"].items()}


def end(store: Store, name: str, loss: Any, state: str = run_states.FINISHED) -> None:
    with store.transaction() as db:
        db.execute("UPDATE runs SET state = ?, summary = ? WHERE name = ?", (state, json.dumps({"loss": loss}), name))


@pytest.mark.parametrize(
    ("goal", "loss"), [("minimize", lambda x: (x - 7) ** 2), ("maximize", lambda x: -((x - 7) ** 2))]
)
def test_search_comes_close_to_the_best_value(store: Store, goal: str, loss: Callable[[float], float]) -> None:
    sweep = create(store, LINE, goal)
    tried = []
    for _ in range(10):
        name, values = ask(store, sweep)
        tried.append(values["x"])
        end(store, name, loss(values["x"]))
    assert min(abs(x - 7) for x in tried[4:]) < 0.3


def test_agents_that_ask_together_get_different_parameters(store: Store) -> None:
    sweep = create(store, LINE)
    for x in range(5):
        name, _ = ask(store, sweep)
        end(store, name, float(x))
    asked = [ask(store, sweep)[1]["x"] for _ in range(4)]
    assert len(set(asked)) == 4


def test_parameters_are_nested_whole_and_constant_as_the_sweep_says(store: Store) -> None:
    sweep = create(
        store,
        {
            "optimizer": {"parameters": {"lr": {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-2}}},
            "layers": {"min": 1, "max": 9},
            "kind": {"values": ["a", "b"]},
            "epochs": {"value": 3},
        },
    )
    for _ in range(6):
        name, values = ask(store, sweep)
        assert set(values) == {"optimizer", "layers", "kind", "epochs"}
        assert 1e-4 <= values["optimizer"]["lr"] <= 1e-2
        assert isinstance(values["layers"], int)
        assert values["kind"] in {"a", "b"}
        assert values["epochs"] == 3
        end(store, name, values["layers"])


@pytest.mark.parametrize(
    ("state", "loss", "learns"),
    [
        (run_states.FINISHED, 3.0, "value"),
        (run_states.KILLED, 3.0, "value"),
        (run_states.FINISHED, None, "nothing"),
        (run_states.FAILED, 3.0, "failure"),
        (run_states.FINISHED, math.nan, "failure"),
        (run_states.KILLED, -math.inf, "failure"),
        (run_states.CRASHED, math.nan, "nothing"),
        (run_states.CRASHED, 3.0, "nothing"),
        (run_states.RUNNING, 3.0, "nothing"),
    ],
)
def test_search_learns_from_runs_that_have_ended_by_themselves(state: str, loss: float | None, learns: str) -> None:
    seen = bayes._Run("a", state, {"x": 1.0}, loss).seen
    assert learns == ("nothing" if seen is None else "failure" if seen.is_failure else "value")


def test_search_learns_the_last_value_where_the_summary_keeps_a_mean(store: Store) -> None:
    sweep = create(store, LINE)
    for _ in range(10):
        name, values = ask(store, sweep)
        last = json.dumps({"loss": (values["x"] - 7) ** 2})
        with store.transaction() as db:
            db.execute("UPDATE runs SET last_values = ? WHERE name = ?", (last, name))
        end(store, name, {"mean": 1.0})
    assert abs(ask(store, sweep)[1]["x"] - 7) < 0.3


def test_agent_whose_turn_does_not_come_asks_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bayes, "_TURN", 0.01)
    agent = agents.create_agent(store, create(store, LINE), "host")
    with bayes.turn() as has_come:
        assert has_come
        assert agents.heartbeat(store, agent, None) == []
    assert agents.heartbeat(store, agent, None)[0]["type"] == "run"


def test_parameters_that_cannot_be_searched_are_drawn(store: Store) -> None:
    odd = {"x": {"values": [{"a": 1}, {"a": 2}]}}
    config = {"method": "bayes", "metric": {"name": "loss"}, "parameters": odd}
    row, warnings = sweeps.upsert(store, {"projectName": "p", "config": json.dumps(config)})
    assert len(warnings) == 1
    with store.reading() as db:
        name = db.execute("SELECT name FROM sweeps WHERE id = ?", (row,)).fetchone()["name"]
    assert ask(store, name)[1]["x"] in odd["x"]["values"]


def test_search_that_is_a_draw_at_random_says_so() -> None:
    """W&B's form of everything else is searched; objects are choices that the optimizer cannot tell apart."""
    plain = {"method": "bayes", "metric": {"name": "a"}, "parameters": {"x": {"min": 0.0, "max": 1.0}}}
    odd = {**plain, "parameters": {"x": {"values": [{"a": 1}, {"a": 2}]}}}
    assert bayes.notes(plain) == []
    (warning,) = bayes.notes(odd)
    assert warning.startswith("method bayes draws at random here, since it cannot search this: ")
    assert "parameter 'x'" in warning
    assert bayes.notes({**odd, "scheduler": {"engine": "wandb"}}) == []
    assert bayes.notes({**odd, "controller": {"type": "local"}}) == []


def test_only_the_newest_and_the_best_runs_are_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bayes, "_NEWEST", 2)
    monkeypatch.setattr(bayes, "_BEST", 1)
    runs = [bayes._Run(str(loss), run_states.FINISHED, {"x": 1.0}, float(loss)) for loss in (3, 1, 4, 1.5, 9, 2)]
    assert [run.metric for run in bayes._chosen(runs, -1)] == [1, 9, 2]
    assert [run.metric for run in bayes._chosen(runs, 1)] == [4, 9, 2]
