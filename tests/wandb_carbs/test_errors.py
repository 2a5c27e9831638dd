"""Errors of the integration."""

from __future__ import annotations

import pytest

from carbs import CarbsError
from wandb_carbs.errors import WandbCarbsError, WandbConnectionError


@pytest.mark.parametrize("kind", [WandbCarbsError, WandbConnectionError])
def test_every_error_is_one_of_carbs(kind: type[CarbsError]) -> None:
    """`except CarbsError` catches all, and so does `except ValueError`."""
    assert issubclass(kind, CarbsError)
    assert issubclass(kind, ValueError)
    assert str(kind("no answer")) == "no answer"


def test_connection_s_error_is_a_runtime_error() -> None:
    assert issubclass(WandbConnectionError, RuntimeError)
