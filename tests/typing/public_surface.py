"""A program as users write them: it is checked by mypy and pyright, and never run."""

from __future__ import annotations

from typing import Any

import wandb
from typing_extensions import assert_type

from carbs import (
    CARBS,
    CARBSParams,
    CategoricalSpace,
    LinearSpace,
    LogitSpace,
    LogSpace,
    ObservationInParam,
    ObserveOutput,
    OrdinalSpace,
    Param,
    ParamDict,
    Pow2Space,
    SuggestOutput,
)
from carbs.insight import Insight
from carbs.scaling import ScalingLaws, scaling_laws
from wandb_carbs import (
    Pow2WandbCarbs,
    SweepHistory,
    WandbCarbs,
    WandbCarbsError,
    carbs_from_sweep,
    create_sweep,
    load_sweep,
)

PARAMS = [
    Param(name="lr", space=LogSpace(min=1e-5, max=1e-1), search_center=1e-3),
    Param(name="layers", space=LinearSpace(min=1, max=8, is_integer=True)),
    Param(name="gamma", space=LogitSpace(min=0.9, max=0.999)),
    Param(name="batch", space=Pow2Space(min=16, max=1024)),
    Param(name="optimizer", space=CategoricalSpace(("sgd", "adam"))),
    Param(name="layers", space=CategoricalSpace(([64], [64, 64], None))),
    Param(name="dropout", space=OrdinalSpace((0.0, 0.1, 0.2))),
]


def alone() -> ScalingLaws:
    """Use the optimizer without W&B."""
    carbs = CARBS(CARBSParams(better_direction_sign=-1, max_suggestion_cost=3600), PARAMS)
    output = carbs.suggest()
    assert_type(output, SuggestOutput)
    assert_type(output.suggestion, ParamDict)
    assert_type(carbs.observe(ObservationInParam(input=output.suggestion, output=0.3, cost=12)), ObserveOutput)
    assert_type(carbs.success_observations, list[ObservationInParam])
    Insight(carbs.space, carbs.success_observations, carbs.config)
    return scaling_laws(carbs.params, carbs.success_observations, carbs.config)


class Renamed(WandbCarbs):
    """The hooks that subclasses override."""

    def _transform_suggestion(self, suggestion: dict[str, Any]) -> dict[str, Any]:
        return {f"optim.{name}": value for name, value in suggestion.items()}

    def _suggestion_from_run(self, run: Any) -> dict[str, Any]:
        return {name.removeprefix("optim."): value for name, value in run.config.items()}


def train() -> None:
    """Train one run of a sweep."""
    with wandb.init() as run, Renamed(CARBS(params=PARAMS), wandb_run=run, raise_errors=False) as trial:
        assert_type(trial.suggest(), dict[str, Any])
        trial.report(0.5, progress=3, cost=2.5)
        trial.record_observation(objective=0.9, cost=12.5, allow_update=True)
        trial.record_failure("out_of_memory")
    with wandb.init() as run, WandbCarbs.from_sweep(run, any_rank=True) as trial:
        assert_type(trial, WandbCarbs)
    Pow2WandbCarbs(CARBS(params=PARAMS), {"batch"})


def sweep() -> CARBS:
    """Create a sweep and read it back."""
    sweep_id = create_sweep(
        "name", None, "project", PARAMS, config=CARBSParams(), metric_name="loss", program="train.py"
    )
    assert_type(sweep_id, str)
    create_sweep(
        "name",
        None,
        "project",
        cost={"name": "tokens", "how": "last"},
        parameters={"lr": {"min": 0.0, "max": 1.0}, "epochs": {"value": 3}},
        initial=[{"lr": 0.5}],
        start_from=["entity/project/sweep", "runs.csv", {"project": "entity/project", "metric": "loss"}],
        same_task=False,
        progress={"parameter": "lr", "metric": "rate", "first": 0},
    )
    try:
        history = load_sweep(f"entity/project/{sweep_id}")
    except WandbCarbsError as error:
        raise SystemExit(str(error)) from error
    assert_type(history, SweepHistory)
    return carbs_from_sweep(history)
