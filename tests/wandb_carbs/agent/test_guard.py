"""A program that trains with other values than its suggestion does not go unnoticed."""

from __future__ import annotations

import json
from typing import Any

import pytest
import wandb

from carbs import CARBS, CarbsError
from live_sweep import PARAMS
from wandb_carbs import (
    DrawnArgumentsWarning,
    LateSuggestionWarning,
    RefusedChangeWarning,
    WandbCarbs,
    WandbCarbsError,
    load_sweep,
)
from wandb_carbs.agent.own_run import logged_with
from wandb_carbs.report.data import ReportData

# The SDK's own sweep() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")


def test_warning_names_both_values_and_the_run_is_marked(sweep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["train.py", "--lr=7", "--epochs=3"])
    run = wandb.init()
    with pytest.warns(DrawnArgumentsWarning, match=r"lr=7 \(suggested: 0\.\d+\).*wandb-carbs agent.*command="):
        trial = WandbCarbs(CARBS(params=PARAMS))
    _, summary = sweep.stored(run.id)
    assert json.loads(summary["carbs.drawn_arguments"]) == {"lr": "7"}
    trial.record_observation(0.5, 1)
    assert sweep.counts() == {"observation": 1}
    (doubt,) = ReportData(load_sweep(sweep.path)).doubts
    assert doubt.startswith("1 of 1 runs were started with arguments that say other values")


def test_arguments_can_be_refused(sweep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["train.py", "--lr=7"])
    wandb.init()
    with pytest.raises(WandbCarbsError, match="lr=7"):
        WandbCarbs(CARBS(params=PARAMS), refuse_arguments=True)
    assert sweep.counts() == {"abandoned": 1}


def test_suggested_arguments_leave_no_mark(sweep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["train.py", "--epochs=3"])
    run = wandb.init()
    WandbCarbs(CARBS(params=PARAMS))
    assert "carbs.drawn_arguments" not in sweep.stored(run.id)[1]


@pytest.mark.slow
def test_a_suggestion_that_comes_after_the_training_is_named_and_the_run_is_marked(sweep: Any) -> None:
    run = wandb.init(config={"lr": 0.5, "batch": 3})
    run.log({"loss": 1.0})
    with pytest.warns(LateSuggestionWarning, match=r"lr=0\.5 \(suggested: .*batch=3 .*right after wandb\.init"):
        trial = WandbCarbs(CARBS(params=PARAMS))
    trial.record_observation(0.5, 1)
    assert json.loads(sweep.stored(run.id)[1]["carbs.drawn_arguments"]) == {"lr": "0.5", "batch": "3"}
    (doubt,) = ReportData(load_sweep(sweep.path)).doubts
    assert "or had logged before these were there" in doubt


@pytest.mark.slow
def test_a_late_suggestion_can_be_refused(sweep: Any) -> None:
    run = wandb.init(config={"lr": 0.5})
    run.log({"loss": 1.0})
    with pytest.raises(WandbCarbsError, match=r"lr=0\.5"):
        WandbCarbs(CARBS(params=PARAMS), refuse_arguments=True)
    assert sweep.counts() == {"abandoned": 1}


@pytest.mark.slow
def test_a_run_that_had_its_suggestion_before_it_logged_has_trained_with_it(sweep: Any) -> None:
    """It was started again, or an agent took its suggestion before it began."""
    sweep.use_run_id("again")
    wandb.init(config={"lr": 0.5})
    first = WandbCarbs(CARBS(params=PARAMS)).suggest()
    wandb.finish(exit_code=1)
    run = wandb.init(resume="allow")
    run.log({"loss": 1.0})
    again = WandbCarbs(CARBS(params=PARAMS))
    assert again.suggest() == first
    assert not sweep.stored(run.id)[1].get("carbs.drawn_arguments")


def test_a_run_whose_steps_are_not_known_is_not_doubted() -> None:
    class Shared:
        starting_step = 0

        @property
        def step(self) -> int:
            raise RuntimeError("shared")

    assert logged_with(Shared()) == {}


@pytest.mark.slow
def test_a_change_is_named_and_the_search_learns_what_was_run(sweep: Any) -> None:
    run: Any = wandb.init()
    trial = WandbCarbs(CARBS(params=PARAMS))
    suggested = trial.suggest()
    with pytest.warns(RefusedChangeWarning, match=r"lr=0\.05 \(suggested: .*record_observation\(…, ran={'lr': …}\)"):
        run.config.update({"lr": 0.05}, allow_val_change=True)
    run.config.lr = 0.05  # the same once more is no news
    with pytest.raises(CarbsError, match="'lr': value 7"):
        trial.record_observation(0.5, 1, ran={"lr": 7})
    with pytest.raises(CarbsError, match="'lrr' is unknown"):
        trial.record_observation(0.5, 1, ran={"lrr": 0.05})
    trial.record_observation(0.5, 1)
    _, summary = sweep.stored(run.id)
    assert json.loads(summary["carbs.refused_changes"]) == {"lr": 0.05}
    assert ReportData(load_sweep(sweep.path)).doubts[0].startswith("the programs of 1 of 1 runs wrote other values")
    trial.record_observation(0.6, 1, allow_update=True, ran={"lr": 0.05})
    (seen,) = load_sweep(sweep.path).runs
    assert seen.suggestion == {"lr": 0.05, "batch": suggested["batch"]}
    assert run.config["lr"] == 0.05
    assert not ReportData(load_sweep(sweep.path)).changed


@pytest.mark.slow
def test_changes_can_be_refused(sweep: Any) -> None:
    run: Any = wandb.init()
    trial = WandbCarbs(CARBS(params=PARAMS), refuse_arguments=True)
    with pytest.raises(WandbCarbsError, match=r"lr=0\.05"):
        run.config["lr"] = 0.05
    assert run.config["lr"] == trial.suggest()["lr"]
    assert sweep.counts() == {"abandoned": 1}
