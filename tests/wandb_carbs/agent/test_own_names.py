"""Searched values that a program's own configuration holds under a name of its own."""

from __future__ import annotations

from typing import Any

import pytest

from wandb_carbs.agent.own_names import explain, other_values


@pytest.mark.parametrize(
    ("name", "value", "config"),
    [
        pytest.param("optim.lr", 0.003, {"optim": {"lr": 0.01}}, id="inside"),
        pytest.param("model.drop", None, {"model": {"drop": "None"}}, id="the text None"),
        pytest.param("model.drop", 0.1, {"model": {"drop": None}}, id="None"),
        pytest.param("model.name", "null", {"model": {"name": None}}, id="the text null"),
        pytest.param("batch-size", 32, {"batch_size": 8}, id="argparse"),
        pytest.param("optim.batch-size", 32, {"optim": {"batch_size": 8}}, id="tyro"),
        pytest.param("train/lr", 0.1, {"train": {"lr": 0.2}}, id="slashes"),
        pytest.param("+lr", 0.1, {"lr": 0.2}, id="Hydra adds"),
        pytest.param("++a.lr", 0.1, {"a": {"lr": 0.2}}, id="Hydra adds inside"),
        pytest.param("anneal-lr", False, {"anneal_lr": True}, id="a switch that is on by default"),
        pytest.param("env-id", "Acrobot-v1", {"env_id": "CartPole-v1"}, id="text"),
        pytest.param("model.bits", "16", {"model": {"bits": 32}}, id="number of a text"),
        pytest.param("env-id", "Acrobot-v1", {"env_id": None}, id="text or None"),
        pytest.param("net.sizes", [64, 64], {"net": {"sizes": [64, 32]}}, id="list"),
        pytest.param("net.sizes", [64, 64], {"net": {"sizes": [64]}}, id="shorter list"),
    ],
)
def test_another_value_is_found(name: str, value: Any, config: dict[str, Any]) -> None:
    own = other_values({name: value, **config}, {name: value})
    assert list(own) == [name]
    assert own[name] != value
    assert f"{name}={own[name]!r} (suggested: {value!r})" in explain(own, {name: value})


@pytest.mark.parametrize(
    ("name", "value", "config"),
    [
        ("lr", 0.1, {"learning_rate": 0.2}),
        ("optim.lr", 0.003, {"optim": {"lr": 0.003}}),
        ("optim.lr", 1e-5, {"optim": {"lr": 9.999999747378752e-06}}),  # float32
        ("optim.lr", 0.003, {"optim": {"lr": "0.003"}}),
        ("optim.lr", 0.003, {"optim": "adam"}),
        ("optim.lr", 0.003, {"optim": {"lr": {"base": 0.1}}}),
        ("optim.lr", 0.003, {}),
        ("batch-size", 64, {"batch_size": 64.0}),
        ("model.drop", None, {"model": {"drop": None}}),
        ("model.drop", "none", {"model": {"drop": None}}),
        ("model.bias", True, {"model": {"bias": "true"}}),
        ("model.bits", "16", {"model": {"bits": 16}}),
        ("model.tag", "1e3", {"model": {"tag": 1000.0}}),
        ("patch-size", "4 8", {"patch_size": [4, 8]}),  # the program makes a list of a text
        ("data-dir", "cifar", {"data_dir": "/data/cifar"}),
        ("net.sizes", [64, 0.1], {"net": {"sizes": [64, 0.1]}}),
        ("use-amp", "yes", {"use_amp": True}),
        ("use-amp", "off", {"use_amp": None}),
        ("data.path", "${data.root}/x", {"data": {"path": "/data/x"}}),
    ],
)
def test_the_same_value_in_the_programs_form_is_no_other(name: str, value: Any, config: dict[str, Any]) -> None:
    assert other_values({name: value, **config}, {name: value}) == {}


def test_a_name_that_the_sweep_itself_gives_a_value_to_is_not_the_programs() -> None:
    suggestion = {"batch-size": 32, "batch_size": 8}
    assert other_values(suggestion, suggestion) == {}
    assert other_values({"lr": 0.5, "+lr": 0.1}, {"+lr": 0.1}, {"lr", "+lr"}) == {}
