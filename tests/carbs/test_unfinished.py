"""A run that goes on is judged by what was seen of it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from carbs import (
    CARBS,
    CarbsError,
    CARBSParams,
    CategoricalSpace,
    LinearSpace,
    LogSpace,
    ObservationInParam,
    OrdinalSpace,
    Param,
    ParamDict,
    Prospect,
)
from carbs.models.surrogate import Surrogate

EPOCHS = Param("epochs", LogSpace(min=1, max=64, is_integer=True))
PARAMS = [Param("rate", LogSpace(min=1e-5, max=1e-1)), EPOCHS, Param("kind", CategoricalSpace(("a", "b")))]


def result(values: ParamDict, epochs: float, sign: int = 1) -> ObservationInParam:
    """Return what a run has reached after so many epochs; the best rate is 0.001."""
    quality = -abs(math.log10(float(values["rate"])) + 3) - 1 / math.sqrt(epochs)
    return ObservationInParam({**values, "epochs": epochs}, sign * quality, 2.0 * epochs)


def configuration(rate: float, name: str = "one") -> ParamDict:
    return {"rate": rate, "epochs": 64, "kind": "a", "suggestion_uuid": name}


def way(rate: float, *epochs: int, sign: int = 1) -> list[ObservationInParam]:
    return [result({"rate": rate, "kind": "a"}, number, sign) for number in epochs]


def searched(sign: int = 1) -> CARBS:
    """A search of 14 runs whose best rate is known."""
    carbs = CARBS(CARBSParams(better_direction_sign=sign), PARAMS)
    for place in range(14):
        values: ParamDict = {"rate": 10 ** -(1 + place * 5 % 14 / 3.5), "kind": "ab"[place % 2]}
        carbs.observe(result(values, (4, 16, 64)[place % 3], sign))
    return carbs


@pytest.fixture(scope="module")
def known() -> CARBS:
    return searched()


@pytest.mark.parametrize("sign", [1, -1])
def test_a_run_that_has_diverged_is_stopped_whatever_the_models_make_of_it(sign: int) -> None:
    diverged = [replace(point, output=-sign * 1e4 * place) for place, point in enumerate(way(0.001, 2, 4, 8), 1)]
    assert searched(sign).judge(configuration(0.001), diverged, "epochs") == Prospect(
        True, 0.0, "improves the frontier with a probability of less than 0.001"
    )


@pytest.mark.parametrize("sign", [1, -1])
def test_a_hopeless_run_is_stopped_and_one_that_may_be_the_best_is_not(sign: int) -> None:
    carbs = searched(sign)
    hopeless = carbs.judge(configuration(0.1), way(0.1, 2, 4, 8, sign=sign), "epochs")
    assert hopeless.stop
    assert hopeless.chance is not None
    assert hopeless.chance < 0.05
    promising = carbs.judge(configuration(0.001), way(0.001, 2, 4, 8, sign=sign), "epochs")
    assert not promising.stop
    assert promising.chance is not None
    assert promising.chance > 0.5
    assert "with a probability of" in promising.reason


def test_the_prospect_is_the_same_each_time_and_in_any_order_and_changes_nothing(known: CARBS) -> None:
    points = way(0.005, 2, 4, 8, 16)
    before = known.suggest(is_suggestion_remembered=False).suggestion
    prospect = known.judge(configuration(0.005), points, "epochs")
    assert known.judge(configuration(0.005), points[::-1], "epochs") == prospect
    assert known.suggest(is_suggestion_remembered=False).suggestion == before
    assert len(known.success_observations) == 14


def test_no_run_is_stopped_before_a_tenth_of_its_way_or_without_a_point(known: CARBS) -> None:
    early = known.judge(configuration(0.1), way(0.1, 2, 6), "epochs")
    assert (early.stop, early.chance) == (False, None)
    assert early.reason == "is before a tenth of its epochs=64"
    assert known.judge(configuration(0.1), way(0.1, 2, 7), "epochs").stop
    assert known.judge(configuration(0.1), [], "epochs").reason == "has no point on its way yet"


def test_a_run_that_is_at_its_end_but_for_rounding_is_not_stopped() -> None:
    carbs = CARBS(params=[PARAMS[0], Param("epochs", LogSpace(min=1, max=64)), PARAMS[2]])
    carbs.initialize_from_observations(searched().success_observations)
    points = [*way(0.1, 2, 4, 8), result({"rate": 0.1, "kind": "a"}, 64 * (1 - 1e-14))]
    prospect = carbs.judge(configuration(0.1), points, "epochs")
    assert (prospect.stop, prospect.reason) == (False, "is at its epochs=64, but for rounding")


def test_a_run_that_is_a_little_worse_than_others_where_all_begin_alike_has_not_diverged() -> None:
    """Losses of 2.303, that of a guess among ten, say nothing for some epochs; some rates raise them a little first."""
    carbs = CARBS(CARBSParams(better_direction_sign=-1), PARAMS)
    for place in range(12):
        values: ParamDict = {"rate": 10 ** -(1 + place * 5 % 12 / 3), "kind": "ab"[place % 2]}
        *points, end = (
            replace(result(values, epochs), output=2.303 + 1e-4 * (place % 3) - 0.03 * max(epochs - 16, 0))
            for epochs in (2, 8, (16, 32, 64)[place % 3])
        )
        carbs.observe(replace(end, points=points))
    seen = [replace(point, output=2.31) for point in way(0.001, 2, 8)]
    prospect = carbs.judge(configuration(0.001), seen, "epochs")
    assert prospect.chance is not None
    assert prospect.chance > 0.05


def test_one_run_in_ten_goes_to_its_end_by_its_identifier(known: CARBS) -> None:
    points = way(0.1, 2, 4, 8)
    prospects = [known.judge(configuration(0.1, f"run {number}"), points, "epochs") for number in range(100)]
    excused = [prospect for prospect in prospects if not prospect.stop]
    assert 3 <= len(excused) <= 20
    assert {prospect.reason for prospect in excused} == {"is one of the runs, one in 10, that go to their end"}


def test_the_first_runs_of_a_search_go_to_their_end() -> None:
    carbs = CARBS(params=PARAMS)
    for number in range(3):
        carbs.observe(result({"rate": 10.0 ** -(2 + number), "kind": "a"}, 64))
        prospect = carbs.judge(configuration(0.1), way(0.1, 2, 4, 8), "epochs")
        assert (prospect.stop, prospect.chance) == (False, None)
    assert prospect.reason == "goes on, as 1 more run is needed before one can be judged"


def test_points_of_runs_that_were_stopped_are_learnt(known: CARBS) -> None:
    carbs = searched()
    for number in range(6):
        *before, last = way(0.03 * 1.1**number, 2, 4, 8)
        carbs.observe(replace(last, points=before))
    shifted = [replace(point, output=point.output + 0.4) for point in way(0.004, 4, 8)]
    first, second = (one.judge(configuration(0.004), shifted, "epochs").chance for one in (known, carbs))
    assert first is not None
    assert first != second


def test_a_model_that_cannot_be_used_stops_no_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> Surrogate:
        raise np.linalg.LinAlgError("no factor")

    monkeypatch.setattr(Surrogate, "fit", fail)
    prospect = searched().judge(configuration(0.1), way(0.1, 2, 4, 8), "epochs")
    assert (prospect.stop, prospect.chance) == (False, None)
    assert "goes on, as the model could not be used" in prospect.reason
    assert "could not be used" in caplog.text


@pytest.mark.parametrize("space", [OrdinalSpace((1, 2, 4, 8, 16, 32, 64)), LinearSpace(min=1, max=64, is_integer=True)])
def test_any_hyperparameter_with_ordered_positive_values_can_be_passed_through(
    space: OrdinalSpace | LinearSpace,
) -> None:
    carbs = CARBS(params=[PARAMS[0], Param("epochs", space), PARAMS[2]])
    carbs.initialize_from_observations(searched().success_observations)
    assert carbs.judge(configuration(0.1), way(0.1, 2, 4, 8), "epochs").stop


@pytest.mark.parametrize(
    ("changed", "points", "parameter", "message"),
    [
        ({}, way(0.1, 2), "epoch", "parameter 'epoch' is unknown; did you mean 'epochs'"),
        ({}, way(0.1, 2), "kind", "parameter='kind' must be a hyperparameter whose values are positive numbers"),
        ({"epochs": 100}, way(0.1, 2), "epochs", "parameter 'epochs': value 100 must be"),
        ({}, way(0.02, 2), "epochs", "must be the result of this run before its epochs=64"),
        ({}, way(0.1, 64), "epochs", "must be the result of this run before its epochs=64"),
        ({}, [replace(way(0.1, 2)[0], output=math.nan)], "epochs", "must not hold a failure"),
        ({}, [replace(way(0.1, 2)[0], cost=0.0)], "epochs", "cost=0.0 must be a positive"),
        ({}, 3, "epochs", "must be a list of ObservationInParam"),
    ],
)
def test_invalid_runs_are_refused_by_name(
    known: CARBS, changed: ParamDict, points: list[ObservationInParam], parameter: str, message: str
) -> None:
    with pytest.raises(CarbsError) as caught:
        known.judge({**configuration(0.1), **changed}, points, parameter)
    assert message in str(caught.value)


FIXED = [PARAMS[0], replace(EPOCHS, fixed=64), PARAMS[2]]


def equally_long(ends: int, sign: int = 1) -> CARBS:
    """A search whose runs all have 64 epochs and points on their ways; those of bad rates come first."""
    carbs = CARBS(CARBSParams(better_direction_sign=sign), FIXED)
    for place in range(ends):
        values: ParamDict = {"rate": 10 ** -(1 + 2 * place / ends), "kind": "ab"[place % 2]}
        points = [result(values, number, sign) for number in (2, 4, 8, 16, 32)]
        carbs.observe(replace(result(values, 64, sign), points=points))
    return carbs


@pytest.mark.parametrize("sign", [1, -1])
def test_of_equally_long_runs_only_the_ends_are_rivals(sign: int) -> None:
    carbs = equally_long(12, sign)
    assert carbs.judge(configuration(0.1), way(0.1, 2, 4, 8, sign=sign), "epochs").stop
    promising = carbs.judge(configuration(0.001), way(0.001, 2, 4, 8, sign=sign), "epochs")
    assert promising.chance is not None
    assert promising.chance > 0.5


def test_equally_long_runs_are_judged_once_four_have_come_to_their_ends() -> None:
    carbs = equally_long(3)
    for rate in (0.05, 0.06, 0.07):
        *points, last = way(rate, 2, 4, 8)
        carbs.observe(replace(last, points=points))
    prospect = carbs.judge(configuration(0.1), way(0.1, 2, 4, 8), "epochs")
    assert prospect.reason == "goes on, as 1 more run is needed before one can be judged"
    carbs.observe(result({"rate": 0.01, "kind": "b"}, 64))
    assert carbs.judge(configuration(0.1), way(0.1, 2, 4, 8), "epochs").chance is not None


def test_suggestions_are_as_long_as_all_runs_and_no_stopped_run_comes_again() -> None:
    carbs, seen = CARBS(params=FIXED), set()
    for place in range(24):
        output = carbs.suggest()
        values = output.suggestion
        assert values["epochs"] == 64
        assert (values["rate"], values["kind"]) not in seen
        seen.add((values["rate"], values["kind"]))
        *points, end = (result(values, number) for number in (2, 4, 8, 16, 32, 64))
        if place % 3 == 2:  # stopped
            *points, end = points[:4]
        carbs.observe(replace(end, points=points))
    best = max(run.output for run in carbs.success_observations if run.input["epochs"] == 64)
    assert best > -0.2


def test_runs_that_were_cut_short_do_not_make_up_for_whole_ones() -> None:
    """No model knows what a whole run costs, or brings, as long as none was seen."""
    carbs = CARBS(params=FIXED)
    for rate in (0.1, 0.03, 0.01, 0.003, 0.002):
        *points, last = way(rate, 2, 4, 8)
        carbs.observe(replace(last, points=points))
    assert carbs.num_awaited == 4
    output = carbs.suggest()
    assert (output.log["kind"], output.suggestion["epochs"]) == ("random", 64)
