"""Sweeps from outside: which there are, and pausing, resuming, stopping and cancelling them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import wandb

from wandb_carbs.clock import parse_timestamp
from wandb_carbs.errors import WandbCarbsError
from wandb_carbs.graphql import execute
from wandb_carbs.plain import is_number
from wandb_carbs.record import COST_KEY, STATE_KEY, SUCCESS
from wandb_carbs.retry import INTERACTIVE_SECONDS, with_retries
from wandb_carbs.sweep.path import SweepPath, read_sweep, there_is_no

_PAGE = 100
_RUNS_PAGE = 1000

# Change to W&B's state of a sweep, as `wandb sweep --pause` and its siblings make it.
STATES = {"pause": "PAUSED", "resume": "RUNNING", "stop": "FINISHED", "cancel": "CANCELED"}
_ENDED = ("FINISHED", "CANCELED", "CRASHED", "FAILED")

_PROJECTS = """
query Projects($entity: String, $first: Int, $after: String) {
  models(entityName: $entity, first: $first, after: $after) {
    edges { node { name } } pageInfo { endCursor hasNextPage }
  }
}
"""
_SWEEPS = """
query Sweeps($entity: String, $project: String, $first: Int, $after: String) {
  project(name: $project, entityName: $entity) {
    sweeps(first: $first, after: $after) {
      edges { node { name displayName state createdAt } } pageInfo { endCursor hasNextPage }
    }
  }
}
"""
_RUNS = """
query Runs($entity: String, $project: String, $first: Int, $after: String) {
  project(name: $project, entityName: $entity) {
    runs(first: $first, after: $after) {
      edges { node { name sweepName summaryMetrics } } pageInfo { endCursor hasNextPage }
    }
  }
}
"""
_TEAMS = "query Teams { viewer { teams { edges { node { name } } } } }"
_SWEEP = """
query Sweep($entity: String, $project: String, $sweep: String!) {
  project(name: $project, entityName: $entity) { sweep(sweepName: $sweep) { id state } }
}
"""
_SET_STATE = """
mutation UpsertSweep($id: ID, $state: String, $entity: String, $project: String) {
  upsertSweep(input: {id: $id, state: $state, entityName: $entity, projectName: $project}) { sweep { name } }
}
"""

_Page = Callable[[Any], Mapping[str, Any] | None]


@dataclass(frozen=True)
class ListedSweep:
    """A sweep of a project.

    Attributes:
        path: Where it is.
        name: The name that W&B shows.
        state: W&B's own state of it: RUNNING, PAUSED, FINISHED, …
        created_at: When it was created; None if W&B does not say.
        runs: How many runs it has.
        spent_cost: The cost of its observations; None if there are none, or a float cannot hold it.
    """

    path: SweepPath
    name: str
    state: str
    created_at: datetime | None
    runs: int
    spent_cost: float | None


def list_sweeps(entity: str | None = None, project: str | None = None) -> list[ListedSweep]:
    """Return the sweeps of a project, newest first as W&B gives them.

    Args:
        entity: User or team; None for the default one.
        project: The project; None for the one that W&B's settings name, or else all of the entity's. Without an entity,
            too, these are the default entity's and those of all teams of the user.

    Raises:
        WandbCarbsError: If there is no such project, or no default entity.
        WandbConnectionError: If they cannot be read.
    """
    api = with_retries("sign in to W&B", wandb.Api, limit=INTERACTIVE_SECONDS)
    project = project or api.settings.get("project") or None
    if project is not None:
        return list(_sweeps_of(api, entity or _default_entity(api), project))
    found = []
    for each in [entity] if entity else _entities(api):
        nodes = _nodes(api, f"read the projects of {each}", _PROJECTS, {"entity": each}, lambda data: data["models"])
        found += [sweep for node in list(nodes) for sweep in _sweeps_of(api, each, node["name"])]
    return found


def newest_sweeps(entity: str | None, project: str, number: int) -> list[SweepPath] | None:
    """Look for the newest sweeps of a project.

    Args:
        entity: User or team; None for the default one.
        project: The project.
        number: How many, at most.

    Returns:
        The sweeps, the newest first, or None if the project does not exist.

    Raises:
        WandbCarbsError: If there is no default entity.
        WandbConnectionError: If W&B cannot be reached.
    """
    api = with_retries("sign in to W&B", wandb.Api, limit=INTERACTIVE_SECONDS)
    entity = entity or _default_entity(api)
    asked = {"entity": entity, "project": project, "first": number, "after": None}
    what = f"read the newest sweeps of {entity}/{project}"
    data = with_retries(what, partial(execute, api, _SWEEPS, asked), limit=INTERACTIVE_SECONDS)
    page = (data.get("project") or {}).get("sweeps")
    return None if page is None else [SweepPath(entity, project, edge["node"]["name"]) for edge in page["edges"]]


def set_state(sweep: SweepPath, action: str) -> str:
    """Pause, resume, stop or cancel a sweep; W&B's agents, and ours, obey it.

    Args:
        sweep: The sweep.
        action: One of `STATES`: "pause" lets runs end and starts no new ones, "stop" does so for good, "cancel" ends
            the runs, too.

    Returns:
        The state that the sweep had before.

    Raises:
        WandbCarbsError: If there is no such sweep, or its state does not allow it.
        WandbConnectionError: If W&B cannot be reached or refuses.
    """
    api = with_retries("sign in to W&B", wandb.Api, limit=INTERACTIVE_SECONDS)
    where = {"entity": sweep.entity, "project": sweep.project}
    asked = {**where, "sweep": sweep.sweep_id}
    data = with_retries(f"read sweep {sweep}", lambda: execute(api, _SWEEP, asked), limit=INTERACTIVE_SECONDS)
    found = (data.get("project") or {}).get("sweep")
    if found is None:
        raise WandbCarbsError(there_is_no(sweep))
    before = str(found["state"]).upper()
    # W&B itself starts an ended sweep again, but neither pauses nor ends it.
    is_refused = before in _ENDED if action != "pause" else before not in {"RUNNING", "PAUSED"}
    if is_refused and action != "resume":
        raise WandbCarbsError(f"cannot {action} sweep {sweep}: it is {before.lower()}")
    values = {**where, "id": found["id"], "state": STATES[action]}
    with_retries(f"{action} sweep {sweep}", lambda: execute(api, _SET_STATE, values), limit=INTERACTIVE_SECONDS)
    return before


def address_of(sweep: SweepPath) -> str:
    """Return the address of a sweep's page.

    Raises:
        WandbConnectionError: If there is no such sweep, or it cannot be read.
    """
    return str(read_sweep(sweep).url)


def _sweeps_of(api: Any, entity: str, project: str) -> Iterator[ListedSweep]:
    where = {"entity": entity, "project": project}

    def read(what: str, document: str) -> list[Mapping[str, Any]]:
        def page(data: Any) -> Mapping[str, Any] | None:
            return (data.get("project") or {}).get(what)

        return list(_nodes(api, f"read the {what} of {entity}/{project}", document, where, page))

    sweeps = read("sweeps", _SWEEPS)
    runs: dict[str, list[Mapping[str, Any]]] = {node["name"]: [] for node in sweeps}
    for run in read("runs", _RUNS) if sweeps else ():
        if run["sweepName"] in runs:
            runs[run["sweepName"]].append(run)
    for node in sweeps:
        own = runs[node["name"]]
        costs = [cost for run in own if (cost := _cost(run["summaryMetrics"])) is not None]
        spent = sum(costs)
        yield ListedSweep(
            path=SweepPath(entity, project, node["name"]),
            name=str(node["displayName"] or ""),
            state=str(node["state"] or ""),
            created_at=parse_timestamp(node["createdAt"]),
            runs=len(own),
            spent_cost=spent if costs and math.isfinite(spent) else None,
        )


def _nodes(
    api: Any, what: str, document: str, variables: Mapping[str, Any], page_of: _Page
) -> Iterator[Mapping[str, Any]]:
    """Yield the nodes of a connection, page by page."""
    first = _RUNS_PAGE if document is _RUNS else _PAGE
    after = None
    while True:
        asked = {**variables, "first": first, "after": after}
        data = with_retries(what, partial(execute, api, document, asked), limit=INTERACTIVE_SECONDS)
        page = page_of(data)
        if page is None:
            raise WandbCarbsError(f"could not {what}: there is no such project")
        yield from (edge["node"] for edge in page["edges"])
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def _cost(summary: Any) -> float | None:
    """Return what a run has cost if it counts as an observation."""
    try:
        values = json.loads(summary or "{}")
    except (TypeError, ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or values.get(STATE_KEY) != SUCCESS or not is_number(values.get(COST_KEY)):
        return None
    return float(values[COST_KEY]) if values[COST_KEY] > 0 else None


def _entities(api: Any) -> list[str]:
    """Return the default entity, and the teams of the user."""
    data = with_retries("read your teams", partial(execute, api, _TEAMS, {}), limit=INTERACTIVE_SECONDS)
    teams = (((data.get("viewer") or {}).get("teams") or {}).get("edges")) or []
    return list(dict.fromkeys([_default_entity(api), *(edge["node"]["name"] for edge in teams)]))


def _default_entity(api: Any) -> str:
    entity = api.settings.get("entity") or with_retries(
        "read the default entity", lambda: api.default_entity, limit=INTERACTIVE_SECONDS
    )
    if not entity:
        raise WandbCarbsError("W&B has no default entity for this account; write ENTITY/PROJECT")
    return str(entity)
