"""How much each hyperparameter matters, as bars."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wandb_carbs.figures import drawing

if TYPE_CHECKING:
    from carbs.insight import Importance

_BAR = 26  # pixels of a hyperparameter


def figure(effects: Sequence[Importance]) -> drawing.Figure:
    """Draw the total effects of the hyperparameters on objective and cost, the largest on top."""
    found = sorted(effects, key=lambda item: item.objective)
    names = [html.escape(item.name) for item in found]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": label,
            "y": names,
            "x": [getattr(item, key) for item in found],
            "marker": {"color": color},
            "customdata": [item.length_scale for item in found],
            "hovertemplate": "%{y}: %{x:.1%}, length scale %{customdata:.2g}<extra></extra>",
        }
        for label, key, color in (("objective", "objective", "@frontier"), ("cost", "cost", "@law"))
    ]
    made = drawing.figure(traces, "total-effect index", "", height=120 + _BAR * len(found))
    made["layout"]["xaxis"]["tickformat"] = ".0%"
    return made
