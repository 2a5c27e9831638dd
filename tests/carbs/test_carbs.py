"""`carbs.carbs`, of which old programs import everything."""

from __future__ import annotations

import importlib
import sys

import pytest

import carbs


def test_everything_is_imported_with_a_warning() -> None:
    sys.modules.pop("carbs.carbs", None)
    with pytest.warns(DeprecationWarning, match=r"carbs\.carbs is a name of the old package; use carbs"):
        old = importlib.import_module("carbs.carbs")
    assert old.CARBS is carbs.CARBS
    assert old.CARBSParams is carbs.CARBSParams
    with pytest.raises(AttributeError):
        _ = old.nothing_of_the_kind
