"""How a metric is read, and that a sweep keeps it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from carbs import CarbsError, CARBSParams, LinearSpace, Param
from wandb_carbs import SweepDefinition
from wandb_carbs.sweep.reading import Reading

PARAMS = (Param("x", LinearSpace(0, 1)),)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("last", Reading("loss")),
        ("best", Reading("loss", "best")),
        ("mean 10", Reading("loss", "mean", 10)),
        ("mean of the last 10", Reading("loss", "mean", 10)),
        ({"mean": 10}, Reading("loss", "mean", 10)),
    ],
)
def test_how_people_write_it(how: Any, expected: Reading) -> None:
    assert Reading.parse("loss", how) == expected


@pytest.mark.parametrize("how", ["median", "mean 0", {"mean": "ten"}, {"mean": 0}, 3, None, "mean ten"])
def test_anything_else_is_refused(how: Any) -> None:
    with pytest.raises(CarbsError, match="must be"):
        Reading.parse("loss", how)


def test_a_sweep_keeps_its_readings() -> None:
    definition = SweepDefinition(
        PARAMS, CARBSParams(), Reading("loss", "mean", 3), Reading("gpu_hours"), passes_arguments=True
    )
    assert SweepDefinition.from_json(definition.to_json()) == definition


def test_a_sweep_without_readings_is_written_as_before() -> None:
    described = json.loads(SweepDefinition(PARAMS, CARBSParams()).to_json())["carbs"]
    assert set(described) == {"schema_version", "params", "config"}
