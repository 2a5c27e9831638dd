"""The figures of a sweep's page; those that the report has, too, are drawn by `wandb_carbs.figures`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from html import escape
from typing import Any

from wandb_carbs.figures import drawing
from wandb_carbs.figures import frontier as picture
from wandb_carbs.server.pages.rows import RunRow, number
from wandb_carbs.server.store.database import MICROSECONDS

Figure = drawing.Figure
# Lines of the parallel coordinates, and parameters of a hover label.
_MAX_LINES = 500
_MAX_DESCRIBED = 12
_STATE_COLORS = {
    "running": "@law",
    "finished": "@frontier",
    "failed": "@failed",
    "crashed": "@failed",
    "killed": "@high",
    "preempted": "@high",
    "preempting": "@high",
}


def frontier(rows: Sequence[RunRow], objective: str, cost: str, *, maximize: bool, marked: str | None = None) -> Figure:
    """Draw objective against cost, and the Pareto frontier; nothing if no run counts.

    Args:
        rows: All runs.
        objective: Name of the objective.
        cost: Name of the cost.
        maximize: Whether more of the objective is better.
        marked: Name of a run to mark.
    """
    points = [
        picture.Point(
            row.title,
            row.cost or 0.0,
            row.objective or 0.0,
            dict(list(row.config.items())[:_MAX_DESCRIBED]),
            is_marked=row.name == marked,
            key=row.name,
        )
        for row in rows
        if row.counts
    ]
    return picture.figure(points, objective, cost, maximize=maximize, height=420) if points else {}


def progress(rows: Sequence[RunRow], objective: str, cost: str, *, maximize: bool) -> Figure:
    """Draw the best objective over the spent cost, in the order in which the runs were created."""
    spent = 0.0
    seen: list[float] = []
    best: list[float] = []
    choose = max if maximize else min
    for row in sorted((row for row in rows if row.counts), key=lambda row: row.created_at):
        spent += row.cost or 0.0
        value = row.objective or 0.0
        seen.append(spent)
        best.append(value if not best else choose(best[-1], value))
    line = drawing.line(seen, best, "@frontier")
    line["line"]["shape"] = "hv"
    return drawing.figure([line], f"spent {cost}", f"best {objective}")


def parallel(rows: Sequence[RunRow], objective: str, *, maximize: bool) -> Figure:
    """Draw the parameters of each run as a line over parallel axes, the best tenth last and in colour."""
    counted = sorted((row for row in rows if row.counts), key=lambda row: row.objective or 0.0, reverse=maximize)
    left_out = len(counted) - _MAX_LINES
    counted = counted[:_MAX_LINES]
    keys = [key for key in dict.fromkeys(key for row in counted for key in row.config) if _varies(counted, key)]
    if not counted or not keys:
        return {}
    scales = {key: _scale([row.config[key] for row in counted if key in row.config]) for key in keys}
    half, tenth = -(-len(counted) // 2), -(-len(counted) // 10)
    parts = {
        "the worse half": (counted[half:], "@run", 0.6),
        "the better half": (counted[tenth:half], "@low", 1.0),
        "the best tenth": (counted[:tenth], "@frontier", 2.0),
    }
    traces = []
    for name, (part, color, width) in parts.items():
        trace: Figure = {"x": [], "y": [], "text": [], "customdata": []}
        for row in part:
            trace["x"] += [*(escape(key) for key in keys), None]
            trace["y"] += [*(scales[key](row.config[key]) if key in row.config else None for key in keys), None]
            value = f"{escape(objective)} {row.objective:.5g}"
            trace["text"] += [
                *(f"{_title(row)}<br>{escape(key)} {_text(row.config.get(key))}<br>{value}" for key in keys),
                "",
            ]
            trace["customdata"] += [row.name] * (len(keys) + 1)
        traces.append(
            {
                **trace,
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "line": {"color": color, "width": width},
                "marker": {"size": 4, "color": color},
                "opacity": 1 if width > 1 else 0.6,
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    made = drawing.figure(traces, "", "low to high, in the runs' own range", height=380)
    made["layout"]["yaxis"] |= {"range": [-0.05, 1.05], "showticklabels": False}
    made["layout"]["hovermode"] = "closest"
    if left_out > 0:
        made["note"] = f"The best {_MAX_LINES} runs; {left_out} others are left out."
    return made


def _varies(rows: Sequence[RunRow], key: str) -> bool:
    return len({_text(row.config[key]) for row in rows if key in row.config}) > 1


def _scale(values: Sequence[Any]) -> Any:
    """Return a function from a value to its place between 0 and 1, logarithmic where the values span decades."""
    numbers = [found for value in values if (found := number(value)) is not None]
    if len(numbers) < len(values):
        order = sorted({_text(value) for value in values})
        return lambda value: order.index(_text(value)) / max(len(order) - 1, 1)
    low, high = min(numbers), max(numbers)
    if low > 0 and high / low > 30:
        return lambda value: math.log(value / low) / math.log(high / low)
    return lambda value: (value - low) / ((high - low) or 1.0)


def timeline(runs: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw when each agent had which run.

    Args:
        runs: `agent`, `title`, `state`, `start` and `end` (microseconds since the epoch) of each run.
    """
    if not runs:
        return {}
    traces: dict[str, Figure] = {}
    for run in runs:
        trace = traces.setdefault(
            run["state"],
            {
                "type": "scatter",
                "mode": "lines",
                "name": run["state"],
                "x": [],
                "y": [],
                "text": [],
                "line": {"width": 9, "color": _STATE_COLORS.get(run["state"], "@run")},
                "hovertemplate": "%{text}<extra></extra>",
            },
        )
        label = f"{escape(run['title'])}: {escape(run['state'])}"
        trace["x"] += [_moment(run["start"]), _moment(run["end"]), None]
        trace["y"] += [escape(run["agent"]), escape(run["agent"]), None]
        trace["text"] += [label, label, ""]
    agents = len({run["agent"] for run in runs})
    made = drawing.figure(list(traces.values()), "time (UTC)", "", height=min(120 + 18 * agents, 900))
    made["layout"]["yaxis"] |= {"type": "category", "automargin": True}
    made["layout"]["xaxis"]["type"] = "date"
    return made


def _moment(microseconds: int) -> str:
    moment = datetime.fromtimestamp(microseconds / MICROSECONDS, tz=timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _title(row: RunRow) -> str:
    return escape(row.title)


def _text(value: Any) -> str:
    return drawing.text(value if isinstance(value, float) else str(value)[:80])
