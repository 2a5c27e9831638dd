"""A run in a table: its standing in the search, and the values that it has really run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wandb_carbs.record import CONFIG_KEY, COST_KEY, OBJECTIVE_KEY, STATE_KEY, SUCCESS, SUGGESTION_KEY
from wandb_carbs.server.store import run_states
from wandb_carbs.server.store.database import MICROSECONDS
from wandb_carbs.server.sweeps.config import description_of, stored_config
from wandb_carbs.server.sweeps.metrics import value_at_end

if TYPE_CHECKING:
    import sqlite3

# Beyond it, differences of objectives overflow.
_LARGEST = 1e300
# Seconds of a run that took less than one.
_SHORT = 0.5


@dataclass(frozen=True)
class Goal:
    """The goal of a sweep.

    Attributes:
        metric: Name of the metric, or None.
        maximize: Whether more of it is better.
        is_carbs: Whether CARBS makes the suggestions, so that what W&B drew for a run is not what it runs.
        is_sweep: Whether there is a sweep at all, whose server draws the configurations of its runs.
    """

    metric: str | None = None
    maximize: bool = False
    is_carbs: bool = False
    is_sweep: bool = True

    @classmethod
    def of(cls, sweep: sqlite3.Row | None) -> Goal:
        """Return the goal of a sweep."""
        if sweep is None:
            return cls(is_sweep=False)
        config = stored_config(sweep["config"])
        metric = config.get("metric")
        metric = metric if isinstance(metric, Mapping) else {}
        name = metric.get("name")
        return cls(
            name if isinstance(name, str) else None,
            maximize=metric.get("goal") == "maximize",
            is_carbs=definition(sweep) is not None,
        )


def definition(sweep: sqlite3.Row) -> dict[str, Any] | None:
    """Return what a CARBS sweep says of itself in its description, or None."""
    described = (object_of(description_of(sweep)) or {}).get("carbs")
    return described if isinstance(described, dict) else None


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
        config: The parameters that it has run; empty before it has any.
        created_at: Microseconds since the epoch.
        seconds: How long it has run, or None before its start.
    """

    name: str
    title: str
    state: str
    carbs_state: str
    objective: float | None
    cost: float | None
    config: Mapping[str, Any]
    created_at: int
    seconds: float | None = None

    @classmethod
    def of(
        cls,
        row: sqlite3.Row,
        carbs_state: str,
        objective: float | None,
        cost: float | None,
        config: Mapping[str, Any],
    ) -> RunRow:
        """Return a run with its standing.

        Args:
            row: The columns of the run's row, which have its name, its title, its state and its times.
            carbs_state: What CARBS made of it, or empty.
            objective: Its objective, or None.
            cost: Its cost, or None.
            config: The parameters that it has run.
        """
        seconds = (row["heartbeat_at"] - row["created_at"]) / MICROSECONDS
        return cls(
            name=row["name"],
            title=row["display_name"],
            state=row["state"],
            carbs_state=carbs_state,
            objective=objective,
            cost=cost,
            config=config,
            created_at=row["created_at"],
            seconds=None if row["state"] == run_states.PENDING else seconds,
        )

    @property
    def counts(self) -> bool:
        """Whether it is an observation; `run_tables` has the same condition as SQL."""
        is_observed = self.carbs_state == SUCCESS or (not self.carbs_state and self.state == run_states.FINISHED)
        return is_observed and self.objective is not None and self.cost is not None and self.cost > 0


def read_run(row: sqlite3.Row, goal: Goal) -> RunRow:
    """Read a run's row.

    A run without CARBS's record shows its sweep's metric and its run time instead.

    Args:
        row: The run's row.
        goal: The goal of its sweep.
    """
    summary: dict[str, Any] = json.loads(row["summary"])
    carbs_state = summary.get(STATE_KEY)
    objective, cost = drawable(summary.get(OBJECTIVE_KEY)), drawable(summary.get(COST_KEY))
    if carbs_state is None and not goal.is_carbs:
        objective = cost = None
        if goal.metric:
            objective = drawable(value_at_end(summary, row["last_values"], goal.metric, maximize=goal.maximize))
            cost = drawable(summary.get("_runtime"))
        # The SDK counts whole seconds, and a cost must be positive.
        cost = _SHORT if cost == 0 else cost
    return RunRow.of(row, str(carbs_state or ""), objective, cost, run_values(row["config"], summary, goal))


def run_values(config: str, summary: Mapping[str, Any], goal: Goal) -> Mapping[str, Any]:
    """Return the configuration that a run has really had.

    Until its program has said what it runs, a run's configuration holds only what the server drew for it; in a sweep of
    CARBS it does so until the suggestion is recorded, and for ever if the run dies before.
    """
    values: dict[str, Any] = json.loads(config)
    shown = {
        key: value["value"]
        for key, value in values.items()
        if key != "_wandb" and isinstance(value, dict) and "value" in value
    }
    if not goal.is_carbs and SUGGESTION_KEY not in summary:
        return shown if "_wandb" in values or not goal.is_sweep else {}
    for key in (CONFIG_KEY, SUGGESTION_KEY):
        recorded = object_of(summary.get(key))
        if recorded is not None:
            return {**shown, **recorded}
    return {}


def object_of(value: Any) -> dict[str, Any] | None:
    """Return the JSON object that a text or a value holds, or None."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def drawable(value: Any) -> float | None:
    """Return a finite number that a page can draw, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= _LARGEST:
        return None
    return float(value)
