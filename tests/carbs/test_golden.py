"""The same history and seed give the suggestion that they gave when the file was pinned."""

from __future__ import annotations

import importlib.util
import json
import platform
from pathlib import Path
from typing import Any

import pytest

_SPEC = importlib.util.spec_from_file_location("golden", Path(__file__).with_name("golden.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
golden: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(golden)


def numbers_of(suggestion: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in suggestion.items() if not isinstance(value, str)}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors round otherwise")
def test_golden_suggestions() -> None:
    """Every configuration is the pinned one, and so are the beliefs, up to rounding of other numpy builds."""
    pinned: dict[str, Any] = json.loads(golden.FILE.read_text())
    found: dict[str, Any] = golden.suggestions()
    assert found.keys() == pinned.keys()
    for key, expected in pinned.items():
        numbers = numbers_of(expected["suggestion"])
        assert found[key]["suggestion"] == {**expected["suggestion"], **numbers_of(found[key]["suggestion"])}, key
        assert numbers_of(found[key]["suggestion"]) == pytest.approx(numbers, rel=1e-3), key
        assert found[key]["log"]["kind"] == expected["log"]["kind"], key
