"""Parallel coordinates: every run as a line over its cost, its hyperparameters and its objective.

Plotly's own kind of this figure needs WebGL and `eval`, which the page's policy forbids, and is not printed.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from carbs.arrays import Array
from carbs.spaces.categorical import ChoiceSpace
from carbs.spaces.numeric import NumericSpace
from wandb_carbs.figures import drawing
from wandb_carbs.figures.frontier import Point, window

# From the worst runs to the best: the share of the runs up to which a style goes, their name, colour and opacity.
_STYLES = (
    (0.5, "worse half", "@run", 0.25),
    (0.9, "better half", "@middle", 0.35),
    (1.0, "best tenth", "@high", 0.9),
)


@dataclass(frozen=True)
class _Axis:
    """One of the vertical axes.

    Attributes:
        title: Its title.
        places: Where each run crosses it, from 0 to 1, shape (n,).
        low: The value at its lower end.
        high: The value at its upper end.
    """

    title: str
    places: Array
    low: str
    high: str


def figure(
    points: Sequence[Point], spaces: dict[str, Any], *, maximize: bool, cost: str, objective: str
) -> drawing.Figure:
    """Draw the runs.

    Args:
        points: The runs, at least two.
        spaces: The spaces of the hyperparameters, by name.
        maximize: Whether a higher objective is better.
        cost: Title of the cost's axis.
        objective: Title of the objective's axis.
    """
    sign = 1 if maximize else -1
    values = np.array([point.objective for point in points])
    best = values[np.argsort(-sign * values)][: max(2, len(points) // 2)]
    (low, high), _ = window(values.tolist(), [float(best[-1]), float(best[0])], maximize=maximize)
    axes = [
        _numeric(cost, np.log10([point.cost for point in points]), log=True),
        *(_axis(name, space, points) for name, space in spaces.items()),
        _numeric(objective, np.clip(values, low, high)),
    ]
    rank = np.argsort(np.argsort(sign * values, kind="stable"), kind="stable")
    share = (rank + 1) / len(points)
    traces: list[drawing.Figure] = []
    start = 0.0
    for end, name, color, opacity in _STYLES:
        chosen = [index for index in np.argsort(rank) if start < share[index] <= end]
        start = end
        if chosen:
            traces.append({**_lines(axes, points, chosen, color), "name": name, "opacity": opacity})
    picture = drawing.figure(traces, "", "", height=380)
    count = len(axes)
    picture["layout"]["xaxis"] |= {
        "tickmode": "array",
        "tickvals": list(range(count)),
        "ticktext": [html.escape(axis.title) for axis in axes],
        "range": [-0.3, count - 0.7],
    }
    picture["layout"]["yaxis"] |= {"showticklabels": False, "showgrid": False, "range": [-0.12, 1.12]}
    picture["layout"]["annotations"] = [
        {"x": place, "y": y, "text": html.escape(text), "showarrow": False, "font": {"color": "@muted", "size": 10}}
        for place, axis in enumerate(axes)
        for y, text in ((-0.07, axis.low), (1.07, axis.high))
    ]
    return picture


def _lines(axes: Sequence[_Axis], points: Sequence[Point], chosen: Sequence[int], color: str) -> drawing.Figure:
    """Return the lines of the `chosen` runs as one trace, with gaps between them."""
    x: list[float | None] = []
    y: list[float | None] = []
    text: list[str] = []
    for index in chosen:
        x += [*range(len(axes)), None]
        y += [*(float(axis.places[index]) for axis in axes), None]
        text += [points[index].text] * len(axes) + [""]
    return {**drawing.line(x, y, color), "text": text, "hovertemplate": "%{text}<extra></extra>"}


def _axis(name: str, space: Any, points: Sequence[Point]) -> _Axis:
    values = [point.config.get(name) for point in points]
    if isinstance(space, ChoiceSpace):
        choices = list(space.choices)
        places = np.array([choices.index(value) for value in values], float) / max(len(choices) - 1, 1)
        return _Axis(name, places, str(choices[0]), str(choices[-1]))
    assert isinstance(space, NumericSpace)
    numbers = space.transform(np.array(values, float))
    axis = _numeric(name, numbers)
    ends = space.inverse(np.array([np.min(numbers), np.max(numbers)]))
    return _Axis(name, axis.places, f"{ends[0]:.3g}", f"{ends[1]:.3g}")


def _numeric(title: str, values: Array, *, log: bool = False) -> _Axis:
    low, high = float(np.min(values)), float(np.max(values))
    places = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    shown = [f"{10**end if log else end:.3g}" for end in (low, high)]
    return _Axis(title, places, shown[0], shown[1])
