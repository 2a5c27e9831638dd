"""Members of the old WandbCarbs work and warn."""

from __future__ import annotations

from typing import Any

import pytest
import wandb

from carbs import CARBS, LinearSpace, LogSpace, Param
from wandb_carbs import WandbCarbs, WandbCarbsError

ENTITY, PROJECT = "team", "project"
PARAMS = [
    Param("lr", LogSpace(min=1e-5, max=1e-1)),
    Param("batch", LinearSpace(min=16, max=128, is_integer=True)),
]
GOOD = {"carbs.state": "success", "carbs.objective": 0.5, "carbs.cost": 2.0}
VALUES = {"lr": 0.01, "batch": 20}

# The SDK's own sweep() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")


def test_counts(sweep: Any) -> None:
    sweep.put("good", VALUES, GOOD)
    sweep.put("other", {**VALUES, "batch": 30}, GOOD)
    sweep.put("failed", VALUES, {"carbs.state": "failure"})
    sweep.put("running", VALUES, {"carbs.state": "running"}, exit_code=None)
    sweep.put("starting", {}, {}, exit_code=None)
    sweep.put("crashed", VALUES, {"carbs.state": "running"}, exit_code=1)
    sweep.put("odd", VALUES, {"carbs.state": "odd"})
    wandb.init()
    trial = WandbCarbs(CARBS(params=PARAMS))
    with pytest.warns(DeprecationWarning, match="load_sweep"):
        counts = (trial._num_observations, trial._num_failures, trial._num_running, trial._defunct, trial._invalid)
    assert counts == (2, 1, 2, 1, 1)


@pytest.mark.parametrize("by_api", [True, False])
def test_observation_by_another_process(sweep: Any, by_api: bool) -> None:
    # By its own part of the configuration the SDK knows a run that has begun.
    sweep.put("mine", {**VALUES, "_wandb": {"t": {"1": [2]}}}, {"carbs.state": "running"}, exit_code=None)
    if by_api:
        run: Any = wandb.Api().run(f"{ENTITY}/{PROJECT}/mine")
    else:
        sweep.use_run_id("mine")
        run = wandb.init(resume="allow")
    with pytest.warns(DeprecationWarning, match="record_observation"):
        WandbCarbs._record_observation(run, 0.5, 2.0)
    assert sweep.counts() == {"observation": 1}
    with pytest.warns(DeprecationWarning, match="old package"), pytest.raises(WandbCarbsError, match="allow_update"):
        WandbCarbs._record_observation(run, 0.6, 2.0)
    with pytest.warns(DeprecationWarning, match="old package"):
        WandbCarbs._record_observation(run, 0.7, 2.0, allow_update=True)
    assert sweep.stored("mine")[1]["carbs.objective"] == 0.7


def test_failure_by_another_process(sweep: Any) -> None:
    sweep.put("mine", VALUES, {"carbs.state": "running"}, exit_code=None)
    with pytest.warns(DeprecationWarning, match="record_failure"):
        WandbCarbs._record_failure(wandb.Api().run(f"{ENTITY}/{PROJECT}/mine"))
    assert sweep.counts() == {"failure": 1}


def test_methods_that_are_not_called_any_more_are_named() -> None:
    with pytest.warns(DeprecationWarning, match="Filtered._get_runs_from_wandb is not called any more") as caught:

        class Filtered(WandbCarbs):
            def _get_runs_from_wandb(self) -> list[Any]:
                return []

            def _transform_suggestion(self, suggestion: dict[str, Any]) -> dict[str, Any]:
                return suggestion

    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert issubclass(Filtered, WandbCarbs)
