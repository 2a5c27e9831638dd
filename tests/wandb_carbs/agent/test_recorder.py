"""The states of a run, with the real SDK."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import wandb

from carbs import CARBS, CarbsError, LinearSpace, LogSpace, Param
from wandb_carbs import WandbCarbs, WandbCarbsError, carbs_from_sweep, load_sweep
from wandb_carbs.agent import reported_curve, sigterm

if TYPE_CHECKING:
    from collections.abc import Callable

ENTITY, PROJECT = "team", "project"
PARAMS = [
    Param("lr", LogSpace(min=1e-5, max=1e-1)),
    Param("batch", LinearSpace(min=16, max=128, is_integer=True)),
]

# The SDK's own sweep() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")


def begin(**options: Any) -> WandbCarbs:
    wandb.init()
    return WandbCarbs(CARBS(params=PARAMS), **options)


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


def test_cost_defaults_to_the_seconds_since(sweep: Any) -> None:
    trial = begin()
    trial.record_observation(0.5)
    _, summary = sweep.stored(trial.suggest()["suggestion_uuid"])
    assert 0 < summary["carbs.cost"] < 60


@pytest.mark.parametrize("cost", [0, -1, float("nan"), float("inf"), "2", 10**400, np.array([1.0, 2.0])])
def test_bad_cost_changes_nothing(sweep: Any, cost: Any) -> None:
    trial = begin()
    with pytest.raises(CarbsError, match="cost"):
        trial.record_observation(0.5, cost)
    assert sweep.counts() == {"running": 1}


def test_second_observation_needs_allow_update(sweep: Any, caplog: pytest.LogCaptureFixture) -> None:
    trial = begin()
    trial.record_observation(0.5, 1)
    with pytest.raises(WandbCarbsError, match="allow_update=True"):
        trial.record_observation(0.6, 1)
    trial.record_failure("late")
    assert "it is kept" in caplog.text
    trial.record_observation(0.7, 1, allow_update=True)
    _, summary = sweep.stored(trial.suggest()["suggestion_uuid"])
    assert (summary["carbs.state"], summary["carbs.objective"]) == ("success", 0.7)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("bad shape"), ("failure", "exception: ValueError")),
        (OutOfMemoryError("CUDA"), ("failure", "out_of_memory")),
        (KeyboardInterrupt(), ("abandoned", "interrupted: KeyboardInterrupt")),
        (SystemExit(1), ("abandoned", "interrupted: SystemExit")),
        (Exception(), ("abandoned", "stopped")),
    ],
)
def test_exception_is_recorded_and_goes_on(sweep: Any, error: BaseException, expected: tuple[str, str]) -> None:
    trial = begin()
    with pytest.raises(type(error)), trial:
        raise error
    assert sweep.outcome(trial) == expected


def test_exception_of_a_run_marked_as_preempted_says_nothing_of_its_hyperparameters(sweep: Any) -> None:
    trial = begin()
    run = wandb.Api().run(f"{ENTITY}/{PROJECT}/{trial.suggest()['suggestion_uuid']}")
    wandb.run.mark_preempting()  # type: ignore[union-attr]
    while run.state != "preempting":  # the SDK sends it from another process
        run.load(force=True)
    with pytest.raises(RuntimeError), trial:
        raise RuntimeError("leaving")
    assert sweep.outcome(trial) == ("abandoned", "preempted")


@pytest.mark.parametrize(
    ("reason", "text"), [(ValueError("bad shape"), "ValueError: bad shape"), (np.array([1, 2]), "[1 2]")]
)
def test_reason_may_be_anything(sweep: Any, reason: object, text: str) -> None:
    with begin() as trial:
        trial.record_failure(reason)
    assert sweep.outcome(trial) == ("failure", text)


def test_end_of_the_block_records_what_the_sdk_had_refused(sweep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = begin()
    with monkeypatch.context() as patch:
        patch.setattr(type(wandb.run.summary), "update", lambda *_: json.dumps({1}))  # type: ignore[union-attr]
        with pytest.raises(TypeError):
            trial.record_observation(0.5, 1)
    with pytest.raises(TypeError), trial:
        raise TypeError("refused")
    assert sweep.outcome(trial) == ("failure", "exception: TypeError")


def test_exception_can_be_held_back(sweep: Any) -> None:
    """The run then ends as failed, and the program goes on after the block."""
    with begin(raise_errors=False) as trial:
        raise ValueError("bad shape")
    assert wandb.run is None
    assert sweep.outcome(trial) == ("failure", "exception: ValueError")
    assert load_sweep(sweep.path).runs[0].record.state == "failed"


def test_exception_after_the_observation_changes_nothing(sweep: Any) -> None:
    trial = begin()
    trial.record_observation(0.5, 1)
    with pytest.raises(ValueError, match="late"), trial:
        raise ValueError("late")
    assert sweep.counts() == {"observation": 1}


def test_leaving_without_a_word_abandons(sweep: Any, caplog: pytest.LogCaptureFixture) -> None:
    with begin() as trial:
        pass
    assert "without recording" in caplog.text
    assert sweep.outcome(trial) == ("abandoned", "nothing was recorded")


def test_handler_of_sigterm_is_called_and_restored(sweep: Any) -> None:
    """A handler that lets the run go on lets it record its observation."""
    calls: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: calls.append(number))
    mine = signal.getsignal(signal.SIGTERM)
    try:
        with begin() as trial:
            os.kill(os.getpid(), signal.SIGTERM)
            assert calls == [signal.SIGTERM]
            assert sweep.outcome(trial) == ("abandoned", "SIGTERM")
            trial.record_observation(0.5, 1)
        assert signal.getsignal(signal.SIGTERM) is mine
        assert sweep.outcome(trial) == ("success", "")
    finally:
        signal.signal(signal.SIGTERM, before)


def test_forgotten_trials_are_let_go(sweep: Any) -> None:

    assert sweep
    trial = begin()
    assert any(reference() is not None for reference in sigterm._watchers)
    del trial
    gc.collect()
    assert all(reference() is None for reference in sigterm._watchers)


@pytest.mark.parametrize("in_block", [True, False])
def test_observation_reaches_the_server_after_the_run_was_finished(sweep: Any, in_block: bool) -> None:
    """Libraries finish the run by themselves."""
    trial = begin()
    with trial if in_block else contextlib.nullcontext():
        wandb.finish()
        trial.record_observation(0.5, 1)
    assert sweep.counts() == {"observation": 1}
    config, summary = sweep.stored(trial.suggest()["suggestion_uuid"])
    assert config["lr"] == trial.suggest()["lr"]
    assert summary["carbs.objective"] == 0.5


def test_exception_after_the_run_was_finished_is_recorded(sweep: Any) -> None:
    trial = begin()

    def train() -> None:
        with trial:
            wandb.finish()
            raise ValueError("bad shape")

    with pytest.raises(ValueError, match="bad shape"):
        train()
    assert sweep.outcome(trial) == ("failure", "exception: ValueError")


def test_no_second_exception_over_the_first(sweep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sweep
    trial = begin()
    with monkeypatch.context() as patch:
        patch.setattr(type(wandb.run.summary), "update", lambda *_: json.dumps({1}))  # type: ignore[union-attr]
        with pytest.raises(ValueError, match="the first"), trial:
            raise ValueError("the first")


@pytest.mark.parametrize("is_finished", [True, False])
def test_second_trial_of_an_observed_run_needs_allow_update_too(sweep: Any, is_finished: bool) -> None:
    trial = begin()
    run = wandb.run
    trial.record_observation(0.5, 1)
    if is_finished:
        wandb.finish()
    second = WandbCarbs(CARBS(params=PARAMS), run)
    assert second.suggest() == trial.suggest()
    with pytest.raises(WandbCarbsError, match="allow_update=True"):
        second.record_observation(0.6, 1)
    second.record_observation(0.7, 1, allow_update=True)
    assert sweep.stored(second.suggest()["suggestion_uuid"])[1]["carbs.objective"] == 0.7


def test_points_go_out_with_the_outcome_whatever_it_is(
    make_sweep: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    first = [{"lr": lr, "batch": 128} for lr in (0.01, 0.02, 0.03)]
    sweep = make_sweep(progress="batch", initial=first)
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        for place in range(3):
            run: Any = wandb.init()
            trial = WandbCarbs.from_sweep(run)
            trial.report(0.3, 16, cost=3)
            trial.report(np.float64(0.25), 32, cost=7)
            trial.report(float("nan"), 64)
            trial.report(0.125, 128, cost=8)
            if place == 0:
                trial.record_observation(0.5, 9)
            elif place == 1:
                trial.record_failure("diverged")
            else:
                os.kill(os.getpid(), signal.SIGTERM)
            run.finish()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caplog.text.count("objective=nan at progress=64 is no point to learn from") == 3
    assert sweep.counts() == {"observation": 1, "failure": 1, "abandoned": 1}
    carbs = carbs_from_sweep(sweep.path)
    whole, stopped = carbs.success_observations
    [failed] = carbs.failure_observations
    for seen, lr in ((whole, 0.01), (failed, 0.02)):
        assert [(point.input, point.output) for point in seen.points] == [
            ({"lr": lr, "batch": 16}, 0.3),
            ({"lr": lr, "batch": 32}, 0.25),
        ]
        assert [point.cost for point in seen.points] == [3, 7]
    assert (stopped.input, stopped.cost) == ({"lr": 0.03, "batch": 32}, 7)
    assert [point.input["batch"] for point in stopped.points] == [16]


def test_a_run_that_goes_on_keeps_its_points_and_ends_where_it_says(make_sweep: Callable[..., Any]) -> None:
    sweep = make_sweep(progress="batch", initial=[{"lr": 0.01, "batch": 128}])
    sweep.use_run_id("again")
    run: Any = wandb.init()
    trial = WandbCarbs.from_sweep(run)
    trial.report(0.3, 16, 1)
    trial.record_abandoned("preempted")
    run.finish()
    run = wandb.init(resume="allow")
    trial = WandbCarbs.from_sweep(run)
    trial.report(0.2, 32, 2)
    trial.report(0.1, 64, 4)
    trial.record_observation(0.1, 4, ran={"batch": 64})
    run.finish()
    [seen] = carbs_from_sweep(sweep.path).success_observations
    assert (seen.input["batch"], [point.input["batch"] for point in seen.points]) == (64, [16, 32])


@pytest.mark.parametrize("is_given", [False, True])
def test_points_cost_seconds_or_what_is_given_as_the_end_does(
    make_sweep: Callable[..., Any], caplog: pytest.LogCaptureFixture, *, is_given: bool
) -> None:
    """Seconds and tokens do not go together: such points are left out, and that is said."""
    sweep = make_sweep(progress="batch", initial=[{"lr": 0.01, "batch": 128}])
    with wandb.init() as run, WandbCarbs.from_sweep(run) as trial:
        trial.report(0.3, 16)
        trial.report(0.25, 32)
        trial.record_observation(0.1, 9 if is_given else None)
    [seen] = carbs_from_sweep(sweep.path).success_observations
    costs = [point.cost for point in seen.points]
    assert ("nothing is learnt from its way, since some of its costs are given" in caplog.text) == is_given
    assert len(costs) == (0 if is_given else 2)
    assert sorted([0, *costs, seen.cost]) == [0, *costs, seen.cost]


def test_a_point_that_costs_less_than_one_before_it_is_left_out_and_that_is_said_once(
    make_sweep: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """A run that goes on from a checkpoint and does not add what it had spent, for example."""
    sweep = make_sweep(progress="batch", initial=[{"lr": 0.01, "batch": 128}])
    sweep.use_run_id("again")
    with wandb.init() as run, WandbCarbs.from_sweep(run) as trial:
        trial.report(0.3, 16, 100)
        trial.record_abandoned("preempted")
    with wandb.init(resume="allow") as run, WandbCarbs.from_sweep(run) as trial:
        trial.report(0.2, 32, 10)
        trial.report(0.1, 64, 20)
        trial.record_failure("diverged")
    [failed] = carbs_from_sweep(sweep.path).failure_observations
    assert [(point.input["batch"], point.cost) for point in failed.points] == [(16, 100)]
    assert caplog.text.count("its cost was 100 at batch=16, and is 10 at batch=32") == 1
    with wandb.init(resume="allow") as run, WandbCarbs.from_sweep(run) as trial:
        trial.record_observation(0.1, 30)
    assert "nothing is learnt from its way, since its cost was 100 at batch=16, and is 30 at batch=128" in caplog.text
    [seen] = carbs_from_sweep(sweep.path).success_observations
    assert (seen.cost, list(seen.points)) == (30, [])


def test_points_of_a_process_that_dies_are_in_the_summary_that_the_sdk_sends(
    make_sweep: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody records the run; its points of the last seconds may be missing."""
    sweep = make_sweep(progress="batch", initial=[{"lr": 0.01, "batch": 128}])
    with wandb.init() as run:
        trial = WandbCarbs.from_sweep(run)
        trial.report(0.3, 16)
        trial.report(0.25, 32)
        monkeypatch.setattr(reported_curve, "_SUMMARY_SECONDS", 0.0)
        trial.report(0.2, 64)
        monkeypatch.undo()
        trial.report(0.1, 96)
    assert sweep.counts() == {"abandoned": 1}
    [seen] = carbs_from_sweep(sweep.path).success_observations
    assert (seen.input["batch"], [point.input["batch"] for point in seen.points]) == (64, [16, 32])


