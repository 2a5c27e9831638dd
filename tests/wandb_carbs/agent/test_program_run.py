"""A run that a program trains: its suggestion before, its outcome afterwards, also where it is started again."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from carbs import CARBSParams, LogSpace, Param
from launched import OUT_OF_MEMORY_BEHIND
from live_sweep import ENTITY, PROJECT, Sweep
from wandb_carbs import SweepPath, carbs_from_sweep
from wandb_carbs.agent import program_run, publisher
from wandb_carbs.agent.outcome import Ending
from wandb_carbs.agent.program_run import ProgramRun
from wandb_carbs.agent.registration import Registration
from wandb_carbs.agent.runnable_sweep import load_runnable_sweep
from wandb_carbs.record import (
    ABANDONED,
    BEFORE_KEY,
    BEGUN_KEY,
    CHANGES_KEY,
    COST_KEY,
    CURVE_KEY,
    FAILURE,
    OBJECTIVE_KEY,
    REASON_KEY,
    SECONDS_KEY,
    SETTLED_KEY,
    STATE_KEY,
    STOPPED_KEY,
    SUCCESS,
    SUGGESTION_KEY,
)
from wandb_carbs.sweep.runs import RunReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning"),
]

POINT = {"lr": 0.01, "batch": 32}
JOINED: dict[str, Any] = {"_wandb": {"t": {}}}


@pytest.fixture
def sweep(make_sweep: Callable[..., Sweep]) -> Sweep:
    return make_sweep(config=CARBSParams(better_direction_sign=-1), metric_name="loss", command=["run", "${args}"])


def run_of(sweep: Sweep, run_id: str) -> ProgramRun:
    path = SweepPath(ENTITY, PROJECT, sweep.id)
    registration = Registration(path)
    registration.register()
    return ProgramRun(load_runnable_sweep(path), run_id, RunReader(path), registration)


def announces(sweep: Sweep, run: ProgramRun) -> bool:
    """Return whether W&B hears of a run from its agent."""
    reader = RunReader(SweepPath(ENTITY, PROJECT, sweep.id))
    sweep.was_heard_of(run.id, minutes=10)
    before = reader.one(run.id).heartbeat_at
    run.keep_alive()
    return reader.one(run.id).heartbeat_at != before


def logs(sweep: Sweep, run_id: str, **metrics: Any) -> None:
    """Do as a program that ends well: it replaces the summary by its own."""
    kept, _ = sweep.stored(run_id)
    sweep.put(run_id, {**kept, **JOINED}, metrics)


def test_a_run_gets_a_suggestion_and_an_outcome(sweep: Sweep, tmp_path: Path) -> None:
    run = run_of(sweep, "new")
    suggestion = run.begin()
    config, summary = sweep.stored("new")
    assert config == suggestion.point
    assert (summary[STATE_KEY], json.loads(summary[SUGGESTION_KEY])) == ("running", suggestion.point)
    assert summary[BEGUN_KEY] > 0
    line, environment = run.command({"WANDB_DIR": str(tmp_path), "OTHER": "1"})
    assert (line[0], set(line[1:])) == ("run", {f"--{name}={value}" for name, value in suggestion.point.items()})
    assert (environment["WANDB_RUN_ID"], environment["OTHER"]) == ("new", "1")
    logs(sweep, "new", loss=0.25)
    outcome = run.end(Ending(0), 12.0)
    assert (outcome.keys[STATE_KEY], outcome.keys[OBJECTIVE_KEY], outcome.keys[COST_KEY]) == (SUCCESS, 0.25, 12.0)
    assert sweep.counts() == {"observation": 1}
    assert run.end(Ending(1), 99.0).keys[COST_KEY] == 12.0, "what is recorded stays"


@pytest.mark.parametrize("is_finished", [True, False])
def test_wandb_may_say_a_little_later_that_a_run_was_finished(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, *, is_finished: bool
) -> None:
    run = run_of(sweep, "late")
    run.begin()
    config, _ = sweep.stored("late")
    sweep.put("late", {**config, **JOINED}, {"loss": 0.25}, exit_code=None)
    seconds = [0.0]

    def wait(step: float) -> None:
        seconds[0] += step
        if is_finished and seconds[0] > 3:
            logs(sweep, "late", loss=0.2)

    monkeypatch.setattr(publisher, "time", SimpleNamespace(monotonic=lambda: seconds[0], sleep=wait))
    outcome = run.end(Ending(0), 12.0)
    assert (outcome.keys[STATE_KEY], outcome.keys.get(OBJECTIVE_KEY)) == (
        (SUCCESS, 0.2) if is_finished else (ABANDONED, None)
    )


def test_a_run_whose_program_says_that_it_trains_with_other_values_is_marked(make_sweep: Callable[..., Sweep]) -> None:
    params = [Param("optim.lr", LogSpace(1e-5, 1e-1), search_center=1e-3)]
    sweep = make_sweep(params, metric_name="loss", command=["run", "${args}"])
    run = run_of(sweep, "other")
    run.begin()
    kept, summary = sweep.stored("other")
    assert CHANGES_KEY not in summary
    sweep.put("other", {**kept, **JOINED, "optim": {"lr": 0.5}}, {"loss": 0.25})
    assert run.end(Ending(0), 12.0).keys[STATE_KEY] == SUCCESS
    assert run.other_values == {"optim.lr": 0.5}
    assert json.loads(sweep.stored("other")[1][CHANGES_KEY]) == {"optim.lr": 0.5}


@pytest.mark.parametrize(("folder", "reason"), [(True, "loss was not logged"), (False, "wandb.init() was not called")])
def test_old_metrics_of_a_run_that_is_started_again_are_not_its_outcome(
    sweep: Sweep, tmp_path: Path, *, folder: bool, reason: str
) -> None:
    """It was pre-empted after its first point; now its program ends without logging any.

    The SDK 0.19 writes the same into the run again, so only its folder shows that the program has joined it.
    """
    keys = {STATE_KEY: ABANDONED, SUGGESTION_KEY: json.dumps(POINT), SECONDS_KEY: 30.0}
    sweep.put("again", {**POINT, **JOINED}, {**keys, "loss": 9.0, "accuracy": 0.1, "_timestamp": 1000.0})
    run = run_of(sweep, "again")
    assert run.begin().is_resumed
    _, summary = sweep.stored("again")
    assert "loss" not in summary
    assert (summary["accuracy"], summary[BEFORE_KEY]) == (0.1, 1000.0)
    run.command({"WANDB_DIR": str(tmp_path)})
    if folder:
        (tmp_path / "wandb" / "run-20261127_111111-again").mkdir()
        sweep.put("again", {**POINT, **JOINED}, summary)
    outcome = run.end(Ending(0), 5.0)
    assert (outcome.keys[STATE_KEY], outcome.keys[REASON_KEY]) == (ABANDONED, reason)
    assert sweep.stored("again")[1][SECONDS_KEY] == 35.0


@pytest.mark.parametrize("is_new", [True, False])
def test_a_run_is_kept_alive_until_its_program_joins(
    sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_new: bool
) -> None:
    """Traces of an earlier start, in W&B and on the disk, are not of this one."""
    monkeypatch.setattr(program_run, "_ALIVE_SECONDS", 0.0)
    if not is_new:
        sweep.put("again", {**POINT, **JOINED}, {STATE_KEY: ABANDONED, SUGGESTION_KEY: json.dumps(POINT)})
        (tmp_path / "wandb" / "run-20261127_101010-again").mkdir(parents=True)
    run = run_of(sweep, "again")
    run.begin()
    run.command({"WANDB_DIR": str(tmp_path)})
    assert announces(sweep, run)
    kept, summary = sweep.stored("again")
    sweep.put("again", {**kept, "_wandb": {"t": {}, "e": {"writer": {}}}}, summary, exit_code=None)
    assert not announces(sweep, run), "the SDK speaks for itself"


def test_a_run_whose_program_makes_a_folder_speaks_for_itself(
    sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program_run, "_ALIVE_SECONDS", 0.0)
    run = run_of(sweep, "again")
    run.begin()
    run.command({"WANDB_DIR": str(tmp_path)})
    (tmp_path / "wandb" / "run-20261127_111111-again").mkdir()
    assert not announces(sweep, run)


def test_each_start_of_the_sdk_for_a_run_is_counted(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "wandb" / "run-20261127_101010-new").mkdir(parents=True)
    run = run_of(sweep, "new")
    run.begin()
    run.command({"WANDB_DIR": str(tmp_path)})
    assert run.num_joined == 0
    for name in ("111111-new", "111111-new-1", "111112-newer", "111112-a-new"):
        (tmp_path / "wandb" / f"run-20261127_{name}").mkdir()
    assert run.num_joined == 2


def test_what_another_agent_recorded_meanwhile_is_corrected(sweep: Sweep) -> None:
    """The other agent took this one for dead; the program had not come to its end."""
    run = run_of(sweep, "cut-off")
    run.begin()
    logs(sweep, "cut-off", loss=0.2, **{STATE_KEY: SUCCESS, OBJECTIVE_KEY: 0.5, COST_KEY: 1.0, SETTLED_KEY: True})
    assert run.end(Ending(0), 40.0).keys[OBJECTIVE_KEY] == 0.2
    _, summary = sweep.stored("cut-off")
    assert (summary[OBJECTIVE_KEY], summary[COST_KEY], summary[SETTLED_KEY]) == (0.2, 40.0, False)


def test_a_run_that_is_stopped_in_wandb_leaves_its_points_until_it_goes_on(make_sweep: Callable[..., Sweep]) -> None:
    sweep = make_sweep(
        config=CARBSParams(better_direction_sign=-1),
        metric_name="loss",
        command=["run"],
        progress={"parameter": "batch", "metric": "step"},
        initial=[{"lr": 0.01, "batch": 64}],
    )
    run = run_of(sweep, "stopped")
    run.begin()
    config, published = sweep.stored("stopped")
    begun = published[BEGUN_KEY]
    sweep.put("stopped", {**config, "_wandb": {"t": {}, "carbs": published}}, {"loss": 0.25})  # as the SDK does
    rows = [{"loss": 8 / step, "step": step, "_step": step, "_timestamp": begun + step} for step in (8, 16, 32)]
    files = {"wandb-history.jsonl": {"offset": 0, "content": [json.dumps(row) for row in rows]}}
    sweep.post(f"/files/{ENTITY}/{PROJECT}/stopped/file_stream", {"files": files})
    outcome = run.end(Ending(-15, asked="stopped"), 40.0)
    assert (outcome.keys[STATE_KEY], outcome.note) == (ABANDONED, "")
    _, summary = sweep.stored("stopped")
    assert json.loads(summary[CURVE_KEY]) == [[16, 0.5, 16.0], [32, 0.25, 32.0]]
    assert json.loads(summary[STOPPED_KEY]) == {"why": "stopped in W&B", "seconds": 40.0, "progress": 32.0}
    [seen] = carbs_from_sweep(sweep.path).success_observations
    assert (seen.input["batch"], [point.input["batch"] for point in seen.points]) == (32, [16])
    assert sweep.counts() == {"abandoned": 1}
    run_of(sweep, "stopped").begin()
    _, summary = sweep.stored("stopped")
    assert (summary[REASON_KEY], summary[STOPPED_KEY], summary[CURVE_KEY][:4]) == ("", "", "[[16")
    assert sweep.counts() == {"running": 1}
    carbs = carbs_from_sweep(sweep.path)
    assert (len(carbs.success_observations), list(carbs.outstanding_suggestions)) == (1, ["stopped"])


def test_a_first_process_does_not_know_why_another_one_failed(sweep: Sweep) -> None:
    run = run_of(sweep, "first")
    run.begin()
    config, summary = sweep.stored("first")
    known = {STATE_KEY: ABANDONED, REASON_KEY: "SIGTERM", CURVE_KEY: "[[32, 0.5, 2.0]]"}
    sweep.put("first", {**config, **JOINED}, {**summary, **known}, exit_code=1)
    assert run.end(Ending(1, OUT_OF_MEMORY_BEHIND), 40.0).keys[REASON_KEY] == "out_of_memory"
    _, summary = sweep.stored("first")
    found = {key: summary[key] for key in known}
    assert found == {**known, STATE_KEY: FAILURE, REASON_KEY: "out_of_memory"}


def test_a_program_that_records_itself_does_not_know_that_its_run_was_stopped_in_wandb(sweep: Sweep) -> None:
    for run_id, asked, reason in (("stopped", "stopped", "stopped"), ("interrupted", "SIGTERM", "SIGTERM")):
        run = run_of(sweep, run_id)
        run.begin()
        config, summary = sweep.stored(run_id)
        recorded = {STATE_KEY: ABANDONED, REASON_KEY: "SIGTERM", CURVE_KEY: "[[32, 0.5, 2.0]]"}
        sweep.put(run_id, {**config, **JOINED}, {**summary, **recorded}, exit_code=143)
        assert run.end(Ending(-15, asked=asked), 40.0).keys[REASON_KEY] == reason
        _, summary = sweep.stored(run_id)
        assert {key: summary[key] for key in recorded} == {**recorded, REASON_KEY: reason}
        assert (STOPPED_KEY in summary) == (reason == "stopped")
