"""An optimizer can be pickled, copied and sent to another process."""

from __future__ import annotations

import copy
import json
import multiprocessing
import pickle
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from carbs import (
    CARBS,
    CARBSParams,
    LinearSpace,
    LogSpace,
    ObservationInParam,
    Param,
    SuggestOutput,
)
from searches import PARAMS, run, without_id


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


def test_same_history_and_seed_give_the_same_suggestion_in_any_process(tmp_path: Path) -> None:
    carbs = CARBS(CARBSParams(seed=3), PARAMS)
    rng = random.Random(1)
    run(carbs, 12, lambda _: (rng.random(), 1 + rng.random()))
    carbs.suggest("waiting")
    carbs.save(tmp_path / "a.json")
    here = without_id(carbs.suggest(is_suggestion_remembered=False).suggestion)
    assert without_id(carbs.suggest(is_suggestion_remembered=False).suggestion) == here
    code = "import carbs, json, sys; print(json.dumps(carbs.CARBS.load(sys.argv[1]).suggest('i').suggestion))"
    command = [sys.executable, "-c", code, str(tmp_path / "a.json")]
    there = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert without_id(there) == here


def test_importing_needs_neither_wandb_nor_torch_nor_sklearn() -> None:
    code = "import sys, carbs; print(sorted({'wandb', 'torch', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