def test_points_that_come_after_the_outcome_are_no_silent_loss(
    make_sweep: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    sweep = make_sweep(progress="batch", initial=[{"lr": lr, "batch": 128} for lr in (0.01, 0.02)])
    with wandb.init() as run:
        trial = WandbCarbs.from_sweep(run)
        trial.record_failure("diverged")
        trial.report(0.3, 16, 1)
        assert "go out only" not in caplog.text
    with wandb.init() as run:
        trial = WandbCarbs.from_sweep(run)
        trial.record_observation(0.5, 9)
        trial.report(0.3, 64, 1)
        assert "points that it reports after it go out only with another one" in caplog.text
        trial.record_observation(0.5, 9, allow_update=True)
    carbs = carbs_from_sweep(sweep.path)
    [failed], [seen] = carbs.failure_observations, carbs.success_observations
    assert [point.input["batch"] for point in failed.points] == [16]
    assert [point.input["batch"] for point in seen.points] == [64]


def test_what_is_no_point_is_refused(make_sweep: Callable[..., Any]) -> None:
    sweep = make_sweep(progress="batch", initial=[{"lr": 0.01, "batch": 64}])
    trial = WandbCarbs.from_sweep(wandb.init())
    wrong: Any
    for wrong, name in (
        (("low", 16), "objective='low' must be a number"),
        ((0.5, None), "progress=None must be a number"),
        ((0.5, 65), "progress=65.0 must be between 0 and 64, which is 'batch' of this run"),
        ((0.5, 16, 0), "cost=0 must be a positive, finite number"),
    ):
        with pytest.raises(CarbsError, match=name):
            trial.report(*wrong)
    trial.record_observation(0.5, 1)
    assert "carbs.curve" not in sweep.stored(trial.suggest()["suggestion_uuid"])[1]
    wandb.finish()
    run = wandb.init()
    trial = WandbCarbs(CARBS(params=PARAMS), wandb_run=run)  # which does not read the definition
    with pytest.raises(WandbCarbsError, match=r"create_sweep\(…, progress='epochs'\)"):
        trial.report(0.5, 16)
    with pytest.raises(CarbsError, match="progress: parameter='bach' must be the name of a hyperparameter; did you"):
        WandbCarbs(CARBS(params=PARAMS), wandb_run=run, progress="bach")
