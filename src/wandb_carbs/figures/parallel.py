"""Parallel coordinates: every run as a line over its cost, its hyperparameters and its objective.

Plotly's own kind of this figure needs WebGL and `eval`, which the pages' policies forbid, and is not printed.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wandb_carbs.figures import drawing
from wandb_carbs.figures.frontier import Point, window
from wandb_carbs.plain import number

# From the worst runs to the best: the share of the runs up to which a style goes, their name, colour and opacity.
_STYLES = (
    (0.5, "worse half", "@run", 0.25),
    (0.9, "better half", "@middle", 0.35),
    (1.0, "best tenth", "@high", 0.9),
)
# More lines are a carpet, and slow to draw.
MAX_LINES = 500
# Pixels that an axis needs at least, for the values at its ends.
_AXIS = 58
# Letters of an end of an axis, and of its title where there are many.
_MAX_END, _MAX_TITLE = 9, 22
# So many titles stand side by side.
_LEVEL = 7
# Positive values that differ by this factor are shown by their logarithms where no space says how.
_LOG_FACTOR = 30.0


@dataclass(frozen=True)
class Axis:
    """One of the vertical axes.

    Attributes:
        title: Its title.
        places: Where each run crosses it, from 0 to 1; None where a run has no value.
        low: The value at its lower end.
        high: The value at its upper end.
    """

    title: str
    places: Sequence[float | None]
    low: str
    high: str


def numeric_axis(title: str, values: Sequence[float | None], *, is_log: bool = False) -> Axis:
    """Return an axis from the least of some finite numbers to the greatest."""
    scaled = [math.log10(value) if is_log and value is not None else value for value in values]
    seen = [value for value in values if value is not None]
    ends = min(seen, default=0.0), max(seen, default=0.0)
    return Axis(title, _between_ends(scaled), short(ends[0]), short(ends[1]))


def short(value: float) -> str:
    """Write a number in about seven letters: the ends of neighbouring axes must not touch."""
    if float(value).is_integer() and abs(value) < 1e6:
        return f"{value:.0f}"
    text = number(value)
    return text if len(text) < 8 else f"{value:.2g}"


def choice_axis(title: str, values: Sequence[Any], choices: Sequence[Any]) -> Axis:
    """Return an axis of choices in their order; a value outside of them has no place."""
    places = [choices.index(value) / max(len(choices) - 1, 1) if value in choices else None for value in values]
    ends = (str(choice) for choice in (choices[0], choices[-1]))
    low, high = (end if len(end) <= _MAX_END else f"{end[: _MAX_END - 1]}…" for end in ends)
    return Axis(title, places, low, high)


def axis_of_values(title: str, values: Sequence[Any], *, is_logit: bool = False) -> Axis | None:
    """Return an axis for values of any kind, or None if all are the same.

    Args:
        title: Its title.
        values: Those of the runs; None where a run has none.
        is_logit: Whether numbers between 0 and 1 are to be shown by their logit.
    """
    held = [value for value in values if value is not None]
    if len({drawing.text(value) for value in held}) < 2:
        return None
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in held):
        texts = [None if value is None else str(value)[:80] for value in values]
        return choice_axis(title, texts, sorted({text for text in texts if text is not None}))
    numbers = [float(value) if value is not None and abs(value) <= 1e300 else None for value in values]
    finite = [value for value in numbers if value is not None]
    if is_logit and all(0 < value < 1 for value in finite):
        places = [None if value is None else math.log10(value) - math.log10(1 - value) for value in numbers]
        return Axis(title, _between_ends(places), short(min(finite)), short(max(finite)))
    is_log = bool(finite) and min(finite) > 0 and max(finite) / min(finite) > _LOG_FACTOR
    return numeric_axis(title, numbers, is_log=is_log)


def best_of(points: Sequence[Point], *, maximize: bool) -> Sequence[Point]:
    """Return as many runs as the figure can show, the best if there are more."""
    if len(points) <= MAX_LINES:
        return points
    return sorted(points, key=lambda point: point.objective, reverse=maximize)[:MAX_LINES]


def figure(
    points: Sequence[Point], axes: Sequence[Axis], *, maximize: bool, cost: str, objective: str, total: int = 0
) -> drawing.Figure:
    """Draw the runs, the best ones last; its `min_width` says how many pixels it needs.

    Args:
        points: The runs, at least one; see `best_of`.
        axes: The axes of the hyperparameters.
        maximize: Whether a higher objective is better.
        cost: Title of the cost's axis.
        objective: Title of the objective's axis.
        total: How many runs there are; a `note` says how many of them are left out.
    """
    sign = 1 if maximize else -1
    order = sorted(range(len(points)), key=lambda index: sign * points[index].objective)
    better = [points[index].objective for index in order[-max(2, len(order) // 2) :]]
    (low, high), _ = window([], better, maximize=maximize)
    every = [
        numeric_axis(cost, [point.cost for point in points], is_log=True),
        *axes,
        numeric_axis(objective, [min(max(point.objective, low), high) for point in points]),
    ]
    traces: list[drawing.Figure] = []
    start = 0.0
    for end, name, color, opacity in _STYLES:
        chosen = [index for rank, index in enumerate(order, 1) if start < rank / len(order) <= end]
        start = end
        if chosen:
            traces.append({**_lines(every, points, chosen, color), "name": name, "opacity": opacity})
    picture = drawing.figure(traces, "", "", height=380)
    picture["layout"]["xaxis"] |= {
        "tickmode": "array",
        "tickvals": list(range(len(every))),
        "ticktext": [html.escape(drawing.brief(axis.title, _MAX_TITLE)) for axis in every],
        "range": [-0.3, len(every) - 0.7],
    }
    if len(every) > _LEVEL:
        picture["layout"]["xaxis"]["tickangle"] = -30  # else plotly leaves out titles that touch one another
    picture["layout"]["yaxis"] |= {"showticklabels": False, "showgrid": False, "range": [-0.12, 1.12]}
    picture["layout"]["hovermode"] = "closest"
    picture["layout"]["annotations"] = [
        {"x": place, "y": y, "text": html.escape(text), "showarrow": False, "font": {"color": "@muted", "size": 10}}
        for place, axis in enumerate(every)
        for y, text in ((-0.07, axis.low), (1.07, axis.high))
    ]
    picture["min_width"] = _AXIS * len(every)
    if total > len(points):
        picture["note"] = f"The best {len(points)} of {total} runs."
    return picture


def _lines(axes: Sequence[Axis], points: Sequence[Point], chosen: Sequence[int], color: str) -> drawing.Figure:
    """Return the lines of the `chosen` runs as one trace, with gaps between them."""
    x: list[float | None] = []
    y: list[float | None] = []
    text: list[str] = []
    keys: list[str] = []
    for index in chosen:
        x += [*range(len(axes)), None]
        y += [*(axis.places[index] for axis in axes), None]
        text += [*(_text(points[index], axis) for axis in axes), ""]
        keys += [points[index].key] * (len(axes) + 1)
    return {**drawing.line(x, y, color), "text": text, "customdata": keys, "hovertemplate": "%{text}<extra></extra>"}


def _text(point: Point, axis: Axis) -> str:
    """Return the label of a run at an axis, as HTML."""
    held = point.config.get(axis.title)
    at_axis = "" if held is None else f"<br>{html.escape(axis.title)}: {drawing.text(held)}"
    return f"{point.heading}{at_axis}"


def _between_ends(values: Sequence[float | None]) -> list[float | None]:
    seen = [value for value in values if value is not None]
    low, high = min(seen, default=0.0), max(seen, default=0.0)
    if not high > low:
        return [None if value is None else 0.5 for value in values]
    return [None if value is None else (value / 2 - low / 2) / (high / 2 - low / 2) for value in values]
