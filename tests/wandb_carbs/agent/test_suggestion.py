"""Taking a suggestion that no other agent has, with the real SDK."""

from __future__ import annotations

import json
import logging
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import wandb

from carbs import CARBS, CARBSParams, LinearSpace, LogSpace, ObservationInParam, Param
from wandb_carbs import WandbCarbs, WandbCarbsError, create_sweep
from wandb_carbs.sweep import runs
from wandb_carbs.sweep.path import SweepPath
from wandb_carbs.sweep.runs import RunReader

if TYPE_CHECKING:
    from collections.abc import Callable

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


def test_run_that_names_another_project_is_in_its_sweeps(sweep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The local server keeps it there."""
    monkeypatch.setenv("WANDB_PROJECT", "elsewhere")
    wandb.teardown()
    with wandb.init() as run, WandbCarbs.from_sweep(run) as trial:
        trial.record_observation(0.5, 1)
    assert sweep.stored(run.id)[1]["carbs.objective"] == 0.5


def test_run_in_another_project_than_its_sweep(sweep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On W&B itself it would be there; it would see no other run, and none would see it."""
    create_sweep("other", ENTITY, "elsewhere", PARAMS)
    with wandb.init() as run:
        monkeypatch.setattr(type(run), "project", "elsewhere")
        expected = f"run {run.id} is in project {ENTITY}/elsewhere, where there is no sweep {sweep.id}"
        expected += ": set WANDB_ENTITY and WANDB_PROJECT"
        with pytest.raises(WandbCarbsError, match=expected):
            WandbCarbs(CARBS(params=PARAMS))
        with pytest.raises(WandbCarbsError, match=expected):
            WandbCarbs.from_sweep(run)


def list_late(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let the first readings miss the runs."""
    read, missed = RunReader.all, []

    def late(reader: RunReader) -> Any:
        missed.append(reader)
        return [] if len(missed) <= times else read(reader)

    monkeypatch.setattr(RunReader, "all", late)


@pytest.mark.parametrize(("times", "warns"), [(1, False), (2, True)])
def test_run_that_is_listed_late_goes_on(
    sweep: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, times: int, warns: bool
) -> None:
    list_late(monkeypatch, times)
    assert begin().suggest()
    assert ("does not list run" in caplog.text) is warns
    assert sweep.counts() == {"running": 1}


def test_history_is_fed_and_told(sweep: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "wandb_carbs")
    for i in range(3):
        sweep.put(f"good{i}", {"lr": 0.01, "batch": 20 + i}, GOOD)
    sweep.put("failed", {"lr": 0.1, "batch": 20}, {"carbs.state": "failure"}, exit_code=1)
    sweep.put("pending", {"lr": 0.001, "batch": 20}, {"carbs.state": "running"}, exit_code=None)
    sweep.put("starting", {}, {}, exit_code=None)
    sweep.put("crashed", {"lr": 0.001, "batch": 20}, {"carbs.state": "running"}, exit_code=1)
    carbs = CARBS(params=PARAMS)
    wandb.init()
    trial = WandbCarbs(carbs)
    assert len(carbs.success_observations) == 3
    assert carbs.success_observations[0] == ObservationInParam({"lr": 0.01, "batch": 20}, 0.5, 2.0)
    assert len(carbs.failure_observations) == 1
    assert set(carbs.outstanding_suggestions) == {"pending", "starting", trial.suggest()["suggestion_uuid"]}
    assert "observation 3, failure 1, running 1, foreseen 1, abandoned 1, skipped 0" in caplog.text


def test_an_optimizer_that_outlives_a_run_sees_nothing_twice(sweep: Any) -> None:
    carbs = CARBS(params=PARAMS)
    for _ in range(2):
        with wandb.init():
            WandbCarbs(carbs).record_observation(0.5, 1)
    with wandb.init():
        WandbCarbs(carbs)
        assert len(carbs.success_observations) == 2
    assert sweep.counts() == {"observation": 2, "abandoned": 1}


def publish_the_same_meanwhile(sweep: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let another agent, of whose run the first read knew nothing, publish just the same; return what, once it has."""
    drawn: list[Any] = []
    read = RunReader.changed

    def late(reader: RunReader, *arguments: Any) -> Any:
        if not drawn:
            drawn.extend(sweep.stored(wandb.run.id))  # type: ignore[union-attr]
            sweep.put("other", drawn[0], {"carbs.state": "running"}, exit_code=None)
        return read(reader, *arguments)

    monkeypatch.setattr(RunReader, "changed", late)
    return drawn


def test_equal_configuration_published_meanwhile_is_drawn_again(sweep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = publish_the_same_meanwhile(sweep, monkeypatch)
    suggestion = begin().suggest()
    suggestion.pop("suggestion_uuid")
    assert suggestion != drawn[0]
    assert sweep.stored(wandb.run.id)[0] == suggestion  # type: ignore[union-attr]


def test_two_agents_do_not_repeat_the_same_run_at_once(
    make_sweep: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repeats are equal to a run that is over on purpose, but not to one under way."""
    params = [Param("layers", LinearSpace(min=1, max=3, is_integer=True))]
    config = CARBSParams(num_random_samples=3, resample_frequency=1)
    sweep = make_sweep(params)
    for layers in (1, 2, 3):
        summary = {"carbs.state": "success", "carbs.objective": float(layers), "carbs.cost": 2.0**layers}
        sweep.put(f"run-{layers}", {"layers": layers}, summary)
    drawn = publish_the_same_meanwhile(sweep, monkeypatch)
    wandb.init()
    suggestion = WandbCarbs(CARBS(config, params)).suggest()
    values, summary = drawn
    assert summary["carbs.kind"] == "resample"
    assert suggestion["layers"] != values["layers"]
    assert sweep.stored(suggestion["suggestion_uuid"])[1]["carbs.kind"] == "resample"


@pytest.mark.parametrize("state", ["running", "abandoned"])
def test_configuration_of_an_abandoned_run_is_left_to_it(make_sweep: Callable[..., Any], state: str) -> None:
    """It may be started again, and would then be the second run of that configuration."""
    params = [replace(param, search_center=center) for param, center in zip(PARAMS, (0.01, 32), strict=True)]
    sweep = make_sweep(params)
    sweep.put("lost", {"lr": 0.01, "batch": 32}, {"carbs.state": state}, exit_code=1)
    wandb.init()
    suggestion = WandbCarbs.from_sweep().suggest()
    assert (suggestion["lr"], suggestion["batch"]) != (0.01, 32)
    assert abs(math.log10(suggestion["lr"]) + 2) < 1
    assert sweep.counts() == {"abandoned": 1, "running": 1}


@pytest.mark.parametrize("is_stopped", [True, False])
def test_configuration_that_is_wanted_first_is_run_again_unless_it_was_stopped(
    make_sweep: Callable[..., Any], *, is_stopped: bool
) -> None:
    """W&B's early_terminate would stop it each time, and nothing else would ever be run.

    So would the models, or a program that clips its values.
    """
    first = [{"lr": lr, "batch": 32} for lr in (0.01, 0.02, 0.03, 0.04)]
    sweep = make_sweep(initial=first)
    advised = {"carbs.suggested": json.dumps(first[2])} if is_stopped else {}
    sweep.put("c", first[2], {**GOOD, "carbs.suggestion": json.dumps({"lr": 0.03, "batch": 20}), **advised})
    for name, values in zip(("a", "b"), first, strict=False):
        stopped = {"carbs.stopped": '{"why": "stopped in W&B"}'} if is_stopped else {}
        keys = {"carbs.state": "abandoned", "carbs.suggestion": json.dumps(values), **stopped}
        sweep.put(name, values, keys, exit_code=1)
    wandb.init()
    assert WandbCarbs.from_sweep().suggest()["lr"] == (0.04 if is_stopped else 0.01)


def test_few_configurations_are_used_up_by_abandoned_runs(make_sweep: Callable[..., Any]) -> None:
    sweep = make_sweep([Param("depth", LinearSpace(min=1, max=2, is_integer=True))])
    for depth in (1, 2):
        sweep.put(f"lost{depth}", {"depth": depth}, {"carbs.state": "running"}, exit_code=1)
    wandb.init()
    assert WandbCarbs.from_sweep().suggest()["depth"] in (1, 2)


@pytest.mark.parametrize("is_kept", [True, False])
def test_correction_and_deletion_in_wandb_are_noticed_by_a_process_that_goes_on(sweep: Any, is_kept: bool) -> None:
    """Also by one that keeps its optimizer from run to run."""
    for name, objective in (("right", 0.5), ("wrong", 9.0), ("deleted", 0.7)):
        sweep.put(name, {"lr": 0.01, "batch": 20}, {**GOOD, "carbs.objective": objective})
    sweep.put("pending", {"lr": 0.001, "batch": 20}, {"carbs.state": "running"}, exit_code=None)
    carbs = CARBS(params=PARAMS)
    with wandb.init():
        WandbCarbs(carbs).record_abandoned()
    sweep.put("wrong", {"lr": 0.01, "batch": 20}, {**GOOD, "carbs.objective": 0.9})
    for name in ("deleted", "pending"):
        wandb.Api().run(f"{ENTITY}/{PROJECT}/{name}").delete()
    again = carbs if is_kept else CARBS(params=PARAMS)
    with wandb.init() as run:
        WandbCarbs(again)
        assert [observation.output for observation in again.success_observations] == [0.5, 0.9]
        assert set(again.outstanding_suggestions) == {run.id}


def test_observation_of_ones_own_stays(sweep: Any) -> None:
    """The optimizer may know more than the sweep."""
    carbs = CARBS(params=PARAMS)
    carbs.observe(ObservationInParam({"lr": 0.02, "batch": 20}, 0.1, 1.0))
    sweep.put("good", {"lr": 0.01, "batch": 20}, GOOD)
    for _ in range(2):
        with wandb.init():
            WandbCarbs(carbs).record_abandoned()
    assert [observation.output for observation in carbs.success_observations] == [0.1, 0.5]


def test_earlier_run_that_publishes_late_is_seen_by_the_last_check(sweep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many runs were created after it."""
    monkeypatch.setattr(runs, "_RECENT", 3)
    sweep.put("early", {}, {}, exit_code=None)
    for i in range(5):
        sweep.put(f"later{i}", {"lr": 0.01, "batch": 20 + i}, GOOD)
    drawn: list[dict[str, Any]] = []
    read = RunReader.changed

    def late(reader: RunReader, *arguments: Any) -> Any:
        if not drawn:
            drawn.append(sweep.stored(wandb.run.id)[0])  # type: ignore[union-attr]
            sweep.put("early", drawn[0], {"carbs.state": "running"}, exit_code=None)
        return read(reader, *arguments)

    monkeypatch.setattr(RunReader, "changed", late)
    suggestion = begin().suggest()
    suggestion.pop("suggestion_uuid")
    assert suggestion != drawn[0]


def test_all_runs_that_were_created_meanwhile_are_read(sweep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_RECENT", 3)
    for name in ("known", *(f"new{i}" for i in range(7))):
        sweep.put(name, {}, {}, exit_code=None)
    found = RunReader(SweepPath.parse(sweep.path)).changed({"known"}, {"known"})
    assert {record.id for record in found} == {"known", *(f"new{i}" for i in range(7))}


def test_time_of_a_run_that_is_started_again_is_not_the_present(sweep: Any) -> None:
    """W&B may have heard of it an hour ago, and would show it a run that is gone as alive."""
    for name in ("alive", "gone"):
        sweep.put(name, {"lr": 0.001, "batch": 20}, {"carbs.state": "running"}, exit_code=None)
    sweep.use_run_id("again")
    run = wandb.init()
    sweep.put("again", {}, {"carbs.state": "initializing"}, exit_code=None)
    sweep.was_heard_of("gone", minutes=10)
    sweep.was_heard_of("again", minutes=60)
    trial = WandbCarbs(CARBS(params=PARAMS), run)
    assert set(trial._carbs.outstanding_suggestions) == {"alive", "again"}


@pytest.mark.parametrize(("batch", "is_kept"), [(64, True), (65, False)])
def test_resumed_suggestion_obeys_the_rule(sweep: Any, batch: int, is_kept: bool) -> None:
    begun = {"_wandb": {"t": {"1": [2]}}}
    sweep.put("mine", {"lr": 0.01, "batch": batch, **begun}, {"carbs.state": "running"}, exit_code=1)
    sweep.use_run_id("mine")
    wandb.init(resume="allow")
    found = WandbCarbs.from_sweep(is_valid=lambda values: values["batch"] % 2 == 0).suggest()
    assert found["batch"] % 2 == 0
    assert ((found["lr"], found["batch"]) == (0.01, 64)) is is_kept
