"""The search for the point of the highest score."""

from __future__ import annotations

import math

import numpy as np
import pytest

from carbs import CARBSParams, LinearSpace, Param
from carbs.arrays import Array
from carbs.models.groups import group
from carbs.models.surrogate import Surrogate
from carbs.search.cost_limit import CostLimit
from carbs.search.maximise import last_resort, maximise, pool_of, sample_of
from carbs.search.situation import Situation
from carbs.spaces.identity import keys
from carbs.spaces.search_space import as_space

SPACE = as_space([Param(name, LinearSpace(0, 1)) for name in ("x", "y")])
EMPTY = np.empty((0, 2))


def situation(config: CARBSParams | None = None) -> Situation:
    rng = np.random.default_rng(0)
    X = SPACE.round(rng.random((12, 2)) * 2)
    models = Surrogate.fit(SPACE, group(X, -np.sum((X - 1) ** 2, axis=1), X[:, 0]), EMPTY)
    return Situation(SPACE, config or CARBSParams(), X, EMPTY, EMPTY, models, rng)


def test_the_peak_of_a_smooth_score_is_found() -> None:
    here = situation()
    peak = np.array([1.234, 0.567])
    pool = pool_of(here, sample_of(here, here.successes), here.successes[:2])
    assert np.array_equal(pool[:2], here.successes[:2])
    x, score = maximise(here, lambda points: -np.sum((points - peak) ** 2, axis=1), pool)
    assert x.tolist() == pytest.approx(peak.tolist(), abs=0.02)
    assert score == pytest.approx(0.0, abs=1e-3)


def test_where_no_point_may_be_chosen_the_score_says_so() -> None:
    here = situation()

    def nothing(points: Array) -> Array:
        return np.full(len(points), -math.inf)

    assert maximise(here, nothing, here.successes)[1] == -math.inf


def test_the_last_resort_is_the_point_of_the_least_cost_that_is_not_taken() -> None:
    here = situation(CARBSParams(max_suggestion_cost=1e-9))
    models = here.models
    limit = CostLimit.of(here, models.predict(models.groups.X).known_log_cost)
    pool = np.array([[1.9, 1.0], [0.1, 1.0], [0.2, 1.0]])
    x, reason = last_resort(models, limit, pool, frozenset())
    assert x.tolist() == [0.1, 1.0]
    assert "less than the limit" in reason
    x, _ = last_resort(models, limit, pool, frozenset(keys(pool[1:2])))
    assert x.tolist() == [0.2, 1.0]
    x, reason = last_resort(models, limit, pool, frozenset(keys(pool)))
    assert "has been tried" in reason
