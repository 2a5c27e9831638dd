"""The picture of a sweep: its runs by cost and objective, and the frontier among them as stairs."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wandb_carbs.figures import drawing
from wandb_carbs.plain import number

# The picture shows this much beyond the frontier, in shares of the frontier's own height: first on the side of worse
# objectives, then on the side of better ones.
_ROOM = (1.25, 0.08)
# Objectives along the frontier that differ by this factor are shown by their logarithm (`carbs.plotting` does so, too).
_DECADE = 10.0
# A run that is this many times as far from the best one as half of the runs are has diverged, even on the frontier.
_FAR = 100.0


@dataclass(frozen=True)
class Point:
    """A run in the picture.

    Attributes:
        name: Its name.
        cost: Its cost, positive.
        objective: Its objective.
        config: Its configuration.
        is_marked: Whether the picture points it out.
        key: Its name for the page, when it is clicked.
    """

    name: str
    cost: float
    objective: float
    config: Mapping[str, Any] = field(default_factory=dict)
    is_marked: bool = False
    key: str = ""

    @property
    def text(self) -> str:
        """Its label, as HTML."""
        lines = [f"{html.escape(name)}: {drawing.text(value)}" for name, value in self.config.items()]
        return "<br>".join([self.heading, *lines])

    @property
    def heading(self) -> str:
        """The first two lines of its label: all but its configuration."""
        return f"<b>{html.escape(self.name)}</b><br>objective {number(self.objective, 5)}, cost {number(self.cost, 4)}"


def members(points: Sequence[Point], *, maximize: bool) -> list[Point]:
    """Return the frontier by observed cost and objective: no other point is at least as good at no more cost.

    Args:
        points: The runs.
        maximize: Whether a higher objective is better.

    Returns:
        The members by increasing cost; of equal runs the first.
    """
    sign = 1 if maximize else -1
    found: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, -sign * point.objective)):
        if not found or sign * point.objective > sign * found[-1].objective:
            found.append(point)
    return found


def sound(objectives: Sequence[float], frontier: Sequence[float]) -> Sequence[float]:
    """Return the frontier's objectives without those of runs that diverged: the cheapest run is on it all the same.

    Args:
        objectives: Of all runs.
        frontier: Objectives of the frontier's members, by increasing cost.
    """
    away = sorted(abs(value - frontier[-1]) for value in objectives)
    # Where half of the runs are as good as the best one, those that are not say how far is far.
    typical = next((distance for distance in away[len(away) // 2 :] if distance > 0), math.inf)
    return [value for value in frontier if abs(value - frontier[-1]) <= _FAR * typical]


def window(objectives: Sequence[float], frontier: Sequence[float], *, maximize: bool) -> tuple[list[float], int]:
    """Return the range of objectives to show, and how many lie outside: runs that are far worse would squeeze the rest.

    Args:
        objectives: Of all runs.
        frontier: Objectives of the frontier's members, by increasing cost.
        maximize: Whether a higher objective is better.
    """
    sign, best, frontier = (1 if maximize else -1), frontier[-1], sound(objectives, frontier)
    largest = 1e308  # a page holds no infinity
    # A frontier of one run has no height: that of the better three quarters of the runs stands in.
    quartile = sorted(objectives, key=lambda value: -sign * value)[3 * len(objectives) // 4] if objectives else best
    height = min(abs(frontier[0] - best) or abs(quartile - best), largest) or max(abs(best), 1.0)
    low, high = sorted(
        max(-largest, min(end, largest)) for end in (best - sign * _ROOM[0] * height, best + sign * _ROOM[1] * height)
    )
    return [low, high], sum(not low <= value <= high for value in objectives)


def spans_a_decade(objectives: Sequence[float], frontier: Sequence[float]) -> bool:
    """Tell whether the objectives are to be shown by their logarithm: a loss that falls from 2 to 0.02, say."""
    shown = sound(objectives, frontier)
    return min(objectives) > 0 and max(shown) >= _DECADE * min(shown)


def shown_progress(best: Sequence[float], *, is_log: bool) -> list[float] | None:
    """Return the range in which the best objectives so far are shown; None for all of them.

    It leaves out the beginning of a search whose first runs diverged.

    Args:
        best: The best objective after each run.
        is_log: Whether objectives are shown by their logarithms; so is the range.
    """
    if not best or len(sound(best, best)) == len(best):
        return None
    scaled = list(map(math.log10, best)) if is_log else best
    return window(scaled, scaled, maximize=best[-1] > best[0])[0]


def stairs(found: Sequence[Point], end: float) -> drawing.Figure:
    """Return the frontier as stairs that go on to the cost `end`: what is best at one cost is best above it, too."""
    corners = [(point.cost, point.objective) for point in found]
    if corners and end > corners[-1][0]:
        corners.append((end, corners[-1][1]))
    costs, objectives = zip(*corners, strict=True) if corners else ((), ())
    line = drawing.line(costs, objectives, "@frontier", shape="hv")
    return {**line, "name": "frontier, as observed", "hoverinfo": "skip"}


def figure(
    points: Sequence[Point],
    objective: str = "objective",
    cost: str = "cost",
    *,
    maximize: bool,
    under: Sequence[drawing.Figure] = (),
    over: Sequence[drawing.Figure] = (),
    height: int = 460,
    total: int = 0,
) -> drawing.Figure:
    """Draw the runs and their frontier.

    Args:
        points: The runs, at least one.
        objective: Title of the vertical axis.
        cost: Title of the horizontal axis.
        maximize: Whether a higher objective is better.
        under: Further traces, drawn first.
        over: Further traces, drawn last.
        height: In pixels.
        total: How many runs there are; a `note` says how many of them are drawn.
    """
    found = members(points, maximize=maximize)
    best = {id(point) for point in found}
    groups = [
        ("runs", [point for point in points if id(point) not in best and not point.is_marked], "@run", 6, "circle"),
        ("runs on the frontier", [point for point in found if not point.is_marked], "@frontier", 8, "circle"),
        ("this run", [point for point in points if point.is_marked], "@high", 13, "star"),
    ]
    marks = [
        {
            **drawing.marks([p.cost for p in group], [p.objective for p in group], color, size, symbol=symbol),
            "name": name,
            "text": [point.text for point in group],
            "customdata": [point.key for point in group],
            "hovertemplate": "%{text}<extra></extra>",
        }
        for name, group, color, size, symbol in groups
        if group
    ]
    end = max(point.cost for point in points)
    objectives, best_ones = [point.objective for point in points], [point.objective for point in found]
    is_log = spans_a_decade(objectives, best_ones)
    if is_log:
        objectives, best_ones = list(map(math.log10, objectives)), list(map(math.log10, best_ones))
    shown, hidden = window(objectives, best_ones, maximize=maximize)
    traces = [*under, stairs(found, end), *marks, *over]
    if is_log:
        traces = [drawing.raised(trace, 10 ** shown[0]) for trace in traces]
    picture = drawing.figure(traces, cost, objective, log_x=True, log_y=is_log, shown_y=shown, height=height)
    if hidden:
        drawn = "drawn " if total > len(points) else ""
        verb = "is" if hidden == 1 else "are"
        text = f"{hidden} of {len(points)} {drawn}runs {verb} far worse, off the picture"
        picture["layout"]["annotations"] = [drawing.note(text, at_top=not maximize)]  # where they would be
    if total > len(points):
        picture["note"] = f"{len(points)} of the {total} runs are drawn, the whole frontier among them."
    return picture
