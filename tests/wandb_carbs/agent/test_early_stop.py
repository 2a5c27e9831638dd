"""A run that its program ends early, as the models advise it, counts as what it was."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import wandb

from carbs import CARBS, LinearSpace, LogSpace, ObservationInParam, Param, Prospect
from logged_runs import BEGUN, logged_run, rows_of, sweep_of_losses
from wandb_carbs import WandbCarbs, WandbCarbsError, carbs_from_sweep
from wandb_carbs.agent.early_stop import EarlyStop, LoggedStop
from wandb_carbs.agent.reported_curve import ReportedCurve
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


def begin(rate: float, fixed: int | None = None) -> WandbCarbs:
    """Begin a run of this rate, and of 128, where five others are known; they may all be of 128."""
    wandb.init()
    batch = Param("batch", LinearSpace(16, 128, is_integer=True), fixed=fixed)
    params = [Param("lr", LogSpace(min=1e-5, max=1e-1)), batch]
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


@pytest.mark.parametrize("fixed", [None, 128])
def test_a_hopeless_run_ends_early_and_counts_as_the_shorter_run_that_it_was(
    make_sweep: Callable[..., Any], fixed: int | None
) -> None:
    sweep = make_sweep(progress="batch")
    sweep.use_run_id("poor")
    with begin(0.1, fixed) as trial:
        done = train(trial, 0.1)
        assert done in (16, 32, 64)
        assert wandb.config["batch"] == done
        wandb.finish()
    config, summary = sweep.stored("poor")
    assert config["batch"] == done
    assert (summary["carbs.state"], summary["carbs.cost"]) == ("success", done)
    stopped = json.loads(summary["carbs.stopped"])
    assert stopped["progress"] == done
    assert json.loads(summary["carbs.suggested"]) == {"lr": 0.1, "batch": 128}
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


class Asked:
    """An optimizer that advises the end of a run from a place on, and keeps how many points it was asked about."""

    def __init__(self, end: float) -> None:
        self.end = end
        self.numbers: list[int] = []

    def judge(self, _: object, points: list[ObservationInParam], parameter: str) -> Prospect:
        self.numbers.append(len(points))
        done: Any = max(points, key=lambda point: point.cost).input[parameter]
        return Prospect(done >= self.end, 0.5, "is no good")


def asked_of(carbs: Asked, steps: int) -> tuple[ReportedCurve, EarlyStop]:
    """Return the points of a run of so many steps, and who asks about it."""
    values: Any = {"lr": 0.1, "steps": steps}
    publisher: Any = SimpleNamespace(record=SimpleNamespace(name="r"))
    curve = ReportedCurve(publisher, "steps", LogSpace(1, 1e6, is_integer=True), values)
    optimizer: Any = carbs
    return curve, EarlyStop(optimizer, "r", values, "steps", curve)


def test_a_program_that_asks_at_every_step_is_not_kept_waiting() -> None:
    carbs = Asked(end=1900)
    curve, stop = asked_of(carbs, 2000)
    advised = []
    for step in range(1, 2000):
        curve.add(step, 1.0, float(step), is_given=True)
        advised += [stop.is_advised(), stop.is_advised()]
    assert len(carbs.numbers) < 500
    assert max(carbs.numbers) <= 8
    assert advised == sorted(advised)  # an answer stands until there is another one
    assert advised[-1]
    before = len(carbs.numbers)
    curve.add(1999, 2.0, 1999.0, is_given=True)  # of two reports at one place the last counts
    stop.is_advised()
    stop.is_advised()
    assert len(carbs.numbers) <= before + 1


def test_a_run_that_was_advised_to_end_is_what_it_has_reached() -> None:
    curve, stop = asked_of(Asked(end=20), 100)
    curve.add(10, 1.0, 10.0, is_given=True)
    assert not stop.is_advised()
    assert stop.what_ran(None) == (None, {})
    curve.add(20, 1.0, 20.0, is_given=True)
    assert stop.is_advised()
    ran, keys = stop.what_ran(None)
    assert ran == {"steps": 20}
    assert json.loads(keys["carbs.stopped"]) == {"why": "is no good", "progress": 20}
    # It has clipped another value, too, or gives its configuration as it was.
    assert stop.what_ran({"lr": 0.05})[0] == {"lr": 0.05, "steps": 20}
    assert stop.what_ran({"lr": 0.05, "steps": 100}) == ({"lr": 0.05, "steps": 20}, keys)
    assert stop.what_ran({"steps": 30}) == ({"steps": 30}, {})
    assert stop.what_ran(3) == (3, {})  # which is refused later
    # It goes on for a while: to the end of an epoch, say.
    curve.add(25, 1.0, 25.0, is_given=True)
    curve.add(25.5, 1.0, 25.5, is_given=True)
    assert stop.what_ran(None)[0] == {"steps": 25}
    curve.add(100, 1.0, 100.0, is_given=True)
    assert stop.what_ran(None) == (None, {})


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
