"""The bars of importance."""

from __future__ import annotations

import json

from carbs.insight import Importance
from wandb_carbs.figures import importance


def test_the_most_important_is_on_top() -> None:
    made = importance.figure([Importance("a", 1.0, 0.7, 0.1), Importance("<b>", 2.0, 0.2, 0.9)])
    json.dumps(made, allow_nan=False)
    objective, cost = made["data"]
    assert objective["y"] == cost["y"] == ["&lt;b&gt;", "a"]  # plotly draws the last one on top
    assert (objective["x"], cost["x"]) == ([0.2, 0.7], [0.9, 0.1])
    assert objective["marker"] != cost["marker"]
