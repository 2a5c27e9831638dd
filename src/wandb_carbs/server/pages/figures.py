"""The figures of a sweep's page, as the plain dictionaries that plotly draws.

A colour is named by its role, "@frontier"; the page replaces it by the one of the light or the dark theme. Texts of
users are escaped, because plotly reads markup in them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from html import escape
from typing import Any

from wandb_carbs.server.pages.rows import RunRow, number
from wandb_carbs.server.store.database import MICROSECONDS

Figure = dict[str, Any]
# Objectives further from the frontier than this many of its own ranges are left out of the first view, and counted.
_FAR = 3.0
# Lines of the parallel coordinates, and parameters of a hover label.
_MAX_LINES = 500
_MAX_DESCRIBED = 12
_STATE_COLORS = {
    "running": "@good",
    "finished": "@frontier",
    "failed": "@failed",
    "crashed": "@failed",
    "killed": "@warn",
    "preempted": "@warn",
    "preempting": "@warn",
}


def frontier(
    rows: Sequence[RunRow],
    best: Sequence[RunRow],
    objective: str,
    cost: str,
    *,
    maximize: bool,
    marked: str | None = None,
) -> Figure:
    """Draw objective against cost, and the Pareto frontier.

    Args:
        rows: All runs.
        best: The frontier among them, the cheapest first.
        objective: Name of the objective.
        cost: Name of the cost.
        maximize: Whether more of the objective is better.
        marked: Name of a run to mark.
    """
    names = {row.name for row in best}
    rest = [row for row in rows if row.counts and row.name not in names]
    traces = [
        {**_marks(rest, "@run", 7), "name": "runs"},
        {
            **_marks(best, "@frontier", 9),
            "name": "frontier",
            "mode": "lines+markers",
            "line": {"shape": "hv", "color": "@frontier"},
        },
    ]
    own = [row for row in rows if row.counts and row.name == marked]
    if own:
        mark = {**_marks(own, "@text", 15), "name": "this run"}
        mark["marker"] |= {"symbol": "circle-open", "line": {"width": 2}}
        traces.append(mark)
    made = figure(traces, cost, objective, log_x=True, height=420)
    shown, outside = _interesting([*rest, *best], best, maximize=maximize)
    if outside:
        made["layout"]["yaxis"]["range"] = shown
        made["note"] = f"{outside} runs are far from the frontier, outside this view; double-click shows them."
    return made


def _interesting(rows: Sequence[RunRow], best: Sequence[RunRow], *, maximize: bool) -> tuple[list[float], int]:
    """Return a range of objectives around the frontier, and how many runs are outside."""
    if not best:
        return [], 0
    values = [row.objective or 0.0 for row in best]
    low, high = min(values), max(values)
    reach = (high - low) or max(abs(high), 1.0)
    low, high = (low - _FAR * reach, high + 0.2 * reach) if maximize else (low - 0.2 * reach, high + _FAR * reach)
    return [low, high], sum(not low <= (row.objective or 0.0) <= high for row in rows)


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
    style = {"shape": "hv", "color": "@frontier", "width": 2}
    line = {"type": "scatter", "mode": "lines", "x": seen, "y": best, "name": "best", "line": style}
    return figure([line], f"spent {cost}", f"best {objective}")


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
    made = figure(traces, "", "low to high, in the runs' own range", height=380)
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
    made = figure(list(traces.values()), "time (UTC)", "", height=min(120 + 18 * agents, 900))
    made["layout"]["yaxis"] |= {"type": "category", "automargin": True}
    made["layout"]["xaxis"]["type"] = "date"
    return made


def _moment(microseconds: int) -> str:
    moment = datetime.fromtimestamp(microseconds / MICROSECONDS, tz=timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def figure(traces: Sequence[Figure], x: str, y: str, *, log_x: bool = False, height: int = 320) -> Figure:
    """Return a figure of traces over titled axes, `height` pixels high."""
    axis = {"gridcolor": "@grid", "zeroline": False, "automargin": True}
    return {
        "data": list(traces),
        "layout": {
            "height": height,
            "xaxis": {**axis, "title": {"text": escape(x)}, **({"type": "log"} if log_x else {})},
            "yaxis": {**axis, "title": {"text": escape(y)}},
            "margin": {"l": 60, "r": 16, "t": 30, "b": 50},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": "@text", "family": "system-ui, sans-serif", "size": 12},
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "hoverlabel": {"align": "left"},
        },
    }


def _marks(rows: Sequence[RunRow], color: str, size: int) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [row.cost for row in rows],
        "y": [row.objective for row in rows],
        "marker": {"color": color, "size": size},
        "text": [_describe(row) for row in rows],
        "customdata": [row.name for row in rows],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _describe(row: RunRow) -> str:
    lines = [f"<b>{_title(row)}</b>", f"objective {row.objective:.5g}, cost {row.cost:.4g}"]
    lines += [f"{escape(key)}: {_text(value)}" for key, value in list(row.config.items())[:_MAX_DESCRIBED]]
    return "<br>".join(lines)


def _title(row: RunRow) -> str:
    return escape(row.title)


def _text(value: Any) -> str:
    return escape(f"{value:.4g}" if isinstance(value, float) else str(value)[:80])
