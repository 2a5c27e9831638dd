"""A run that its program ends early, as the models advise it, counts as what it was."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import wandb

from carbs import CARBS, LinearSpace, LogSpace, ObservationInParam, Param
from logged_runs import BEGUN, logged_run, rows_of, sweep_of_losses
from wandb_carbs import WandbCarbs, WandbCarbsError, carbs_from_sweep
from wandb_carbs.agent.early_stop import LoggedStop
from wandb_carbs.sweep.progress import Progress
from wandb_carbs.sweep.runs import RunReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from wandb_carbs.record import RunRecord

# The SDK's own sweep() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")

RATES = (0.003, 0.007, 0.0003, 0.02, 0.0001)


def reached(rate: float, done: int) -> float:
    """Return the objective of a run that is so far; the best rate is 0.001."""
    return -abs(math.log10(rate) + 3) - 1 / done


def begin(rate: float) -> WandbCarbs:
    """Begin a run of this rate, and of 128, where five others are sweep."""
    wandb.init()
    params = [Param("lr", LogSpace(min=1e-5, max=1e-1)), Param("batch", LinearSpace(16, 128, is_integer=True))]
    carbs = CARBS(params=params, initial=[{"lr": rate, "batch": 128}])
    for other in RATES:
        *points, end = (
            ObservationInParam({"lr": other, "batch": done}, reached(other, done), done) for done in (16, 32, 64, 128)
        )
        carbs.observe(replace(end, points=points))
    return WandbCarbs(carbs, progress="batch")


def train(trial: WandbCarbs, rate: float) -> int:
    """Train as long as it is worth it; return how far that was."""
    for done in (16, 32, 64, 96):
        trial.report(reached(rate, done), done, cost=done)
        if trial.should_stop():
            break
    else:
        done = 128
    trial.record_observation(reached(rate, done), cost=done)
    return done


def test_a_hopeless_run_ends_early_and_counts_as_the_shorter_run_that_it_was(make_sweep: Callable[..., Any]) -> None:
    sweep = make_sweep(progress="batch")
    sweep.use_run_id("poor")
    with begin(0.1) as trial:
        done = train(trial, 0.1)
        assert done in (16, 32, 64)
        assert wandb.config["batch"] == done
        wandb.finish()
    config, summary = sweep.stored("poor")
    assert config["batch"] == done
    assert (summary["carbs.state"], summary["carbs.cost"]) == ("success", done)
    stopped = json.loads(summary["carbs.stopped"])
    assert stopped["progress"] == done
    assert "improves the frontier with a probability of" in stopped["why"]
    [last] = carbs_from_sweep(sweep.path).success_observations
    assert last.input == {"lr": 0.1, "batch": done}
    assert [point.input["batch"] for point in last.points] == [each for each in (16, 32, 64) if each < done]


def test_a_good_run_and_one_that_ignores_the_advice_count_as_whole_runs(make_sweep: Callable[..., Any]) -> None:
    sweep = make_sweep(progress="batch")
    sweep.use_run_id("stubborn")
    with begin(0.1) as trial:
        advised = []
        for done in (16, 32, 64, 96):
            trial.report(reached(0.1, done), done, cost=done)
            advised.append(trial.should_stop())
        assert any(advised)
        trial.report(reached(0.1, 128), 128, cost=128)  # its end, which is no point on its way
        assert not trial.should_stop()
        trial.record_observation(reached(0.1, 128), cost=128)
        wandb.finish()
    sweep.use_run_id("good")
    with begin(0.001) as trial:
        assert train(trial, 0.001) == 128
        wandb.finish()
    for run_id in ("stubborn", "good"):
        config, summary = sweep.stored(run_id)
        assert (config["batch"], summary["carbs.cost"]) == (128, 128)
        assert "carbs.stopped" not in summary


def test_without_progress_the_question_has_no_sense_and_before_a_report_no_run_is_stopped(
    make_sweep: Callable[..., Any],
) -> None:
    make_sweep()
    with wandb.init() as run, WandbCarbs.from_sweep(run) as trial:
        with pytest.raises(WandbCarbsError, match="create_sweep\\(…, progress='epochs'\\)"):
            trial.should_stop()
        trial.record_observation(0.5, 1)
    make_sweep(progress="batch")
    with wandb.init() as run, WandbCarbs.from_sweep(run) as trial:
        assert not trial.should_stop()
        trial.record_observation(0.5, 1)


@pytest.mark.parametrize("stops", [True, False])
def test_an_agent_asks_about_a_run_now_and_then_if_the_sweep_says_so(
    monkeypatch: pytest.MonkeyPatch, *, stops: bool
) -> None:
    """Every half a minute, later after a twentieth of the time that the program has run."""
    read: list[str] = []
    progress = Progress("epochs", "epoch", stop=stops)
    good, bad = rows_of(0.9, 0.5, 0.4), rows_of(9.0, 8.9, 8.8)

    def one(_: RunReader, run_id: str) -> RunRecord:
        read.append(run_id)
        return logged_run(bad if len(read) > 2 else good, epochs=16)

    monkeypatch.setattr(RunReader, "one", one)
    sweep = sweep_of_losses(progress)
    carbs = sweep.definition.optimizer()
    for place in range(8):
        values: dict[str, Any] = {"lr": 10 ** -(1.5 + place / 4), "epochs": (1, 2, 16)[place % 3]}
        carbs.observe(ObservationInParam(values, 1 / values["epochs"] + 0.1 * place, 10.0 * values["epochs"]))
    stop = LoggedStop(sweep, carbs, "run 1", {"lr": 0.01, "epochs": 16}, spent=0.0)
    answers = [bool(stop.why(seconds, BEGUN)) for seconds in (5, 29, 31, 40, 62, 900, 910, 950)]
    assert answers == [False, False, False, False, False, stops, False, stops]
    assert len(read) == (4 if stops else 0)
    assert bool(stop.advised) == stops
