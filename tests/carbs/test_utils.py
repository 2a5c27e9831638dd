"""`carbs.utils`, of which old programs import everything."""

from __future__ import annotations

import importlib
import sys

import pytest

import carbs


def test_everything_is_imported_with_a_warning() -> None:
    sys.modules.pop("carbs.utils", None)
    with pytest.warns(DeprecationWarning, match=r"carbs\.utils is a name of the old package; use carbs"):
        old = importlib.import_module("carbs.utils")
    assert old.LogSpace is carbs.LogSpace
    assert old.ObservationInParam is carbs.ObservationInParam
    with pytest.raises(AttributeError):
        _ = old.nothing_of_the_kind
