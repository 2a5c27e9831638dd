"""Sweeps: creation, configuration, and states."""

from __future__ import annotations

import functools
import json
import math
import secrets
from typing import TYPE_CHECKING, Any

import yaml

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import run_states
from wandb_carbs.server.store.filters import Filter
from wandb_carbs.server.store.ids import new_name, row_id
from wandb_carbs.server.store.projects import ensure_project
from wandb_carbs.server.sweeps.draws import grid_size, search_space

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from wandb_carbs.server.store.database import Store

PENDING, RUNNING, PAUSED, FINISHED, CANCELED = "PENDING", "RUNNING", "PAUSED", "FINISHED", "CANCELED"
STATES = (PENDING, RUNNING, PAUSED, FINISHED, CANCELED)

_COLUMNS = {
    "displayName": "display_name",
    "description": "description",
    "config": "config",
    "controller": "controller",
    "scheduler": "scheduler",
    "state": "state",
}


@functools.lru_cache(maxsize=256)
def parse_config(text: str) -> Mapping[str, Any]:
    """Parse a sweep's YAML; the result is shared and must not be changed.

    Raises:
        RequestError: It is no YAML mapping, or its search space is invalid.
    """
    try:
        config = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RequestError(f"invalid sweep config: {error}") from None
    if not isinstance(config, dict):
        raise RequestError("invalid sweep config: it must be a mapping")
    search_space(config)
    cap = config.get("run_cap")
    if cap is not None and (not isinstance(cap, int) or isinstance(cap, bool) or cap < 1):
        raise RequestError(f"invalid sweep config: run_cap {cap!r} must be a positive integer")
    metric = config.get("metric")
    if metric is not None and (not isinstance(metric, dict) or not isinstance(metric.get("name"), str)):
        raise RequestError(f"invalid sweep config: metric {metric!r} must have a name")
    return config


def config_warnings(config: Mapping[str, Any]) -> list[str]:
    """Return what this server does otherwise than the configuration asks."""
    warnings = []
    if config["method"] == "bayes":
        warnings.append("this local server has no method 'bayes': it suggests at random; CARBS agents choose their own")
    if config.get("early_terminate"):
        warnings.append("this local server ignores 'early_terminate'")
    return warnings


def upsert(store: Store, values: Mapping[str, Any]) -> tuple[int, list[str]]:
    """Create or update a sweep.

    Args:
        store: The storage.
        values: Arguments of the mutation `upsertSweep`; without an `id` a sweep is made.

    Returns:
        The sweep's row id, and warnings about its configuration.

    Raises:
        RequestError: The configuration or the state is invalid, or the id is unknown; nothing is changed.
    """
    changes: dict[str, str] = {c: values[k] for k, c in _COLUMNS.items() if values.get(k) is not None}
    warnings: list[str] = []
    if "config" in changes:
        warnings = config_warnings(parse_config(changes["config"]))
    if "state" in changes:
        changes["state"] = changes["state"].upper()
        if changes["state"] not in STATES:
            raise RequestError(f"sweep state {changes['state']!r} must be one of {', '.join(STATES)}")
    prior = Filter.parse(values.get("priorRunsFilters"))
    now = store.now()
    with store.transaction() as db:
        if values.get("id"):
            sweep_id = sweep_by_id(db, values["id"])["id"]
        else:
            if "config" not in changes:
                raise RequestError("a new sweep needs a config")
            project = ensure_project(db, values.get("entityName"), values.get("projectName"), now)
            cursor = db.execute(
                """INSERT INTO sweeps (project_id, name, config, state, seed, created_at, updated_at, heartbeat_at)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
                (project["id"], new_name(), changes["config"], PENDING, secrets.randbits(31), now, now, now),
            )
            assert cursor.lastrowid is not None
            sweep_id = cursor.lastrowid
            if values.get("priorRunsFilters"):
                _attach(db, project["id"], sweep_id, prior)
        for column, value in changes.items():
            db.execute(f"UPDATE sweeps SET {column} = ? WHERE id = ?", (value, sweep_id))  # noqa: S608 - our own names
        db.execute("UPDATE sweeps SET updated_at = ? WHERE id = ?", (now, sweep_id))
        if changes.get("state") == CANCELED:
            _cancel(db, sweep_id)
    return sweep_id, warnings


def _attach(db: sqlite3.Connection, project_id: int, sweep_id: int, prior: Filter) -> None:
    rows = db.execute("SELECT *, NULL AS sweep_name FROM runs WHERE project_id = ?", (project_id,)).fetchall()
    chosen = [(sweep_id, row["id"]) for row in rows if prior.matches(row)]
    db.executemany("UPDATE runs SET sweep_id = ? WHERE id = ?", chosen)


def _cancel(db: sqlite3.Connection, sweep_id: int) -> None:
    db.execute(
        f"UPDATE runs SET stop_requested = 1 WHERE sweep_id = ? AND state IN {(*run_states.ALIVE, run_states.PENDING)}",  # noqa: S608
        (sweep_id,),
    )
    db.execute(
        "UPDATE runs SET state = ? WHERE sweep_id = ? AND state = ? AND agent_id IS NULL",
        (run_states.KILLED, sweep_id, run_states.PENDING),
    )


def sweep_by_id(db: sqlite3.Connection, identifier: str) -> sqlite3.Row:
    """Return the sweep that an opaque id stands for.

    Raises:
        RequestError: There is none (404).
    """
    row: sqlite3.Row | None = db.execute("SELECT * FROM sweeps WHERE id = ?", (row_id("Sweep", identifier),)).fetchone()
    if row is None:
        raise RequestError(f"unknown sweep id {identifier!r}", 404)
    return row


def expected_runs(config: Mapping[str, Any]) -> int | None:
    """Return how many runs the sweep will have: its cap or the size of its grid, or None."""
    sizes = [size for size in (config.get("run_cap"), grid_size(search_space(config))) if size is not None]
    return min(sizes) if sizes else None


def best_objective(db: sqlite3.Connection, sweep_id: int, config: Mapping[str, Any]) -> float | None:
    """Return the best value of the sweep's metric over its finished runs, or None."""
    metric = config.get("metric")
    if not metric:
        return None
    rows = db.execute(
        "SELECT summary FROM runs WHERE sweep_id = ? AND state = ?", (sweep_id, run_states.FINISHED)
    ).fetchall()
    values = [json.loads(row["summary"]).get(metric["name"]) for row in rows]
    best = max if metric.get("goal") == "maximize" else min
    return best((number for value in values if (number := _finite(value)) is not None), default=None)


def _finite(value: Any) -> float | None:
    """Return a number as GraphQL's Float can hold it; None for everything else."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer beyond the largest float
        return None
    return number if math.isfinite(number) else None
