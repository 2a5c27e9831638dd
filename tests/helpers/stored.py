"""Sweeps and runs in a storage of the server, without the server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.graphql.execute import Reply, execute, prepare
from wandb_carbs.server.store import run_streams, runs
from wandb_carbs.server.store.files import RunFiles
from wandb_carbs.server.sweeps import agents, sweeps

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store


def make_sweep(store: Store, **config: Any) -> Any:
    """Make a sweep of the project `p`, and return its row."""
    config = {"method": "random", "parameters": {"x": {"values": [1, 2]}}, **config}
    sweep_id, _ = sweeps.upsert(store, {"projectName": "p", "config": json.dumps(config)})
    return sweep_row(store, sweep_id)


def sweep_row(store: Store, sweep_id: int) -> Any:
    """Return a sweep's row."""
    with store.reading() as db:
        return db.execute("SELECT * FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()


def begin_run(store: Store, sweep: str) -> tuple[str, str]:
    """Start an agent of a sweep and its run, and return the agent's id and the run's name."""
    agent = agents.create_agent(store, sweep, "host")
    (command,) = agents.heartbeat(store, agent, "{}")
    runs.upsert(store, {"name": command["run_id"], "modelName": "p", "sweep": sweep})
    return agent, command["run_id"]


def ask(store: Store, query: str, /, folder: Path | None = None, **variables: Any) -> Reply:
    """Answer a query without a server.

    Args:
        store: The storage.
        query: The query, or a mutation.
        folder: Where the runs' files are.
        variables: The query's variables.
    """
    files = RunFiles(store, folder or Path("nowhere"), lambda: "secret")
    try:
        request = prepare({"query": query, "variables": variables})
        return execute(store, files, "http://here", request)
    except RequestError as error:
        return Reply(error.status, {"errors": [{"message": str(error)}]})


def make_run(
    store: Store,
    name: str,
    config: dict[str, Any] | None = None,
    summary: dict[str, Any] | None = None,
    *,
    state: str | None = None,
    **more: Any,
) -> int:
    """Make or change a run of the project `p`, whose program speaks, and return its row id."""
    wrapped = {key: {"value": value} for key, value in (config or {}).items()}
    values = {"modelName": "p", "name": name, "config": json.dumps({**wrapped, "_wandb": {"value": {}}}), **more}
    if summary is not None:
        values["summaryMetrics"] = json.dumps(summary)
    run_id, _ = runs.upsert(store, values)
    if state is not None:
        with store.transaction() as db:
            db.execute("UPDATE runs SET state = ? WHERE id = ?", (state, run_id))
    return run_id


def run_row(store: Store, name: str = "r") -> Any:
    """Return the row of a run of the project `p`, which is there."""
    with store.reading() as db:
        row = runs.find(db, None, "p", name)
    assert row is not None
    return row


def send(store: Store, file: str, offset: int, *lines: str) -> None:
    """Stream lines of the run `r` of the project `p`."""
    run_streams.stream(store, "local", "p", "r", {"files": {file: {"offset": offset, "content": list(lines)}}})
