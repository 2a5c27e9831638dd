"""An optimizer can be pickled, copied and sent to another process."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from collections.abc import Callable

import pytest

from carbs import CARBS, CARBSParams, LinearSpace, LogSpace, ObservationInParam, Param, SuggestOutput


def searched() -> CARBS:
    carbs = CARBS(CARBSParams(seed=3), [Param("x", LinearSpace(0, 1)), Param("y", LogSpace(1, 100, is_integer=True))])
    for i in range(8):
        suggestion = carbs.suggest(str(i)).suggestion
        carbs.observe(ObservationInParam(suggestion, float(suggestion["x"]), float(suggestion["y"]), is_failure=i == 3))
    carbs.suggest("waiting")
    return carbs


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda carbs: pickle.loads(pickle.dumps(carbs))])
def test_a_copy_suggests_the_same_and_goes_its_own_way(duplicate: Callable[[CARBS], CARBS]) -> None:
    carbs = searched()
    other = duplicate(carbs)
    assert other.suggest("next") == carbs.suggest("next")
    other.forget_suggestion({"suggestion_uuid": "waiting"})
    other.observe(ObservationInParam({"x": 0.5, "y": 3}, 1.0, 1.0))
    assert set(carbs.outstanding_suggestions) == {"waiting", "next"}
    assert len(carbs.success_observations) == 7


def test_a_process_started_anew_suggests_the_same() -> None:
    carbs = searched()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there: SuggestOutput = pool.apply(CARBS.suggest, (carbs, "next"))
    assert there == carbs.suggest("next")
