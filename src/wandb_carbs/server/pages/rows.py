"""The frontier among the runs of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wandb_carbs.figures.frontier import Point, members
from wandb_carbs.server.sweeps.run_rows import Goal, RunRow, definition, number, read_run, run_values
from wandb_carbs.server.sweeps.run_rows import object_of as json_object

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Goal", "RunRow", "definition", "json_object", "number", "pareto_frontier", "read_run", "run_values"]


def pareto_frontier(rows: Sequence[RunRow], *, maximize: bool) -> list[RunRow]:
    """Return the runs that no other run beats in both objective and cost, the cheapest first."""
    counted = {row.name: row for row in rows if row.counts}
    points = [Point(row.name, row.cost or 0.0, row.objective or 0.0) for row in counted.values()]
    return [counted[point.name] for point in members(points, maximize=maximize)]
