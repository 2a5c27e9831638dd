"""W&B's own draw in the program's arguments does not go unnoticed."""

from __future__ import annotations

import json
from typing import Any

import pytest
import wandb

from carbs import CARBS, LinearSpace, LogSpace, Param
from wandb_carbs import DrawnArgumentsWarning, WandbCarbs, WandbCarbsError, load_sweep
from wandb_carbs.agent.arguments import drawn_arguments
from wandb_carbs.report.data import ReportData

VALUES = {"lr": 0.01, "batch": 32, "net.width": 8, "bias": True, "act": "relu", "sizes": [8, 16], "drop": None}
PARAMS = [
    Param("lr", LogSpace(min=1e-5, max=1e-1)),
    Param("batch", LinearSpace(min=16, max=128, is_integer=True)),
]

# The SDK's own sweep() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--lr=0.5"], {"lr": "0.5"}),
        (["--lr", "0.5"], {"lr": "0.5"}),
        (["-lr=0.5"], {"lr": "0.5"}),
        (["lr=0.5"], {"lr": "0.5"}),
        (["+lr=0.5"], {"lr": "0.5"}),
        (["++lr=0.5", "batch=64"], {"lr": "0.5", "batch": "64"}),
        (["--lr", "-1"], {"lr": "-1"}),
        (["--net.width=4"], {"net.width": "4"}),
        (["--bias=False"], {"bias": "False"}),
        (["--act=gelu"], {"act": "gelu"}),
        (["--sizes=[8, 8]"], {"sizes": "[8, 8]"}),
        (["--drop=0.5"], {"drop": "0.5"}),
        (['{"lr": 0.5, "batch": 32}'], {"lr": "0.5"}),
    ],
)
def test_other_values_are_found(arguments: list[str], found: dict[str, str]) -> None:
    assert drawn_arguments(arguments, VALUES) == found


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--lr=0.01", "--batch=32", "--net.width=8", "--bias=True", "--act=relu", "--sizes=[8, 16]", "--drop=None"],
        ["--lr", "1e-2", "--batch", "32.0", "--bias", "--act", "relu", "--drop=null"],
        ["lr=0.010000000000000002", "bias=true", "act='relu'", "sizes=[8,16]"],
        ["--bias=1", '--act="relu"'],
        ["--lr-decay=0.5", "lr", "--config=lr=0.5", "--", "-x", "{no json", "=", "0.5", "--epochs", "3"],
        ['{"lr": 0.01}', "[1]"],
    ],
)
def test_the_same_values_and_other_arguments_are_none(arguments: list[str]) -> None:
    assert drawn_arguments(arguments, VALUES) == {}


def test_boolean_that_is_set_by_its_name_alone() -> None:
    assert drawn_arguments(["--bias", "--lr=0.01"], {"bias": False, "lr": 0.01}) == {"bias": "True"}


def test_warning_names_both_values_and_the_run_is_marked(sweep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["train.py", "--lr=7", "--epochs=3"])
    run = wandb.init()
    with pytest.warns(DrawnArgumentsWarning, match=r"lr=7 \(suggested: 0\.\d+\).*wandb-carbs agent.*command="):
        trial = WandbCarbs(CARBS(params=PARAMS))
    _, summary = sweep.stored(run.id)
    assert json.loads(summary["carbs.drawn_arguments"]) == {"lr": "7"}
    trial.record_observation(0.5, 1)
    assert sweep.counts() == {"observation": 1}
    (doubt,) = ReportData(load_sweep(sweep.path)).doubts
    assert doubt.startswith("1 of 1 runs were started with arguments that say other values")


def test_arguments_can_be_refused(sweep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["train.py", "--lr=7"])
    wandb.init()
    with pytest.raises(WandbCarbsError, match="lr=7"):
        WandbCarbs(CARBS(params=PARAMS), refuse_arguments=True)
    assert sweep.counts() == {"abandoned": 1}


def test_suggested_arguments_leave_no_mark(sweep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["train.py", "--epochs=3"])
    run = wandb.init()
    WandbCarbs(CARBS(params=PARAMS))
    assert "carbs.drawn_arguments" not in sweep.stored(run.id)[1]
