"""The choice of the kind of proposal, and the models that are kept."""

from __future__ import annotations

from typing import Any

import pytest

from carbs import CARBSParams, ObservationInParam, Param
from carbs.history import History
from carbs.models.surrogate import Surrogate
from carbs.proposer import Proposer, num_awaited
from carbs.request import Request
from carbs.rule import Rule
from carbs.spaces.search_space import as_space
from carbs.spaces.values import ParamDict
from carbs.tuning import DEFAULT
from searches import SMALL

SPACE = as_space(SMALL)
CONFIG = CARBSParams(num_random_samples=3)
PLACES: list[ParamDict] = [{"x": 0.1, "y": 10}, {"x": 0.4, "y": 20}, {"x": 0.7, "y": 40}]


def history(number: int, pending: int = 0) -> History:
    past = History(SPACE)
    for values in PLACES[:number]:
        past.add(ObservationInParam(values, output=float(values["x"]), cost=float(values["y"])))
    for place in range(pending):
        past.remember(f"run {place}", {"x": 0.9, "y": 1 + place})
    return past


def proposer() -> Proposer:
    return Proposer(CONFIG, DEFAULT, Rule(SPACE))


@pytest.mark.parametrize(
    ("succeeded", "pending", "awaited"), [(0, 0, 3), (1, 0, 2), (1, 5, 1), (2, 0, 1), (2, 1, 0), (3, 0, 0)]
)
def test_running_configurations_count_once_two_runs_have_succeeded(succeeded: int, pending: int, awaited: int) -> None:
    assert num_awaited(CONFIG, history(succeeded, pending), SPACE) == awaited


def test_the_first_runs_are_drawn_and_say_how_many_are_missing() -> None:
    proposal = proposer().propose(history(1), [], Request())
    assert proposal.log["kind"] == "random"
    assert proposal.log["reason"] == "2 more runs are needed before the model suggests"
    assert proposer().propose(history(3), [], Request()).log["kind"] in ("model", "resample")


def test_wanted_configurations_come_first_unless_a_cost_is_asked_about() -> None:
    wanted: ParamDict = {"x": 0.25, "y": 15}
    assert proposer().propose(history(0), [wanted], Request()).log["kind"] == "initial"
    assert "target_objective" in proposer().propose(history(3), [wanted], Request(for_cost=20.0)).log


def test_models_are_fitted_once_for_a_history(monkeypatch: pytest.MonkeyPatch) -> None:
    past, fits, fit = history(3), [], Surrogate.fit

    def counted(*args: Any) -> Surrogate:
        fits.append(1)
        return fit(*args)

    monkeypatch.setattr(Surrogate, "fit", counted)
    own = proposer()
    own.propose(past, [], Request())
    past.remember("run", {"x": 0.5, "y": 5})  # a running configuration changes no observation
    own.propose(past, [], Request())
    assert len(fits) == 1
    past.add(ObservationInParam({"x": 0.5, "y": 5}, output=0.5, cost=5.0))
    own.propose(past, [], Request())
    assert len(fits) == 2


def test_where_the_models_fail_the_draw_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> Surrogate:
        raise FloatingPointError("no digits left")

    monkeypatch.setattr(Surrogate, "fit", fail)
    proposal = proposer().propose(history(3), [], Request())
    assert proposal.log["kind"] == "random"
    assert "no digits left" in proposal.log["reason"]
    assert "Suggesting at random" in caplog.text


def test_points_on_the_way_bring_the_models_sooner_unless_all_runs_are_equally_long() -> None:
    way = [ObservationInParam({"x": 0.1, "y": number}, 0.1, float(number)) for number in (2, 4, 8)]
    run = ObservationInParam({"x": 0.1, "y": 10}, 0.1, 10.0, points=way)
    for fixed, awaited in ((None, 1), (10, 2)):
        space = as_space([SMALL[0], Param("y", SMALL[1].space, fixed=fixed)])
        past = History(space)
        past.add(run)
        assert num_awaited(CONFIG, past, space) == awaited
