"""Runs that ended without their agents are recorded from outside, once, and only if they came to their end."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from carbs import CARBSParams
from live_sweep import ENTITY, PROJECT, Sweep
from logged_runs import BEGUN as STARTED
from logged_runs import logged_run, rows_of, sweep_of_losses
from wandb_carbs import SweepPath, load_sweep
from wandb_carbs.agent.orphans import seconds_of, settle, spent_by
from wandb_carbs.agent.publisher import RunPublisher
from wandb_carbs.agent.runnable_sweep import load_runnable_sweep
from wandb_carbs.record import (
    BEGUN_KEY,
    COST_KEY,
    FINISHED,
    OBJECTIVE_KEY,
    REASON_KEY,
    SECONDS_KEY,
    SETTLED_KEY,
    STATE_KEY,
    STOPPED_KEY,
    SUGGESTION_KEY,
    Standing,
)
from wandb_carbs.report.data import ReportData
from wandb_carbs.sweep.progress import Progress
from wandb_carbs.sweep.runs import RunReader

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")

BEGUN = 1_000_000.0
LOGGED = {"loss": 0.5, "_timestamp": BEGUN + 20, "_runtime": 8.0, "_wandb": {"runtime": 10}}


@pytest.mark.parametrize(
    ("summary", "seconds"),
    [
        ({BEGUN_KEY: BEGUN, **LOGGED}, 22.0),
        ({BEGUN_KEY: BEGUN, "_timestamp": BEGUN + 20}, 20.0),
        ({BEGUN_KEY: BEGUN, **LOGGED, "_wandb": {"runtime": 3}}, 20.0),
        (LOGGED, None),
        ({BEGUN_KEY: BEGUN, "loss": 0.5}, None),
        ({BEGUN_KEY: BEGUN + 100, **LOGGED}, None),
        ({BEGUN_KEY: "now", **LOGGED}, None),
    ],
)
def test_seconds_are_from_the_programs_start_to_the_runs_end(summary: dict[str, Any], seconds: float | None) -> None:
    assert seconds_of(summary) == seconds


def test_seconds_of_earlier_starts_are_those_that_were_recorded() -> None:
    assert [spent_by({SECONDS_KEY: seconds}) for seconds in (30, -1, "30", None)] == [30.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("progress", "end", "counts_as"),
    [
        (Progress("epochs", "epoch", stop=True), 8, 3),
        (Progress("epochs", "epoch", stop=True), 3, 3),
        (Progress("epochs", "epoch", stop=True), 4, 4),  # or it counts its epochs from 0
        (Progress("epochs", "epoch", first=1, stop=True), 4, 3),
        (Progress("epochs", "epoch", stop=False), 8, 8),
        (None, 8, 8),
    ],
)
def test_a_run_that_its_agent_may_have_stopped_counts_as_the_shorter_run_that_it_was(
    monkeypatch: pytest.MonkeyPatch, progress: Progress | None, end: int, counts_as: int
) -> None:
    """It was killed before it could say so, and the program ended on SIGTERM with exit code 0."""
    monkeypatch.setattr(RunPublisher, "settle", lambda *_: None)
    run = logged_run(rows_of(4.0, 3.0, 2.0), epochs=end, **{STATE_KEY: "running", "_timestamp": STARTED + 40})
    source = SimpleNamespace(scan_history=run.source.scan_history, rawconfig={"_wandb": {"carbs": {STATE_KEY: "x"}}})
    long_ago = datetime(2026, 1, 1, tzinfo=timezone.utc)
    run = replace(run, state=FINISHED, created_at=long_ago, source=source)
    reader = RunReader(SweepPath(ENTITY, PROJECT, "s"))
    [outcome] = settle(sweep_of_losses(progress), reader, [run]).values()
    assert (outcome.keys[STATE_KEY], outcome.keys[OBJECTIVE_KEY]) == ("success", 2.0)
    suggestion = outcome.keys.get(SUGGESTION_KEY, run.summary[SUGGESTION_KEY])
    assert json.loads(suggestion)["epochs"] == counts_as
    assert (STOPPED_KEY in outcome.keys) == (counts_as != end)


@pytest.mark.slow
def test_only_runs_that_came_to_their_end_are_recorded(make_sweep: Callable[..., Sweep]) -> None:
    sweep = make_sweep(config=CARBSParams(better_direction_sign=-1), metric_name="loss", command=["true"])

    def put(name: str, *, minutes: int = 10, agent: bool = True, exit_code: int | None = 0, **summary: Any) -> None:
        point = {"lr": 0.01, "batch": 32}
        keys = {STATE_KEY: "running", SUGGESTION_KEY: json.dumps(point), BEGUN_KEY: BEGUN}
        internal = {"t": {}, **({"carbs": keys} if agent else {})}
        sweep.put(name, {**point, "_wandb": internal}, {**keys, **LOGGED, **summary}, exit_code=exit_code)
        sweep.was_heard_of(name, minutes=minutes)

    put("ended")
    earlier: dict[str, Any] = {SECONDS_KEY: 30.0}
    put("again", **earlier)
    put("diverged", loss="NaN")
    put("silent", loss=None)
    put("just-now", minutes=0)
    put("failed", exit_code=1)
    put("alive", minutes=0, exit_code=None)
    put("by-itself", agent=False)
    recorded: dict[str, Any] = {STATE_KEY: "success", OBJECTIVE_KEY: 7.0, COST_KEY: 1.0}
    put("recorded", **recorded)
    path = SweepPath(ENTITY, PROJECT, sweep.id)
    runnable, reader = load_runnable_sweep(path), RunReader(path)
    assert "4 of 9 runs ended without their agents" in ReportData(load_sweep(path)).doubts[0]
    settled = settle(runnable, reader, reader.all())
    assert sorted(settled) == ["again", "diverged", "ended", "silent"]
    runs = {run.record.id: run for run in load_sweep(path).runs}
    assert runs["again"].record.summary[COST_KEY] == 52.0  # with the seconds of an earlier start
    summary = runs["ended"].record.summary
    assert (summary[OBJECTIVE_KEY], summary[COST_KEY], summary[SETTLED_KEY]) == (0.5, 22.0, True)
    assert runs["diverged"].verdict.standing is Standing.FAILURE
    assert runs["silent"].record.summary[REASON_KEY] == "loss was not logged"
    standings = [runs[name].verdict.standing for name in ("just-now", "failed", "alive", "by-itself", "recorded")]
    assert standings == [
        Standing.RUNNING,  # its agent will record it
        Standing.ABANDONED,
        Standing.RUNNING,
        Standing.ABANDONED,
        Standing.OBSERVATION,
    ]
    assert settle(runnable, reader, reader.all()) == {}
