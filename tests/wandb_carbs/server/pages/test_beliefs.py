"""Doubts and importance on the pages."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from carbs import ObservationInParam
from carbs.insight import Insight
from stored import make_sweep
from wandb_carbs.figures import importance
from wandb_carbs.record import RunRecord
from wandb_carbs.server.pages.beliefs import Beliefs
from wandb_carbs.server.sweeps import standings
from wandb_carbs.sweep.definition import SweepDefinition
from wandb_carbs.sweep.history import feed
from wandb_carbs.sweep.judged import judge
from wandb_carbs.sweep.packing import pack
from wandb_carbs.sweep.path import SweepPath

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wandb_carbs.server.store.database import Store

SPACES = {"lr": {"kind": "log", "min": 1e-4, "max": 1.0}, "unused": {"kind": "linear", "min": 0.0, "max": 1.0}}
DESCRIBED = {
    "params": [{"name": name, "space": space} for name, space in SPACES.items()],
    "config": {"better_direction_sign": -1},
}


class Searched:
    """A sweep in a storage."""

    def __init__(self, store: Store, described: Any = DESCRIBED) -> None:
        self.store = store
        self.sweep = make_sweep(store, description=json.dumps({"carbs": described}))

    def add(self, runs: Sequence[dict[str, Any]]) -> None:
        """Add runs that have ended one after another; each better and more expensive than the one before."""
        with self.store.transaction() as db:
            start = db.execute("SELECT count(*) FROM runs").fetchone()[0]
            for place, run in enumerate(runs, start):
                summary = {"carbs.state": "success", "carbs.objective": 9.0 - place, "carbs.cost": 1.0 + place, **run}
                if summary.get("carbs.suggestion"):
                    summary["carbs.suggestion"] = json.dumps(summary["carbs.suggestion"])
                db.execute(
                    """INSERT INTO runs (project_id, sweep_id, name, display_name, state, summary, created_at,
                       heartbeat_at) VALUES (?, ?, ?, ?, 'finished', ?, ?, ?)""",
                    (
                        self.sweep["project_id"],
                        self.sweep["id"],
                        *(f"r{place}", f"r{place}", json.dumps(summary), place, place),
                    ),
                )
        standings.refresh(self.store, self.sweep["project_id"])

    def doubts(self, beliefs: Beliefs) -> list[str]:
        with self.store.reading() as db:
            return beliefs.doubts(db, self.sweep)

    def importance(self, beliefs: Beliefs) -> Any:
        with self.store.reading() as db:
            return beliefs.importance(db, self.sweep)


def point(lr: float, unused: float = 0.5) -> dict[str, Any]:
    return {"carbs.suggestion": {"lr": lr, "unused": unused}}


# Better the larger `lr` is.
IMPROVING = [point(10.0 ** (-4 + 4 * place / 12), place % 7 / 7) for place in range(12)]
AT_THE_EDGE = [point(1.0, place % 7 / 7) for place in range(6)]


def test_importance_ranks_the_hyperparameter_that_matters_first(store: Store) -> None:
    searched = Searched(store)
    searched.add(IMPROVING)
    made = searched.importance(Beliefs())
    json.dumps(made, allow_nan=False)
    assert made["data"][0]["y"] == ["unused", "lr"]
    assert made["data"][0]["x"][1] > 0.5


def test_importance_is_learnt_from_all_that_the_search_learns_from(store: Store) -> None:
    """Points on the ways of all runs, also of those without a result, and earlier runs: as in the report."""
    space = {"kind": "log", "min": 1, "max": 100, "is_integer": True}
    earlier = [ObservationInParam({"lr": 0.01 * place, "epochs": 10}, 8.0 - place, 1.0) for place in range(1, 4)]
    described = {
        "schema_version": 1,
        "params": [{"name": "lr", "space": SPACES["lr"]}, {"name": "epochs", "space": space}],
        "config": {"better_direction_sign": -1},
        "progress": "epochs",
        "old_runs": pack(earlier),
    }
    runs = [
        {
            "carbs.state": state,
            "carbs.suggestion": {"lr": 10.0 ** (-4 + place / 3), "epochs": 100 - 7 * place},
            "carbs.curve": json.dumps([[3, 20.0 - place, 0.1], [20, 12.0 - place, 0.5]]),
        }
        for place, state in enumerate(("success", "success", "failure", "abandoned", "success", "success"))
    ]
    searched = Searched(store, described)
    searched.add(runs)
    with store.reading() as db:
        found = db.execute("SELECT name, summary FROM runs ORDER BY id").fetchall()
    now = datetime.now(timezone.utc)
    records = [RunRecord(row["name"], "", "finished", now, now, {}, json.loads(row["summary"])) for row in found]
    carbs = SweepDefinition.from_json(json.dumps({"carbs": described})).optimizer()
    feed(carbs, SweepPath("e", "p", "s"), judge(records, carbs.space, now, progress="epochs"))
    insight = Insight(carbs.space, [*carbs.success_observations, *carbs.failure_observations], carbs.config)
    assert insight.surrogate.groups.size == len(earlier) + 4 + 2 * len(runs)
    shown = searched.importance(Beliefs())["data"][0]
    reported = importance.figure(insight.importance())["data"][0]
    assert (shown["y"], shown["x"]) == (reported["y"], pytest.approx(reported["x"]))


@pytest.mark.parametrize(
    ("described", "runs", "note"),
    [
        (DESCRIBED, [], "0 different configurations succeeded"),
        ({"params": ["damaged"]}, IMPROVING, "'damaged' is not the description of a parameter"),
        ({**DESCRIBED, "progress": 1}, IMPROVING, "must be the name of a hyperparameter"),
        ({**DESCRIBED, "progress": "epochs"}, IMPROVING, "progress='epochs' is not among its params"),
        ({**DESCRIBED, "old_runs": 1}, IMPROVING, "old runs are damaged"),
        ({"params": 1}, IMPROVING, "at least one parameter is needed"),
        (DESCRIBED, [point(99.0)], "0 different configurations"),
        (DESCRIBED, [{}, {"carbs.suggestion": "x"}], "0 different configurations"),
        (DESCRIBED, [{**point(0.1), "carbs.objective": "nan"}], "0 different configurations"),
    ],
)
def test_without_models_the_figure_says_why(store: Store, described: Any, runs: Any, note: str) -> None:
    searched, beliefs = Searched(store, described), Beliefs()
    searched.add(runs)
    made = searched.importance(beliefs)
    assert set(made) == {"note"}
    assert note in made["note"]
    assert searched.doubts(beliefs) == []


def test_a_sweep_of_wandb_has_none(store: Store) -> None:
    searched, beliefs = Searched(store), Beliefs()
    searched.sweep = make_sweep(store)
    assert (searched.doubts(beliefs), searched.importance(beliefs)) == ([], {})


def test_doubts_are_those_of_the_optimizer(store: Store) -> None:
    searched = Searched(store)
    searched.add([*AT_THE_EDGE, {**point(0.1), "carbs.state": "failure"}, {**point(0.1), "carbs.state": "abandoned"}])
    (doubt,) = searched.doubts(Beliefs())
    assert doubt.startswith("6 of 6 frontier runs are on the upper edge of lr (1)")


def test_intervals_are_judged_once_the_models_are_there(store: Store) -> None:
    # Looks that take no time are followed by no rest.
    searched, beliefs = Searched(store), Beliefs(clock=lambda: 0.0)
    predicted = {"carbs.predicted_objective": 1000.0, "carbs.predicted_objective_std": 0.1}
    searched.add([{**run, **predicted} for run in IMPROVING])
    assert not any("intervals" in doubt for doubt in searched.doubts(beliefs))
    searched.importance(beliefs)
    assert any("held 0 % of 12 runs" in doubt for doubt in searched.doubts(beliefs))


def test_a_changing_sweep_is_looked_at_anew_after_a_rest(store: Store) -> None:
    # Each reading of the clock is a second later, so that the first look takes one and the rest is ten.
    ticks = iter(range(100))
    beliefs = Beliefs(clock=lambda: float(next(ticks)))
    searched = Searched(store)
    searched.add([point(0.5)])
    assert searched.doubts(beliefs) == []
    searched.add(AT_THE_EDGE)
    looks = [bool(searched.doubts(beliefs)) for _ in range(20)]
    assert looks.index(True) in range(8, 11)
    assert looks == sorted(looks)
    assert next(ticks) < 40  # an unchanged sweep is not looked at again


def test_a_large_sweep_is_judged_when_its_importance_is(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wandb_carbs.server.pages.beliefs._AT_ONCE", 5)
    monkeypatch.setattr("wandb_carbs.server.pages.beliefs._MOST_FITTED", 5)
    searched, beliefs = Searched(store), Beliefs()
    searched.add(AT_THE_EDGE)
    assert searched.doubts(beliefs) == []
    assert searched.importance(beliefs)["note"] == "Of the newest 5 runs that have ended."
    assert len(searched.doubts(beliefs)) == 1
