"""A sweep's runs as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from carbs.pareto import frontier
from wandb_carbs.plain import finite
from wandb_carbs.record import COST_KEY, OBJECTIVE_KEY, Standing, recorded_suggestion
from wandb_carbs.sweep.history import SweepHistory
from wandb_carbs.sweep.judged import JudgedRun

_LIVING = {Standing.RUNNING.value, Standing.STARTING.value}


@dataclass(frozen=True)
class Row:
    """A run.

    Attributes:
        id: Its id.
        name: The name that W&B shows.
        state: Its standing for the search.
        wandb_state: W&B's own state.
        kind: How its suggestion came about.
        objective: None unless the run counts as an observation.
        cost: Likewise.
        created_at: ISO-8601, UTC.
        reason: Why it is skipped, abandoned or failed, or was stopped early; empty otherwise.
        config: The suggestion that it took, whatever it counts as, and the sweep's constants; empty if it took none.
    """

    id: str
    name: str
    state: str
    wandb_state: str
    kind: str | None
    objective: float | None
    cost: float | None
    created_at: str | None
    reason: str
    config: dict[str, Any]


def rows(history: SweepHistory) -> list[Row]:
    """Return the runs in the order of their creation."""
    constants = history.constants
    return [_row(run, constants) for run in history.runs]


def observations(history: SweepHistory) -> list[Row]:
    """Return the runs that reported an objective and a cost."""
    return [row for row in rows(history) if row.state == Standing.OBSERVATION.value]


def running(history: SweepHistory) -> list[Row]:
    """Return the runs that are alive."""
    return [row for row in rows(history) if row.state in _LIVING]


def columns(history: SweepHistory, *, with_constants: bool = False) -> list[str]:
    """Return the names of the hyperparameters, and after them those of the constants if they are wanted."""
    return [*(param.name for param in history.definition.params), *(history.constants if with_constants else ())]


def find_frontier(history: SweepHistory) -> list[Row]:
    """Return the runs that no cheaper one equals, by increasing cost."""
    seen = observations(history)
    points = np.array([(row.objective, row.cost) for row in seen], float).reshape(-1, 2)
    return [seen[i] for i in frontier(history.definition.config.better_direction_sign * points[:, 0], points[:, 1])]


def _row(run: JudgedRun, constants: Mapping[str, Any]) -> Row:
    record, standing = run.record, run.verdict.standing
    values = run.suggestion or recorded_suggestion(record)
    counts, kind = standing is Standing.OBSERVATION, record.summary.get("carbs.kind")
    return Row(
        id=record.id,
        name=record.name,
        state=standing.value,
        wandb_state=record.state,
        kind=kind if isinstance(kind, str) else None,
        objective=float(record.summary[OBJECTIVE_KEY]) if counts else None,
        cost=float(record.summary[COST_KEY]) if counts else None,
        created_at=record.created_at.isoformat() if record.created_at else None,
        reason=f"stopped early: it {record.why_stopped}" if counts and record.why_stopped else run.verdict.reason,
        config=finite({**values, **constants}) if values else {},
    )
