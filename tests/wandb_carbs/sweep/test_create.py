"""Sweep configurations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wandb

from carbs import CarbsError, CARBSParams, CategoricalSpace, LinearSpace, LogitSpace, LogSpace, Param, Pow2Space
from wandb_carbs import SweepDefinition, create_sweep, sweep_configuration

PARAMS = [
    Param("lr", LogSpace(min=1e-5, max=1e-1)),
    Param("batch", LinearSpace(min=16, max=128, is_integer=True)),
    Param("units", LogSpace(min=1, is_integer=True, rounding_factor=8), search_center=64),
    Param("gamma", LogitSpace(), search_center=0.9),
    Param("width", Pow2Space(min=4, max=64)),
    Param("activation", CategoricalSpace(("relu", "gelu"))),
]


def test_definition_comes_back_from_the_description() -> None:
    config = CARBSParams(better_direction_sign=-1, seed=3, max_suggestion_cost=60.0)
    definition = SweepDefinition.from_json(sweep_configuration("s", PARAMS, config)["description"])
    assert definition == SweepDefinition(tuple(PARAMS), config)
    assert definition.optimizer().params == tuple(PARAMS)


@pytest.mark.parametrize("text", ["", "a sweep", "{}", '{"carbs": 3}', '{"carbs": {"schema_version": 1}}', "[1]"])
def test_foreign_description_is_refused(text: str) -> None:
    with pytest.raises(CarbsError, match="no CARBS definition"):
        SweepDefinition.from_json(text)


def test_later_schema_is_refused() -> None:
    with pytest.raises(CarbsError, match="schema version 99"):
        SweepDefinition.from_json('{"carbs": {"schema_version": 99, "params": [], "config": {}}}')


def test_one_error_names_everything() -> None:
    with pytest.raises(CarbsError) as caught:
        create_sweep(
            "",
            "",
            "",
            [Param("a", LinearSpace(min=2, max=1)), Param("_wandb", LinearSpace(min=0, max=1))],
            carb_params=[],
            method="bayes",
        )
    for part in ("sweep_name", "wandb_entity", "wandb_project", "carb_params", "'method'", "min=2", "'_wandb'"):
        assert part in str(caught.value)


def test_a_cap_that_cannot_hold_at_first_is_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wandb, "sweep", lambda **_: "made")
    create_sweep("s", None, "p", PARAMS[:2])
    create_sweep("s", None, "p", PARAMS, config=CARBSParams(max_suggestion_cost=60))  # it starts at given centres
    assert caplog.records == []
    create_sweep("s", None, "p", PARAMS[:2], config=CARBSParams(max_suggestion_cost=60))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "may exceed max_suggestion_cost=60 until 2 have succeeded" in caplog.text


def test_options_that_json_cannot_hold_are_named_before_wandb_is_asked() -> None:
    assert sweep_configuration("s", PARAMS, run_cap=np.int64(3), program=Path("a.py"))["program"] == "a.py"
    with pytest.raises(CarbsError, match=r"command=\{'python'\} must be a list, not of type set"):
        create_sweep("s", None, "p", PARAMS, command={"python"})


def test_a_loss_that_is_maximised_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wandb, "sweep", lambda **_: "made")
    for name in ("loss", "val/loss", "eval_loss", "Test-Error"):
        caplog.clear()
        create_sweep("s", None, "p", PARAMS, metric_name=name)
        assert f"metric {name!r} is maximised; if less of it is better" in caplog.text
        assert "better_direction_sign=-1" in caplog.text
    caplog.clear()
    create_sweep("s", None, "p", PARAMS, metric_name="loss", config=CARBSParams(better_direction_sign=-1))
    for other in (None, "accuracy", "lossless", "reward", "neg_log_loss", "-loss", "loss_improvement"):
        create_sweep("s", None, "p", PARAMS, metric_name=other)
    assert caplog.records == []


def test_missing_params() -> None:
    with pytest.raises(CarbsError, match="carbs_spaces is missing"):
        create_sweep("s", None, "p")


def _damaged(**changes: object) -> str:
    described = json.loads(SweepDefinition((Param("x", LinearSpace(0, 1)),), CARBSParams()).to_json())["carbs"]
    return json.dumps({"carbs": {**described, **changes}})


_X = Param("x", LinearSpace(0, 1)).to_dict()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        _damaged(config={"self": 1}),
        _damaged(config=[]),
        _damaged(params=[{**_X, "name": ["x"]}]),
        _damaged(params=[{**_X, "space": {**_X["space"], "max": 10**400}}]),
        _damaged(params=[{**_X, "search_center": 10**400}]),
        _damaged(params=[3]),
        _damaged(params=[_X, _X]),
    ],
)
def test_damaged_definition_is_a_carbs_error(text: str) -> None:
    with pytest.raises(CarbsError):
        SweepDefinition.from_json(text)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"parameters": {"lr": {"value": 3}}}, "'lr' is given in carbs_spaces and in parameters"),
        ({"parameters": {"lr": {"min": 0, "max": 1}}}, "'lr' is used 2 times"),
        ({"parameters": {"lr": {"parameters": {"x": {"value": 1}}}}}, "'lr' nests others"),
        (
            {"parameters": {"_x": {"value": 1}}},
            "parameter '_x': its name must not begin with '_': W&B keeps such names for itself",
        ),
        ({"parameters": {"wandb_version": {"value": 1}}}, "reserved by W&B"),
        ({"parameters": {"x": 3}}, "write `{value: 3}`"),
        ({"metric_how": "best"}, "needs metric_name"),
        ({"metric_name": "a", "metric_how": "worst"}, "how='worst' must be last, best"),
        ({"metric_name": " "}, "metric_name=' ' must be a non-empty string"),
        ({"cost": {"how": "last"}}, "cost={'how': 'last'} must be 'runtime', a metric's name"),
        ({"cost": 3}, "cost=3 must be"),
        ({"description": 3}, "description=3 must be a string"),
        ({"config": 3}, "config=3 must be a CARBSParams"),
    ],
)
def test_problems_are_joined_not_nested(options: dict[str, Any], word: str) -> None:
    """Each is one line beside that of the sweep's name, and can be read in parts."""
    with pytest.raises(CarbsError) as caught:
        create_sweep("", None, "p", PARAMS, **options)
    assert word in str(caught.value)
    lines = str(caught.value).splitlines()
    assert lines[0] == "cannot create the sweep: 2 problems"
    assert all(line.startswith("  - ") for line in lines[1:])
    assert len(caught.value.problems) == 2
