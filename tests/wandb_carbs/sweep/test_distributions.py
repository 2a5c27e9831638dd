"""Sweep parameters of both forms as a search space."""

from __future__ import annotations

from typing import Any

import pytest

from carbs import CarbsError
from wandb_carbs.sweep.distributions import space_of


def test_nested_parameters_are_named_with_dots() -> None:
    found = space_of(
        {
            "parameters": {
                "optimizer": {
                    "parameters": {"lr": {"min": 0.1, "max": 1.0}, "sgd": {"parameters": {"m": {"value": 0.9}}}}
                },
                "data.seed": {"values": [1, 3, 5]},
            }
        }
    )
    assert [param.name for param in found.params] == ["optimizer.lr", "data.seed"]
    assert found.constants == {"optimizer.sgd.m": 0.9}
    assert found.paths == {
        "optimizer.lr": ("optimizer", "lr"),
        "optimizer.sgd.m": ("optimizer", "sgd", "m"),
        "data.seed": ("data.seed",),
    }


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(CarbsError) as caught:
        space_of(
            {"parameters": {"a": None, "b": {"min": 1}, "c.d": {"value": 1}, "c": {"parameters": {"d": {"value": 2}}}}}
        )
    assert [problem.place for problem in caught.value.problems] == ["parameter 'a'", "parameter 'b'", "parameter 'c.d'"]
    assert "given twice: 'c.d' and 'd' in 'c'" in str(caught.value)


def test_nothing_that_stands_beside_nested_parameters_is_dropped() -> None:
    inner = {"lr": {"min": 0.1, "max": 1.0}}
    with pytest.raises(CarbsError) as caught:
        space_of(
            {
                "parameters": {
                    "opt": {"parameters": inner, "name": {"values": ["adam", "sgd"]}, "wd": {"value": 0.1}},
                    "a": {"parameters": {"b": {"parameters": inner, "value": "x"}}},
                    "c": {"parameters": {}},
                }
            }
        )
    assert [str(problem) for problem in caught.value.problems] == [
        "parameter 'opt': 'name' stands beside 'parameters': move it into 'parameters'; it is then `opt.name`",
        "parameter 'opt': 'wd' stands beside 'parameters': move it into 'parameters'; it is then `opt.wd`",
        "parameter 'a.b': 'value' stands beside 'parameters': an entry has values or nests others, not both",
        "parameter 'c': 'parameters' is empty: write `parameters: {lr: {space: log, min: 1e-4, max: 1e-2}}`",
    ]


@pytest.mark.parametrize("parameters", [None, [], "lr", {}, {"x": {"value": 1}}])
def test_nothing_to_search_is_an_error(parameters: Any) -> None:
    with pytest.raises(CarbsError, match="parameters"):
        space_of({"parameters": parameters})
