"""The figures of a sweep's page; those that the report has, too, are drawn by `wandb_carbs.figures`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from html import escape
from typing import Any

from wandb_carbs import metrics
from wandb_carbs.figures import drawing
from wandb_carbs.figures import frontier as picture
from wandb_carbs.figures import parallel as lines
from wandb_carbs.server.store.database import MICROSECONDS
from wandb_carbs.server.sweeps.run_rows import RunRow

Figure = drawing.Figure
# Parameters of a hover label.
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


def frontier(
    rows: Sequence[RunRow], objective: str, cost: str, *, maximize: bool, marked: str | None = None, total: int = 0
) -> Figure:
    """Draw objective against cost, and the Pareto frontier; nothing if no run counts.

    Args:
        rows: Observations, all of the frontier among them.
        objective: Name of the objective.
        cost: Name of the cost.
        maximize: Whether more of the objective is better.
        marked: Name of a run to mark.
        total: How many observations there are.
    """
    points = [_point(row, is_marked=row.name == marked) for row in rows]
    return picture.figure(points, objective, cost, maximize=maximize, height=420, total=total) if points else {}


def progress(corners: Sequence[tuple[float, float]], objective: str, cost: str) -> Figure:
    """Draw the best objective over the spent cost, given where the best changes, and the end."""
    bests = [best for _, best in corners]
    line = drawing.line([spent for spent, _ in corners], bests, "@frontier", shape="hv")
    is_log = bool(bests) and picture.spans_a_decade(bests, bests)
    shown = picture.shown_progress(bests, is_log=is_log)
    return drawing.figure([line], f"spent {cost}", f"best {objective}", log_y=is_log, shown_y=shown)


def parallel(
    rows: Sequence[RunRow], kinds: Mapping[str, str], objective: str, cost: str, *, maximize: bool, total: int = 0
) -> Figure:
    """Draw the parameters of each run as a line over parallel axes; nothing if no parameter varies.

    Args:
        rows: The best observations.
        kinds: The kind of each parameter's space, by its name; empty where it is not known.
        objective: Name of the objective.
        cost: Name of the cost.
        maximize: Whether more of the objective is better.
        total: How many observations there are.
    """
    axes = [
        lines.axis_of_values(name, [_value(row, name) for row in rows], is_logit=kind == "logit")
        for name, kind in kinds.items()
    ]
    varying = [axis for axis in axes if axis is not None]
    if not varying:
        return {}
    points = [_point(row) for row in rows]
    return lines.figure(points, varying, maximize=maximize, cost=cost, objective=objective, total=total)


def timeline(runs: Sequence[Mapping[str, Any]], total: int = 0) -> Figure:
    """Draw when each agent had which run.

    Args:
        runs: `agent`, `title`, `state`, `start` and `end` (microseconds since the epoch) of each run, the newest first.
        total: How many runs there are; a `note` says how many of them are left out.
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
    agents = sorted({escape(run["agent"]) for run in runs})
    made = drawing.figure(list(traces.values()), "time (UTC)", "", height=min(150 + 18 * len(agents), 900))
    order = {"categoryorder": "array", "categoryarray": agents}
    made["layout"]["yaxis"] |= {"type": "category", "automargin": True, **order}
    made["layout"]["xaxis"]["type"] = "date"
    if total > len(runs):
        made["note"] = f"The newest {len(runs)} of {total} runs."
    return made


def _moment(microseconds: int) -> str:
    moment = datetime.fromtimestamp(microseconds / MICROSECONDS, tz=timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _value(row: RunRow, name: str) -> Any:
    """Return a run's value of a parameter; a nested one's name has its parts joined by dots."""
    value = metrics.find(row.config, name)
    return None if value is metrics.MISSING else value


def _point(row: RunRow, *, is_marked: bool = False) -> picture.Point:
    described = dict(list(row.config.items())[:_MAX_DESCRIBED])
    return picture.Point(row.title, row.cost or 0.0, row.objective or 0.0, described, is_marked=is_marked, key=row.name)
