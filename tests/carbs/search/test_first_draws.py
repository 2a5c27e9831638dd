"""The first draws, before the models suggest, and where they cannot."""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest

from carbs import (
    CARBS,
    CARBSParams,
    LinearSpace,
    LogitSpace,
    LogSpace,
    ObservationInParam,
    Param,
    Pow2Space,
)
from carbs.models.surrogate import Surrogate
from searches import SMALL, run, without_id

CENTERED = [Param("x", LinearSpace(0, 1), 0.5), Param("y", LogSpace(1, 100, is_integer=True), 10)]


@pytest.mark.parametrize("wanted", [1, 9], ids=["the model's turn", "first draws"])
def test_a_fit_that_fails_is_tried_and_logged_once(
    wanted: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fits = []

    def fail(*_: object) -> None:
        fits.append(1)
        raise np.linalg.LinAlgError("singular")

    carbs = CARBS(CARBSParams(num_random_samples=wanted), CENTERED)
    for i in range(3):
        carbs.observe(ObservationInParam({"x": i / 3, "y": 1 + i}, float(i), 1.0))
    monkeypatch.setattr(Surrogate, "fit", fail)
    log = carbs.suggest().log
    assert log["kind"] == "random"
    assert ("singular" in log["reason"]) == (wanted == 1)
    assert len(fits) == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "singular" in caplog.text


def test_a_given_center_is_the_first_run_and_early_runs_stay_near() -> None:
    params = [
        Param("n", LogSpace(1e3, 1e12), 1e5),
        Param("t", LogSpace(1e3, 1e12), 1e5),
        Param("z", LinearSpace(), 0.0),
    ]
    highest = []
    for seed in range(7):
        carbs = CARBS(CARBSParams(seed=seed), params)
        rows = run(carbs, 6, lambda v: (math.log(float(v["n"])) - float(v["z"]) ** 2, float(v["n"]) * float(v["t"])))
        assert without_id(rows[0][0]) == {"n": 1e5, "t": 1e5, "z": 0.0}
        highest.append(max(cost for _, _, cost in rows) / rows[0][2])
    # The costs of this space span eighteen orders of magnitude, and nothing says at first what drives them.
    assert np.median(highest) < 30


@pytest.mark.parametrize(
    ("space", "center"),
    [
        (LinearSpace(0, 1), 0.1234567890123456),
        (LinearSpace(), 12345678.901234567),
        (LogSpace(1e-5, 1), 0.00012345678901234567),
        (LogSpace(), 9.87654321098765e20),
        (LogitSpace(), 0.99999999123456789),
        (LinearSpace(0, 2**60, is_integer=True), 2**59 + 1),
        (LogSpace(1, 2**62, is_integer=True), 1234567890123456789),
        (LinearSpace(0, 10, is_integer=True), 4.0),
        (Pow2Space(1, 2**62), 2**61),
    ],
)
def test_the_first_suggestion_is_the_center_to_the_last_digit(
    space: LinearSpace | LogSpace | LogitSpace | Pow2Space, center: float
) -> None:
    params = [Param("x", space, center), Param("other", LinearSpace(0, 1))]
    suggestion = CARBS(params=params).suggest().suggestion
    assert suggestion["x"] == center
    assert type(suggestion["x"]) is (int if space.is_integer else float)


def test_a_center_beside_the_multiples_or_just_out_of_bounds_is_moved_onto_the_nearest_value() -> None:
    params = [
        Param("n", LinearSpace(0, 1000, is_integer=True, rounding_factor=8), 100),
        Param("x", LinearSpace(0, 0.1), float(np.float32(0.1))),
    ]
    assert without_id(CARBS(params=params).suggest().suggestion) == {"n": 96, "x": 0.1}


def test_without_a_center_the_first_runs_spread_over_the_box() -> None:
    carbs = CARBS(params=SMALL)
    x = [float(carbs.suggest().suggestion["x"]) for _ in range(6)]
    assert min(x) < 0.35
    assert max(x) > 0.65


def test_only_failures_move_the_search_away_from_them() -> None:
    carbs = CARBS(params=[Param("x", LogSpace(1e-6, 1e6), 1.0), Param("y", LinearSpace(), 0.0)])
    points = []
    for _ in range(20):
        suggestion = carbs.suggest().suggestion
        points.append(abs(math.log10(float(suggestion["x"]))) + abs(float(suggestion["y"])))
        carbs.observe(ObservationInParam(suggestion, is_failure=True))
    assert max(points[10:]) > 2 * max(points[:4])


def test_a_model_that_fails_after_thousands_of_runs_is_told_and_survived(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from carbs.search import most_gain

    def fail(*_: object) -> None:
        raise np.linalg.LinAlgError("singular")

    carbs = CARBS(params=[Param("x", LinearSpace(0, 1), 0.5), Param("y", LogSpace(1, 100, is_integer=True), 10)])
    for i in range(1100):
        carbs.observe(ObservationInParam({"x": i / 1100, "y": 1 + i % 100}, float(i), 1.0))
    monkeypatch.setattr(most_gain, "propose", fail)
    output = carbs.suggest()
    assert output.log["kind"] == "random"
    assert "singular" in output.log["reason"]
    assert "singular" in caplog.text


def test_many_first_runs_at_once_stay_affordable_in_many_dimensions() -> None:
    params = [Param(f"p{i}", LogSpace(1e-3, 1e3), 1.0) for i in range(8)]
    for seed in range(12):
        carbs = CARBS(CARBSParams(seed=seed), params)
        suggestions = [without_id(carbs.suggest(seed=str(i)).suggestion) for i in range(16)]
        assert max(math.prod(float(value) for value in suggestion.values()) for suggestion in suggestions) < 100


def test_after_a_failure_the_first_runs_spread_over_what_may_succeed() -> None:
    params = [Param(f"x{i}", LinearSpace(0, 1)) for i in range(8)]
    failures = 0
    for seed in range(20):
        carbs, points = CARBS(CARBSParams(seed=seed, num_random_samples=8), params), []
        for _ in range(8):
            suggestion = carbs.suggest().suggestion
            points.append([float(suggestion[param.name]) for param in params])
            fails = points[-1][0] > 0.75
            failures += fails
            carbs.observe(ObservationInParam(suggestion, 1.0, 1.0, is_failure=fails))
        nearest = [min(math.dist(one, other) for other in points if other is not one) for one in points]
        assert min(nearest) > 0.3
    assert failures < 0.25 * 160
