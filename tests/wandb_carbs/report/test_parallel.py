"""The axes of parallel coordinates in the order of the search space."""

from __future__ import annotations

from typing import Any

import pytest

from carbs import CategoricalSpace, LinearSpace, LogSpace
from carbs.spaces import Space
from wandb_carbs.figures.frontier import Point
from wandb_carbs.report.parallel import axes


def test_places_follow_the_spaces_scale() -> None:
    values: list[dict[str, Any]] = [
        {"lr": 1e-4, "width": 0, "kind": "c"},
        {"lr": 1e-2, "width": 5, "kind": "b"},
        {"lr": 1.0, "width": 10},
    ]
    points = [Point("run", 1.0, 1.0, {"kind": "a", **value}) for value in values]
    spaces: dict[str, Space] = {
        "lr": LogSpace(min=1e-6, max=1.0),
        "width": LinearSpace(min=0, max=20, is_integer=True),
        "kind": CategoricalSpace(("a", "b", "c")),
    }
    lr, width, kind = axes(points, spaces)
    assert list(lr.places) == pytest.approx([0, 0.5, 1])
    assert (lr.low, lr.high) == ("0.0001", "1")
    assert list(width.places) == pytest.approx([0, 0.5, 1])
    assert list(kind.places) == [1.0, 0.5, 0.0]
    assert (kind.low, kind.high) == ("a", "c")
