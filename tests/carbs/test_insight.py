"""The models of a search, as figures and reports see them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from carbs import CarbsError, LinearSpace, LogSpace, ObservationInParam, Param
from carbs.insight import Calibration, Insight
from sized_runs import PARAMS, observe

SMALL = [Param("x", LinearSpace(0, 1)), Param("y", LogSpace(1, 100))]


@pytest.mark.parametrize("size", [1e200, 1.7e308])
def test_objectives_whose_squares_are_no_floats_are_taken_as_suggest_takes_them(size: float) -> None:
    runs = [ObservationInParam({"x": i / 9, "y": 1.0 + i}, size * math.sin(i), 1.0 + i) for i in range(9)]
    insight = Insight(SMALL, runs)
    believed = insight.believe(insight.groups.X)
    assert np.all(np.isfinite(believed.objective))
    assert np.max(np.abs(insight.groups.y)) == 1e150
    assert all(0 <= importance.objective <= 1 for importance in insight.importance())


def test_points_on_the_way_teach_the_models_and_are_no_runs() -> None:
    def run(x: float, *, has_points: bool) -> ObservationInParam:
        way = [ObservationInParam({"x": x, "y": y}, math.log(y), y) for y in (1.0, 10.0, 90.0)]
        return ObservationInParam({"x": x, "y": 95.0}, math.log(95), 95.0, points=way if has_points else ())

    ends, whole = (Insight(SMALL, [run(i / 4, has_points=has) for i in range(5)]) for has in (False, True))
    assert len(whole.successes) == whole.groups.size == 5
    cheap = whole.space.encode([{"x": 0.6, "y": 10.0}])
    assert whole.believe(cheap).cost[0] == pytest.approx(10, rel=0.2)
    assert whole.believe(cheap).objective[0] == pytest.approx(math.log(10), abs=0.5)
    assert ends.believe(cheap).objective_high[0] - ends.believe(cheap).objective_low[0] > 0
    assert ends.believe(cheap).cost[0] > 50


def test_importance_shows_what_matters() -> None:
    """The size drives the cost and most of the objective, the rate some of it; the choice does nothing."""
    importance = {item.name: item for item in Insight(PARAMS, observe()[:40]).importance()}
    assert importance["size"].cost > 0.9
    assert importance["rate"].cost < 0.05
    assert importance["size"].objective > importance["rate"].objective > 2 * importance["kind"].objective


def test_dependence_varies_one_parameter() -> None:
    """The grid covers the space, the others are held, and the best rate is where it is."""
    insight = Insight(PARAMS, observe()[:40])
    with pytest.raises(CarbsError, match="no hyperparameter is called 'epochs'"):
        insight.dependence("epochs", 1.0)
    with pytest.raises(CarbsError, match="cost=0 must be a positive"):
        insight.best_at(0)
    with pytest.raises(CarbsError, match="config=5 must be a CARBSParams"):
        Insight(PARAMS, observe()[:40], 5)  # type: ignore[arg-type]
    found = insight.dependence("rate", 1e3)
    assert found.values[0] == pytest.approx(1e-4)
    assert found.values[-1] == pytest.approx(1.0)
    best = float(found.values[int(np.argmax(found.believed.objective))])
    assert best == pytest.approx(1e-2, rel=1.5)
    assert insight.dependence("kind", 1e3).values == ["a", "b"]


def test_coverage_of_a_right_prediction_is_its_level() -> None:
    rng = np.random.default_rng(0)
    levels = np.array([0.1, 0.5, 0.9])
    seen = rng.standard_normal(20_000)
    assert Calibration(0 * seen, np.ones(20_000), seen).coverage(levels) == pytest.approx(levels, abs=0.02)
    assert Calibration(0 * seen, np.full(20_000, 0.5), seen).coverage(levels)[2] < 0.7


def test_a_picture_of_predictions_leaves_out_what_is_far_out() -> None:
    """A run that diverged, and a wild prediction; where all are wild, all are shown."""
    predicted, seen = np.array([0.4, 0.5, 0.6, 0.5, 1e80]), np.array([0.45, 0.5, 0.7, 1e196, 0.5])
    shown = Calibration(predicted, np.ones(5), seen).without_outliers()
    assert shown.seen.tolist() == [0.45, 0.5, 0.7]
    assert shown.predicted.tolist() == [0.4, 0.5, 0.6]
    assert len(shown.deviation) == 3
    wild = Calibration(np.full(5, 1e80), np.ones(5), seen)
    assert wild.without_outliers() is wild
    constant = Calibration(np.array([0.0, 9.0]), np.ones(2), np.ones(2))
    assert constant.without_outliers().seen.tolist() == [1.0, 1.0]
    assert len(Calibration(*np.empty((3, 0))).without_outliers().seen) == 0
