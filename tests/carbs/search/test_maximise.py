"""The search for the point of the highest score."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from carbs import CARBSParams, LinearSpace, Param
from carbs.arrays import Array
from carbs.models.groups import group
from carbs.models.surrogate import Surrogate
from carbs.search.cost_limit import CostLimit
from carbs.search.maximise import last_resort, maximise, pool_of, sample_of
from carbs.search.situation import Situation
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


def resort(cap: float, pool: Array, seen: Array, **options: Any) -> tuple[list[float], str]:
    """Return the last resort; the log cost is the first coordinate, and the more of the second the better."""
    here = replace(situation(CARBSParams(max_suggestion_cost=cap)), **options)
    limit = CostLimit.of(here, here.models.predict(here.models.groups.X).known_log_cost)
    x, reason = last_resort(here, limit, pool, seen, lambda points: points[:, 1])
    return x.tolist(), reason


NEW = np.array([[1.9, 1.0], [0.3, 1.0], [0.6, 1.0]])
SEEN = np.array([[0.4, 0.9], [0.5, 1.1], [1.9, 1.9]])


def test_below_the_cap_the_last_resort_is_the_surest_new_point() -> None:
    x, reason = resort(1e3, np.vstack([SEEN, NEW]), SEEN)
    assert x == [0.3, 1.0]
    assert "less than the limit" in reason
    assert resort(1e3, np.vstack([SEEN, NEW]), SEEN, failures=NEW[1:2])[0] == [0.6, 1.0]


def test_where_no_new_point_is_below_the_cap_the_most_useful_repeat_that_is_below_it_is_run() -> None:
    x, reason = resort(math.e, NEW[:1], SEEN)
    assert x == [0.5, 1.1]
    assert "below the limit of cost" in reason


def test_where_every_point_has_been_tried_the_most_useful_is_run_again() -> None:
    x, reason = resort(1e3, np.vstack([SEEN, NEW]), np.vstack([SEEN, NEW]))
    assert x == [1.9, 1.9]
    assert "in reach has been tried" in reason
    given = np.array([math.nan, 1.0])
    assert resort(1e3, NEW, np.vstack([SEEN, NEW]), given=given)[0][1] == 1.0
    assert resort(1e3, NEW, NEW[:0], failures=NEW)[1] == "every configuration in reach has been tried"


def test_where_nothing_is_below_the_cap_the_last_resort_is_the_cheapest_new_point() -> None:
    x, reason = resort(1e-9, np.vstack([SEEN, NEW]), SEEN)
    assert x == [0.3, 1.0]
    assert "more than the limit" in reason
