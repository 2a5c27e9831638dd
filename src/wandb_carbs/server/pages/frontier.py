"""What a page shows of a sweep's runs: their objective and cost, the Pareto frontier, and its chart."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.store import run_states

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_WIDTH, _HEIGHT = 760, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 20, 18, 48


@dataclass(frozen=True)
class RunRow:
    """One run of a table.

    Attributes:
        name: The run's id.
        title: Its display name.
        state: Its state in W&B.
        carbs_state: What CARBS made of it, empty when it has no part in that.
        objective: Its objective, or None.
        cost: Its cost, or None.
        counts: Whether it is an observation.
        config: Its parameters.
        created_at: Microseconds since the epoch.
    """

    name: str
    title: str
    state: str
    carbs_state: str
    objective: float | None
    cost: float | None
    counts: bool
    config: dict[str, Any]
    created_at: int


def read_run(row: sqlite3.Row, metric: str | None) -> RunRow:
    """Read a run's row.

    A run without CARBS's record shows its sweep's metric and its run time instead.

    Args:
        row: The run's row.
        metric: Name of the sweep's metric, or None.
    """
    summary: dict[str, Any] = json.loads(row["summary"])
    config: dict[str, Any] = json.loads(row["config"])
    carbs_state = summary.get("carbs.state")
    objective, cost = _number(summary.get("carbs.objective")), _number(summary.get("carbs.cost"))
    if carbs_state is None:
        objective = _number(summary.get(metric)) if metric else None
        cost = _number(summary.get("_runtime"))
    counts = carbs_state == "success" or (carbs_state is None and row["state"] == run_states.FINISHED)
    return RunRow(
        name=row["name"],
        title=row["display_name"],
        state=row["state"],
        carbs_state=str(carbs_state or ""),
        objective=objective,
        cost=cost,
        counts=counts and objective is not None and cost is not None and cost > 0,
        config={k: v["value"] for k, v in config.items() if k != "_wandb" and isinstance(v, dict) and "value" in v},
        created_at=row["created_at"],
    )


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= 1e300:
        return None
    return float(value)


def pareto_frontier(rows: Sequence[RunRow], *, maximize: bool) -> list[RunRow]:
    """Return the runs that no other run beats in both objective and cost, the cheapest first."""
    sign = -1.0 if maximize else 1.0
    frontier: list[RunRow] = []
    best = math.inf
    for row in sorted((r for r in rows if r.counts), key=lambda r: (r.cost or 0.0, sign * (r.objective or 0.0))):
        value = sign * (row.objective or 0.0)
        if value < best:
            best = value
            frontier.append(row)
    return frontier


def chart(rows: Sequence[RunRow], frontier: Sequence[RunRow], objective: str, cost: str) -> str:
    """Return an SVG scatter of objective against cost on a logarithmic axis, or nothing when no run counts.

    Args:
        rows: All runs.
        frontier: The Pareto frontier among them.
        objective: Name of the objective.
        cost: Name of the cost.
    """
    points = [(math.log10(row.cost or 1.0), row.objective or 0.0, row) for row in rows if row.counts]
    if not points:
        return ""
    x_low, x_high = _padded([x for x, _, _ in points])
    y_low, y_high = _padded([y for _, y, _ in points])

    def px(x: float) -> float:
        return _LEFT + (x - x_low) / (x_high - x_low) * (_WIDTH - _LEFT - _RIGHT)

    def py(y: float) -> float:
        return _HEIGHT - _BOTTOM - (y - y_low) / (y_high - y_low) * (_HEIGHT - _TOP - _BOTTOM)

    names = {row.name for row in frontier}
    label = f"{escape(objective)} against {escape(cost)}, {len(points)} runs"
    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">']
    parts += [
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{py(y):.1f}" y2="{py(y):.1f}"/>'
        f'<text x="{_LEFT - 8}" y="{py(y) + 4:.1f}" text-anchor="end">{y:.4g}</text>'
        for y in _ticks(y_low, y_high)
    ]
    parts += [
        f'<line class="grid" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}" x1="{px(x):.1f}" x2="{px(x):.1f}"/>'
        f'<text x="{px(x):.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{10**x:.4g}</text>'
        for x in _log_ticks(x_low, x_high)
    ]
    parts.append(
        f'<text class="axis" x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">'
        f"{escape(cost)} (log)</text>"
        f'<text class="axis" transform="translate(14 {(_TOP + _HEIGHT - _BOTTOM) / 2}) rotate(-90)" '
        f'text-anchor="middle">{escape(objective)}</text>'
    )
    if frontier:
        steps = _staircase([(px(math.log10(r.cost or 1.0)), py(r.objective or 0.0)) for r in frontier], px(x_high))
        parts.append(f'<path class="frontier" d="{steps}"/>')
    parts += [
        f'<circle class="{"best" if row.name in names else "run"}" cx="{px(x):.1f}" cy="{py(y):.1f}" '
        f'r="{4.5 if row.name in names else 3.5}"><title>{escape(row.title)}: {escape(objective)} {y:.6g}, '
        f"{escape(cost)} {row.cost:.6g}</title></circle>"
        for x, y, row in sorted(points, key=lambda point: point[2].name in names)
    ]
    parts.append("</svg>")
    return "".join(parts)


def _staircase(corners: Sequence[tuple[float, float]], end: float) -> str:
    path = f"M{corners[0][0]:.1f} {corners[0][1]:.1f}"
    for x, y in corners[1:]:
        path += f"H{x:.1f}V{y:.1f}"
    return f"{path}H{end:.1f}"


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = 0.06 * (high - low) or max(abs(high) * 0.1, 0.1)
    return low - margin, high + margin


def _ticks(low: float, high: float) -> list[float]:
    raw = (high - low) / 7
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    first = math.ceil(low / step)
    return [round(place * step, 12) + 0.0 for place in range(first, math.floor(high / step) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.ceil(low), math.floor(high) + 1)
    if len(decades) >= 3:
        stride = -(-len(decades) // 8)
        return [float(x) for x in decades[::stride]]
    marks = [p + math.log10(m) for p in range(math.floor(low), math.ceil(high) + 1) for m in (1, 2, 5)]
    inside = [x for x in marks if low <= x <= high]
    return inside if len(inside) >= 2 else [low + (high - low) * place / 4 for place in range(5)]
