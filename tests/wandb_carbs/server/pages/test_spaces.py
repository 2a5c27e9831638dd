"""The search space as a sweep's page shows it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from carbs import CategoricalSpace, LinearSpace, Param
from stored import make_sweep
from wandb_carbs.server.pages.spaces import spaces

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store


def test_of_carbs(store: Store) -> None:
    params = [
        Param("width", LinearSpace(min=1, max=64, is_integer=True), 8),
        Param("kind", CategoricalSpace(("a", "b")), "a"),
        Param("epochs", LinearSpace(min=1, max=50, is_integer=True), fixed=50),
    ]
    definition = json.dumps({"carbs": {"params": [param.to_dict() for param in params]}})
    width, kind, epochs = spaces(make_sweep(store, description=definition))
    assert width == {"name": "width", "kind": "linear, integer", "limits": "1 to 64", "center": 8}
    assert (kind["kind"], kind["limits"], kind["center"]) == ("categorical", '"a", "b"', "a")
    assert (epochs["kind"], epochs["limits"], epochs["center"]) == ("length of every run", "50", "")


def test_of_wandb(store: Store) -> None:
    parameters = {
        "lr": {"distribution": "log_uniform_values", "min": 1e-4, "max": 0.1},
        "batch": {"values": [8, 16]},
        "fixed": {"value": 3},
        "model": {"parameters": {"depth": {"min": 1, "max": 4}}},
    }
    found = {
        space["name"]: (space["kind"], space["limits"]) for space in spaces(make_sweep(store, parameters=parameters))
    }
    assert found == {
        "lr": ("log_uniform_values", "0.0001 to 0.1"),
        "batch": ("values", "8, 16"),
        "fixed": ("constant", "3"),
        "model.depth": ("", "1 to 4"),
    }


@pytest.mark.parametrize("params", [[], ["odd"], [{}], [{"name": "x", "space": 3}], None, 7, [{"name": {}}]])
def test_damaged_definitions_break_nothing(store: Store, params: Any) -> None:
    for space in spaces(make_sweep(store, description=json.dumps({"carbs": {"params": params}}))):
        assert set(space) == {"name", "kind", "limits", "center"}
        assert isinstance(space["name"], str)
