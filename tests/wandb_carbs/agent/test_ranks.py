"""Which rank of a distributed job may ask."""

from __future__ import annotations

import pytest

from carbs import CARBS, LinearSpace, LogSpace, Param
from wandb_carbs import WandbCarbs, WandbCarbsError

PARAMS = [
    Param("lr", LogSpace(min=1e-5, max=1e-1)),
    Param("batch", LinearSpace(min=16, max=128, is_integer=True)),
]

# The SDK's own sweep() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")


def begin_nothing() -> WandbCarbs:
    return WandbCarbs(CARBS(params=PARAMS))


@pytest.mark.parametrize(
    "variable",
    [
        "RANK",
        "LOCAL_RANK",
        "SLURM_PROCID",
        "OMPI_COMM_WORLD_RANK",
        "PMI_RANK",
        "PMIX_RANK",
        "MV2_COMM_WORLD_RANK",
    ],
)
def test_only_the_first_rank_may_ask(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "1")
    for ask in (begin_nothing, WandbCarbs.from_sweep):
        with pytest.raises(WandbCarbsError, match=f"{variable}=1.*broadcast"):
            ask()
    monkeypatch.setenv(variable, "0")
    with pytest.raises(WandbCarbsError, match=r"wandb.init\(\)"):
        WandbCarbs(CARBS(params=PARAMS))
    monkeypatch.setenv(variable, "1")
    with pytest.raises(WandbCarbsError, match=r"wandb.init\(\)"):
        WandbCarbs(CARBS(params=PARAMS), any_rank=True)


@pytest.mark.parametrize(
    "ranks",
    [{"SLURM_PROCID": "0", "LOCAL_RANK": "1"}, {"RANK": "8", "LOCAL_RANK": "0"}, {"RANK": "8", "SLURM_PROCID": "0"}],
)
def test_a_rank_on_the_machine_or_in_the_job_is_enough_to_refuse(
    ranks: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in ranks.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(WandbCarbsError, match="any_rank=True"):
        begin_nothing()


def test_first_of_a_job_within_another_launchers_task_may_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in {"SLURM_PROCID": "3", "PMIX_RANK": "3", "RANK": "0", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(WandbCarbsError, match=r"wandb.init\(\)"):
        begin_nothing()
