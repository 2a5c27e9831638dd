"""A sweep in figures, as JSON can hold them."""

from __future__ import annotations

import math
from collections import Counter
from datetime import datetime, timezone
from typing import Any

from wandb_carbs.clock import time_of_ages
from wandb_carbs.record import Standing
from wandb_carbs.report.data import ReportData
from wandb_carbs.sweep.history import SweepHistory
from wandb_carbs.sweep.rows import Row, find_frontier, observations, rows, running

# A failure's reason is shown up to here: it may be the whole message of an exception.
_MAX_REASON = 60


def summarize(history: SweepHistory) -> dict[str, Any]:
    """Return what `status` says, as JSON can hold it; a cost beyond the floats is None, and so is an unknown time."""
    members, labels = find_frontier(history), history.labels
    spent = sum(row.cost or 0.0 for row in observations(history))
    now = time_of_ages([run.record for run in history.runs], datetime.now(timezone.utc))
    starts = [run.record.created_at for run in history.runs if run.record.created_at is not None]
    data = ReportData(history)
    return {
        "sweep": str(history.path),
        "name": labels.name,
        "url": labels.url,
        "state": labels.state,
        "metric": data.objective_title,
        "goal": "maximize" if data.sign > 0 else "minimize",
        "runs": len(history.runs),
        "run_cap": labels.run_cap,
        "states": history.counts,
        "points": sum(len(run.points) for run in history.runs),
        "stopped": sum(run.record.was_stopped for run in history.runs),
        "failures": _failures(history),
        "spent_cost": spent if math.isfinite(spent) else None,
        "seconds": max((now - min(starts)).total_seconds(), 0.0) if starts else None,
        "best": result(members[-1]) if members else None,
        "frontier": [result(row) for row in members],
        "running": [_running(row, now) for row in running(history)],
        "earlier_runs": len(history.definition.old_runs),
        "initial": len(history.definition.initial),
        "start": history.definition.start,
        "drawn_arguments": len(data.drawn),
        "refused_changes": len(data.changed),
        "doubts": data.doubts,
    }


def result(row: Row) -> dict[str, Any]:
    """Return an observation as JSON can hold it."""
    return {"run": row.id, "cost": row.cost, "objective": row.objective, "config": row.config}


def _failures(history: SweepHistory) -> dict[str, int]:
    """Count the failures by their reasons, most frequent first."""
    failed = [row for row in rows(history) if row.state == Standing.FAILURE.value]
    return dict(Counter(_in_one_line(row.reason) or "no reason given" for row in failed).most_common())


def _in_one_line(reason: str) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= _MAX_REASON else f"{line[: _MAX_REASON - 1].rstrip()}…"


def _running(row: Row, now: datetime) -> dict[str, Any]:
    seconds = (now - datetime.fromisoformat(row.created_at)).total_seconds() if row.created_at else None
    return {"run": row.id, "created_at": row.created_at, "seconds": seconds, "config": row.config}
