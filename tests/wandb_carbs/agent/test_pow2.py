"""Parameters searched by their exponent."""

from __future__ import annotations

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
