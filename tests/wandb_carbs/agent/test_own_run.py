"""The run of this process: where a suggestion can be taken, and which numbers are taken."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import wandb

from carbs import CARBS, CarbsError, LinearSpace, LogSpace, Param
from wandb_carbs import WandbCarbs, WandbCarbsError
from wandb_carbs.agent.own_run import as_float

ENTITY, PROJECT = "team", "project"
PARAMS = [
    Param("lr", LogSpace(min=1e-5, max=1e-1)),
    Param("batch", LinearSpace(min=16, max=128, is_integer=True)),
]

# The SDK's own sweep() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")


def begin(**options: Any) -> WandbCarbs:
    wandb.init()
    return WandbCarbs(CARBS(params=PARAMS), **options)


def test_outside_a_run(wandb_env: Any) -> None:
    assert wandb_env
    with pytest.raises(WandbCarbsError, match=r"call wandb.init\(\) before"):
        WandbCarbs(CARBS(params=PARAMS))


def test_outside_a_sweep(wandb_env: Any) -> None:
    assert wandb_env
    with wandb.init(project=PROJECT), pytest.raises(WandbCarbsError, match="not part of a sweep"):
        WandbCarbs(CARBS(params=PARAMS))


def test_disabled_run(wandb_env: Any) -> None:
    assert wandb_env
    with wandb.init(project=PROJECT, mode="offline"), pytest.raises(WandbCarbsError, match="WANDB_MODE"):
        WandbCarbs(CARBS(params=PARAMS))


def test_arguments_are_checked(sweep: Any) -> None:
    wandb.init()
    with pytest.raises(WandbCarbsError, match="must be a CARBS"):
        WandbCarbs(PARAMS)  # type: ignore[arg-type]
    with pytest.raises(WandbCarbsError, match="must be a run of this process"):
        WandbCarbs(CARBS(params=PARAMS), wandb_run="run")
    with pytest.raises(WandbCarbsError, match="'other' is not the sweep"):
        WandbCarbs(CARBS(params=PARAMS), sweep_id="other")
    assert WandbCarbs(CARBS(params=PARAMS), wandb.run, sweep.id).suggest()


def test_arrays_of_one_number_are_numbers(sweep: Any) -> None:
    trial = begin()
    trial.record_observation(np.array([[0.5]]), np.array([2.0]))  # type: ignore[arg-type]
    _, summary = sweep.stored(trial.suggest()["suggestion_uuid"])
    assert (summary["carbs.objective"], summary["carbs.cost"]) == (0.5, 2.0)


@pytest.mark.parametrize("value", [1, 0.5, np.float32(0.5), np.int64(3), np.array([[0.5]]), Fraction(1, 2)])
def test_numbers(value: Any) -> None:
    assert as_float("objective", value) == float(np.asarray(value, float).item())


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        np.bool_(False),
        "0.5",
        b"1",
        np.array("0.5"),
        1j,
        10**400,
        np.ma.masked,
        np.ma.array([1.0], mask=[True]),
        np.array([]),
        np.array([1.0, 2.0]),
        np.timedelta64(3, "ns"),
        np.datetime64("2026-01-01T00:00:00", "ns"),
        [0.5],
    ],
)
def test_other_values_are_refused(value: Any) -> None:
    with pytest.raises(CarbsError, match=r"(?s)objective=.* must be a number"):
        as_float("objective", value)


def test_objective_that_is_no_number(sweep: Any) -> None:
    trial = begin()
    with pytest.raises(CarbsError, match="objective"):
        trial.record_observation("0.5", 1)  # type: ignore[arg-type]
    with pytest.raises(CarbsError, match="objective"):
        trial.record_observation(10**400, 1)
    trial.record_observation(float("nan"), 1)
    assert sweep.outcome(trial) == ("failure", "objective is nan")


def test_name_that_wandb_hides_is_refused(sweep: Any) -> None:
    assert sweep
    carbs = CARBS(params=[Param("_lr", LogSpace(min=1e-5, max=1e-1))])
    with wandb.init(), pytest.raises(WandbCarbsError, match=r"\['_lr'\] must not begin with '_'"):
        WandbCarbs(carbs)
