"""Axes of hyperparameters between 0 and 1 that are searched by their logit: plotly has no such axis."""

from __future__ import annotations

import math
from typing import Any, Literal

from carbs.spaces.kinds import LogitSpace
from carbs.spaces.numeric import NumericSpace
from carbs.spaces.space import Space
from carbs.spaces.ticks import logit_ticks, tick_text
from wandb_carbs.figures import drawing

# The axis goes on beyond the values by this share of its length, as plotly's own do.
_MARGIN = 0.06


def on_logit_axis(figure: drawing.Figure, letter: Literal["x", "y"], space: Space | NumericSpace) -> drawing.Figure:
    """Draw the values of a hyperparameter by their logit if its space is one of logits.

    Args:
        figure: The finished figure; all its traces have the values at `letter`.
        letter: Its horizontal or its vertical axis.
        space: The space of the hyperparameter.

    Returns:
        The figure with an axis that shows the values themselves, and so do its labels; unchanged for other spaces.
    """
    if not isinstance(space, LogitSpace):
        return figure
    traces = [_moved(trace, letter) for trace in figure["data"]]
    seen = [place for trace in traces for place in trace[letter] if place is not None]
    low, high = min(seen, default=0.0), max(seen, default=0.0)
    margin = _MARGIN * (high - low) or _MARGIN
    ticks = logit_ticks(_value(low - margin), _value(high + margin))
    axis = {
        "range": [low - margin, high + margin],
        "tickmode": "array",
        "tickvals": [_logit(tick) for tick in ticks],
        "ticktext": [tick_text(tick) for tick in ticks],
    }
    layout = figure["layout"]
    return {"data": traces, "layout": {**layout, f"{letter}axis": {**layout[f"{letter}axis"], **axis}}}


def _moved(trace: drawing.Figure, letter: str) -> drawing.Figure:
    moved = {**trace, letter: [_logit(value) for value in trace[letter]]}
    return drawing.labelled(moved, letter, "customdata", trace[letter])


def _logit(value: Any) -> float | None:
    """Return the logit of a value; a gap where it has none."""
    return math.log10(value) - math.log10(1 - value) if value is not None and 0 < value < 1 else None


def _value(logit: float) -> float:
    return 1 / (1 + math.pow(10.0, -logit))
