"""A sweep's runs as a history: which are read, skipped, or noticed to have changed."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

import pytest
import wandb

from carbs import CARBS, LinearSpace, LogSpace, Param
from wandb_carbs import SweepReader, WandbCarbs, carbs_from_sweep, load_sweep
from wandb_carbs.sweep import runs

ENTITY, PROJECT = "team", "project"
PARAMS = [
    Param("lr", LogSpace(min=1e-5, max=1e-1)),
    Param("batch", LinearSpace(min=16, max=128, is_integer=True)),
]
GOOD = {"carbs.state": "success", "carbs.objective": 0.5, "carbs.cost": 2.0}

# The SDK's own sweep() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")


def begin(**options: Any) -> WandbCarbs:
    wandb.init()
    return WandbCarbs(CARBS(params=PARAMS), **options)


def test_reader_that_goes_on_shows_what_wandb_says_now(sweep: Any, caplog: pytest.LogCaptureFixture) -> None:
    """And warns once of a run that it skips, however often it reads."""
    sweep.put("wrong", {"lr": 0.01, "batch": 20}, {**GOOD, "carbs.objective": 9.0})
    sweep.put("odd", {"lr": 0.01, "batch": 20}, {"carbs.state": "odd"})
    reader = SweepReader(sweep.path)
    for objective in (9.0, 0.9):
        sweep.put("wrong", {"lr": 0.01, "batch": 20}, {**GOOD, "carbs.objective": objective})
        assert reader.read().runs[0].record.summary["carbs.objective"] == objective
    wandb.Api().run(f"{ENTITY}/{PROJECT}/wrong").delete()
    assert [run.record.id for run in reader.read().runs] == ["odd"]
    assert caplog.text.count("(odd)") == 1


def test_garbage_is_skipped_with_one_warning_each(sweep: Any, caplog: pytest.LogCaptureFixture) -> None:
    good = {"lr": 0.01, "batch": 20}
    garbage: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "no-lr": ({"batch": 20}, GOOD),
        "text": ({**good, "lr": "0.01"}, GOOD),
        "outside": ({**good, "lr": 5}, GOOD),
        "fraction": ({**good, "batch": 20.5}, GOOD),
        "nested": ({**good, "lr": {"value": 1}}, GOOD),
        "nan": (good, {**GOOD, "carbs.objective": float("nan")}),
        "text-cost": (good, {**GOOD, "carbs.cost": "2"}),
        "no-objective": (good, {"carbs.state": "success", "carbs.cost": 1}),
        "odd-state": (good, {"carbs.state": {"max": 1}}),
        "foreign": ({}, {"loss": 1}),
        "damaged": (good, {**GOOD, "carbs.suggestion": '{"lr": "x"}'}),
        "moved-in": ({"width": 3}, {**GOOD, "carbs.suggestion": '{"width": 3}', "carbs.kind": "model"}),
        "list": (good, {**GOOD, "carbs.objective": [0.5], "carbs.suggestion": "[1]"}),
        "huge": (good, {**GOOD, "carbs.cost": 10**400}),
        "endless": (good, {**GOOD, "carbs.cost": float("inf")}),
        "free": (good, {**GOOD, "carbs.cost": 0}),
    }
    for name, (config, summary) in garbage.items():
        sweep.put(name, config, summary)
    sweep.put("good", {**good, "added_later": 3}, {**GOOD, "carbs.suggestion": "no json"})
    sweep.put("deep", good, {**GOOD, "carbs.suggestion": "[" * 50_000})
    sweep.create_at_the_same_time("good", "no-lr", "nan")
    carbs = CARBS(params=PARAMS)
    for _ in range(2):
        with wandb.init():
            WandbCarbs(carbs).record_observation(0.5, 1)
    assert len(carbs.success_observations) == 3
    for name in garbage:
        assert caplog.text.count(f"({name})") == 2  # one for each trial
    assert len(carbs_from_sweep(sweep.path).success_observations) == 4


def test_run_that_cannot_be_read_is_skipped_alone(
    sweep: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("good", "broken"):
        sweep.put(name, {"lr": 0.01, "batch": 20}, GOOD)
    read = runs._of_node

    def refuse(node: Any, source: Any) -> Any:
        if source.id == "broken":
            raise TypeError("no such thing")
        return read(node, source)

    monkeypatch.setattr(runs, "_of_node", refuse)
    assert len(begin()._carbs.success_observations) == 1
    assert "(broken): it cannot be read: TypeError" in caplog.text
    assert sweep.counts() == {"observation": 1, "running": 1, "skipped": 1}


def test_heartbeat_of_another_century_does_not_outdate_the_others(sweep: Any) -> None:
    values = {"lr": 0.001, "batch": 20}
    for name in ("pending", "odd"):
        sweep.put(name, values, {"carbs.state": "running"}, exit_code=None)
    with contextlib.closing(sqlite3.connect(sweep.server._data_dir / "wandb-carbs.db")) as db, db:
        db.execute("UPDATE runs SET heartbeat_at = heartbeat_at + 2300000000000000 WHERE name = 'odd'")
    assert sweep.counts() == {"running": 2}
    trial = begin()
    assert "pending" in trial._carbs.outstanding_suggestions
    assert sweep.counts() == {"running": 3}


def test_draw_of_a_run_without_a_suggestion_is_nowhere(sweep: Any) -> None:
    draw = {"lr": 0.01, "batch": 20}
    sweep.put("starting", draw, {}, exit_code=None)
    sweep.put("initializing", draw, {"carbs.state": "initializing"}, exit_code=None)
    sweep.put("died", draw, {"carbs.state": "initializing"}, exit_code=1)
    assert [run.suggestion for run in load_sweep(sweep.path).runs] == [None, None, None]
    assert carbs_from_sweep(sweep.path).outstanding_suggestions == {}
