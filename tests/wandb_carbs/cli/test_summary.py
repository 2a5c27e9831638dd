"""A sweep in figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from carbs import CARBSParams, LogSpace, Param
from wandb_carbs.cli.summary import summarize
from wandb_carbs.record import RunRecord
from wandb_carbs.sweep.definition import SweepDefinition
from wandb_carbs.sweep.history import SweepHistory
from wandb_carbs.sweep.judged import judge
from wandb_carbs.sweep.path import SweepPath


def history_of(*summaries: Mapping[str, Any], state: str = "finished", silent: float = 0) -> SweepHistory:
    """Return a sweep of runs, one a minute, the first nine minutes ago, that have been silent for some seconds."""
    now = datetime.now(timezone.utc)
    heard = now - timedelta(seconds=silent)
    definition = SweepDefinition((Param("lr", LogSpace(1e-3, 1e-1)),), CARBSParams(better_direction_sign=-1))
    records = [
        RunRecord(f"r{i}", f"r{i}", state, now - timedelta(minutes=9 - i), heard, {"lr": 0.01}, summary)
        for i, summary in enumerate(summaries)
    ]
    judged = judge(records, definition.optimizer().space, now)
    return SweepHistory(SweepPath("e", "p", "s"), definition, tuple(judged))


def success(objective: float, cost: float) -> dict[str, Any]:
    return {"carbs.state": "success", "carbs.objective": objective, "carbs.cost": cost}


def test_runs_are_counted_and_costs_added() -> None:
    failures = [{"carbs.state": "failure", "carbs.reason": reason} for reason in ("out of memory", "NaN", "NaN", "")]
    found = summarize(history_of(success(0.5, 2.0), success(0.2, 4.0), success(0.9, 3.0), *failures))
    assert (found["sweep"], found["runs"], found["spent_cost"]) == ("e/p/s", 7, 9.0)
    assert (found["states"]["observation"], found["states"]["failure"]) == (3, 4)
    assert list(found["failures"].items()) == [("NaN", 2), ("out of memory", 1), ("no reason given", 1)]
    assert (found["goal"], [item["run"] for item in found["frontier"]]) == ("minimize", ["r0", "r1"])
    assert found["best"] == {"run": "r1", "cost": 4.0, "objective": 0.2, "config": {"lr": 0.01}}
    assert found["seconds"] == pytest.approx(540, abs=60)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_cost_beyond_the_floats_is_none() -> None:
    assert summarize(history_of(success(0.5, 1.7e308), success(0.2, 1.7e308)))["spent_cost"] is None


@pytest.mark.parametrize("silent", [0, 250])
def test_running_runs_have_an_age(silent: float) -> None:
    found = summarize(history_of({"carbs.state": "running"}, state="running", silent=silent))
    (running,) = found["running"]
    assert (running["run"], running["config"]) == ("r0", {"lr": 0.01})
    assert running["seconds"] == pytest.approx(540, abs=60)


def test_sweep_without_runs() -> None:
    found = summarize(history_of())
    assert (found["runs"], found["best"], found["seconds"], found["spent_cost"]) == (0, None, None, 0)
