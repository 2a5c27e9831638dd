"""Searched values that a program changes in `wandb.config` do not go unnoticed."""

from __future__ import annotations

import argparse
import pickle
from typing import Any

import numpy as np
import pytest
from wandb.sdk.wandb_config import Config

from carbs import CARBS, CarbsError, ParamDict
from live_sweep import PARAMS
from wandb_carbs.agent.changes import explain, point_run, refused_in, watch

VALUES = {"lr": 0.01, "batch": 32, "act": "relu", "m.d": 2}


class Flags:
    """As absl has them."""

    def flag_values_dict(self) -> dict[str, Any]:
        return {"lr": 0.5}


@pytest.fixture
def config() -> Any:
    found: Any = Config()  # type: ignore[no-untyped-call]
    found.update_locked(VALUES, user="carbs")
    return found


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        (lambda config: config.update({"lr": 0.5}, allow_val_change=True), {"lr": 0.5}),
        (lambda config: config.update({"lr": 0.5, "act": "gelu", "epochs": 3}), {"lr": 0.5, "act": "gelu"}),
        (lambda config: config.update(argparse.Namespace(batch=64)), {"batch": 64}),
        (lambda config: config.update(Flags()), {"lr": 0.5}),
        (lambda config: config.__setitem__("lr", 0.5), {"lr": 0.5}),
        (lambda config: setattr(config, "lr", 0.5), {"lr": 0.5}),
        (lambda config: config.update({"lr": 0.01, "batch": 32.0, "act": "relu", "epochs": 3}), None),
        (lambda config: config.update_locked({"lr": 0.5}, user="carbs", _allow_val_change=True), None),
        (lambda config: setattr(config, "epochs", 3), None),
        (lambda config: config.update({"m": {"d": 7, "e": 1}}, allow_val_change=True), {"m.d": 7}),
        (lambda config: config.update({"m.d": 7}, allow_val_change=True), {"m.d": 7}),
        (lambda config: config.__setitem__("m", {"d": 7}), {"m.d": 7}),
        (lambda config: setattr(config, "m", {"d": 7}), {"m.d": 7}),
        (lambda config: config.update({"m": {"d": 2}, "d": 7}), None),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_every_way_to_change_a_searched_value_is_noticed(config: Any, change: Any, noticed: Any) -> None:
    told: list[Any] = []
    watch(config, VALUES, told.append)
    change(config)
    assert told == ([] if noticed is None else [noticed])
    if noticed is not None:
        assert {name: config[name] for name in VALUES} == VALUES, "the lock holds"


def test_a_watched_configuration_can_be_sent_to_other_processes(config: Any) -> None:
    watch(config, VALUES, print)
    assert type(pickle.loads(pickle.dumps(config))) is Config
    assert dict(pickle.loads(pickle.dumps(config))) == VALUES


@pytest.mark.filterwarnings("ignore")
def test_what_the_sdk_says_of_a_program_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    found: Any = Config()  # type: ignore[no-untyped-call]
    found.update_locked(VALUES, user="sweep")
    found.update({"lr": 0.5, "act": "gelu", "epochs": 3})
    said = capsys.readouterr().err
    assert refused_in(said) == (["act", "lr"] if said else [])
    assert refused_in("wandb: WARNING Config item 'lr' was locked by 'sweep' (ignored update).\n") == ["lr"]
    assert refused_in("nothing of the kind") == []


def test_a_lock_that_was_taken_away_is_said(config: Any) -> None:
    """Programs for the old package do so before they change anything."""
    assert "W&B refuses it, and wandb.config keeps the suggestion" in explain({"lr": 0.5}, VALUES, config)
    config.__dict__["_locked"] = {}
    told: list[Any] = []
    watch(config, VALUES, told.append)
    config.update({"lr": 0.5}, allow_val_change=True)
    assert told == [{"lr": 0.5}]
    assert "wandb.config has its values now" in explain({"lr": 0.5}, VALUES, config)


@pytest.mark.filterwarnings("ignore")
def test_a_nested_value_is_refused_where_the_sweep_nests_it(config: Any) -> None:
    nested = {"m": {"d": 2}}
    config.update_locked(nested, user="sweep")
    config.update({"m": {"d": 7}}, allow_val_change=True)
    assert config["m"] == {"d": 2}
    assert "wandb.config keeps the suggestion" in explain({"m.d": 7}, VALUES, config)


@pytest.mark.filterwarnings("ignore")
def test_a_nested_value_is_kept_where_the_sweep_names_it_with_dots(config: Any) -> None:
    config.update({"m": {"d": 7}}, allow_val_change=True)
    assert "m.d=7 (suggested: 2). wandb.config has its values now" in explain({"m.d": 7}, VALUES, config)


def test_names_outside_the_search_space_were_not_run() -> None:
    """A misspelt one would leave the suggestion's value in the record."""
    space = CARBS(params=PARAMS).space
    suggested: ParamDict = {"lr": 0.01, "batch": 32}
    with pytest.raises(CarbsError, match=r"(?s)2 problems.*'lrr' is unknown; did you mean 'lr'\?.*'batch': value 0"):
        point_run(space, suggested, {"lrr": 0.05, "batch": 0})
    for wrong in (0.05, ["lr"], "lr", []):
        with pytest.raises(CarbsError, match="must be a dictionary of hyperparameters' values"):
            point_run(space, suggested, wrong)
    own_words = {"lr": np.float64(0.05), "suggestion_uuid": "abc"}
    assert point_run(space, suggested, own_words) == {"lr": 0.05, "batch": 32}
