"""A sweep in figures, as JSON can hold them."""

from __future__ import annotations

import math
from typing import Any

from wandb_carbs.sweep.history import SweepHistory
from wandb_carbs.sweep.rows import Row, find_frontier, observations, running


def summarize(history: SweepHistory) -> dict[str, Any]:
    """Return what `status` says, as JSON can hold it; a cost beyond the floats is None."""
    members = find_frontier(history)
    spent = sum(row.cost or 0.0 for row in observations(history))
    return {
        "sweep": str(history.path),
        "runs": len(history.runs),
        "states": history.counts,
        "spent_cost": spent if math.isfinite(spent) else None,
        "best": result(members[-1]) if members else None,
        "frontier": [result(row) for row in members],
        "running": [{"run": row.id, "created_at": row.created_at, "config": row.config} for row in running(history)],
    }


def result(row: Row) -> dict[str, Any]:
    """Return an observation as JSON can hold it."""
    return {"run": row.id, "cost": row.cost, "objective": row.objective, "config": row.config}
