"""Parameters searched by their exponent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import wandb

from carbs import CARBS, LinearSpace, LogSpace, Param
from wandb_carbs import Pow2WandbCarbs, load_sweep

if TYPE_CHECKING:
    from collections.abc import Callable

PARAMS = [
    Param("lr", LogSpace(min=1e-5, max=1e-1)),
    Param("batch", LinearSpace(min=16, max=128, is_integer=True)),
]
GOOD = {"carbs.state": "success", "carbs.objective": 0.5, "carbs.cost": 2.0}

# The SDK's own sweep() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")


def test_pow2_parameters_are_exponents_to_the_optimizer(make_sweep: Callable[..., Any]) -> None:
    params = [Param("log_batch", LinearSpace(min=2, max=6, is_integer=True)), PARAMS[0]]
    sweep = make_sweep(params)
    sweep.put("good", {"log_batch": 16, "lr": 0.01}, GOOD)
    sweep.put("no-power", {"log_batch": 17, "lr": 0.01}, GOOD)
    carbs = CARBS(params=params)
    run = wandb.init()
    trial = Pow2WandbCarbs(carbs, {"log_batch"}, wandb_run=run)
    assert [observation.input["log_batch"] for observation in carbs.success_observations] == [4]
    assert trial.suggest()["log_batch"] in (4, 8, 16, 32, 64)
    assert run.config["log_batch"] == trial.suggest()["log_batch"]
    trial.record_observation(0.5, 1)
    seen = {run.record.id: run.suggestion for run in load_sweep(sweep.path).runs}[run.id]
    assert seen is not None
    assert 2 ** int(seen["log_batch"]) == run.config["log_batch"]


def test_what_was_run_in_place_of_a_suggestion_is_transformed_as_it_is(make_sweep: Callable[..., Any]) -> None:
    """`ran` speaks of the search space; the run's configuration and record hold what the program has."""
    params = [Param("log_batch", LinearSpace(min=2, max=6, is_integer=True)), PARAMS[0]]
    sweep = make_sweep(params)
    run = wandb.init()
    trial = Pow2WandbCarbs(CARBS(params=params), {"log_batch"}, wandb_run=run)
    other = 3 if trial.suggest()["log_batch"] != 8 else 5
    trial.record_observation(0.5, 1, ran={"log_batch": other})
    assert run.config["log_batch"] == 2**other
    _, summary = sweep.stored(run.id)
    assert json.loads(summary["carbs.config"])["log_batch"] == 2**other
    assert json.loads(summary["carbs.suggestion"])["log_batch"] == other
