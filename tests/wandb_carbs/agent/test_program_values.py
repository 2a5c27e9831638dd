"""The values that a program is run with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from carbs import CarbsError
from wandb_carbs.agent.program_values import check_parameters, values_for, write_parameters

PARAMETERS: dict[str, Any] = {
    "epochs": {"value": 5},
    "lr": {"distribution": "uniform", "min": 0.0, "max": 1.0},
    "optim": {"parameters": {"name": {"values": ["adam"]}, "beta": {"min": 0.0, "max": 1.0}}},
    "model.width": {"values": [1, 2]},
    "depth": {"min": 4, "max": 4},
}
SUGGESTION = {"lr": 0.25, "optim.beta": 0.75, "model.width": 2}


def test_values_have_the_shape_that_the_sweep_declares() -> None:
    check_parameters(PARAMETERS, SUGGESTION)
    assert values_for(PARAMETERS, SUGGESTION) == {
        "epochs": 5,
        "lr": 0.25,
        "optim": {"name": "adam", "beta": 0.75},
        "model.width": 2,
        "depth": 4,
    }


def test_a_value_that_the_sweep_does_not_declare_is_passed_flat() -> None:
    assert values_for({}, SUGGESTION) == SUGGESTION


@pytest.mark.parametrize("settings", [{"values": [1, 2]}, {"min": 0, "max": 1}, {"mu": 0, "sigma": 1}])
def test_what_wandb_would_draw_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(CarbsError, match=r"'inner\.drawn'.*neither searched nor constant"):
        check_parameters({**PARAMETERS, "inner": {"parameters": {"drawn": settings}}}, SUGGESTION)


def test_the_file_is_one_that_the_sdk_reads(tmp_path: Path) -> None:
    values = {"lr": 1e-05, "name": "yes", "nothing": None, "optim": {"beta": 0.75}, "infinite": float("inf")}
    values["town"] = "Zürich"  # the SDK reads files in the machine's own encoding
    write_parameters(tmp_path / "sweep" / "config.yaml", values, {"carbs.state": "running"})
    written = yaml.safe_load((tmp_path / "sweep" / "config.yaml").read_text(encoding="ascii"))
    assert written.pop("wandb_version") == 1
    read = {name: wrapped.pop("value") for name, wrapped in written.items()}
    assert read == {**values, "_wandb": {"carbs": {"carbs.state": "running"}}}
    assert not any(written.values())
