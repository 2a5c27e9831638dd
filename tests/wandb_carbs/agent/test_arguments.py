"""W&B's own draw in the program's arguments does not go unnoticed."""

from __future__ import annotations

import pytest

from wandb_carbs.agent.arguments import drawn_arguments, drawn_before

VALUES = {"lr": 0.01, "batch": 32, "net.width": 8, "bias": True, "act": "relu", "sizes": [8, 16], "drop": None}


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


def test_values_of_the_configuration_before_the_suggestion_are_compared_by_their_names() -> None:
    values = {"lr": 0.01, "opt.name": "adam", "sizes": [64, 64]}
    before = {"lr": 0.01, "opt": {"name": "sgd", "wd": 0.1}, "sizes": [64, 64], "epochs": 3}
    assert drawn_before(before, values) == {"opt.name": "sgd"}
    assert drawn_before({}, values) == {}
