"""Fixtures of a sweep on the local server, and runs in it: of this process by the SDK, of others by hand."""

from __future__ import annotations

import base64
import contextlib
import json
import sqlite3
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
import wandb

from carbs import LinearSpace, LogSpace, Param
from wandb_carbs import WandbCarbs, create_sweep, load_sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENTITY, PROJECT = "team", "project"
PARAMS = [
    Param("lr", LogSpace(min=1e-5, max=1e-1)),
    Param("batch", LinearSpace(min=16, max=128, is_integer=True)),
]


class Sweep:
    """A sweep on the local server, and runs in it: of this process by the SDK, of others by hand."""

    def __init__(self, environment: Any, monkeypatch: pytest.MonkeyPatch, params: list[Param], **options: Any) -> None:
        self.server = environment.server
        self.id = create_sweep("sweep", ENTITY, PROJECT, params, **options)
        self.path = f"{ENTITY}/{PROJECT}/{self.id}"
        monkeypatch.setenv("WANDB_SWEEP_ID", self.id)
        monkeypatch.setenv("WANDB_ENTITY", ENTITY)
        monkeypatch.setenv("WANDB_PROJECT", PROJECT)
        self._monkeypatch = monkeypatch
        # The SDK reads these once.
        wandb.teardown()

    def use_run_id(self, name: str) -> None:
        """Give the next runs of this process this id."""
        self._monkeypatch.setenv("WANDB_RUN_ID", name)
        wandb.teardown()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        key = base64.b64encode(f"api:{self.server.api_key}".encode()).decode()
        request = urllib.request.Request(self.server.url + path, json.dumps(body).encode())
        request.add_header("Authorization", f"Basic {key}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def put(self, name: str, config: dict[str, Any], summary: dict[str, Any], *, exit_code: int | None = 0) -> None:
        """Add another process's run; without an exit code it is alive."""
        query = "mutation U($input: UpsertBucketInput!) { upsertBucket(input: $input) { bucket { id } } }"
        values = {
            "entityName": ENTITY,
            "modelName": PROJECT,
            "name": name,
            "sweep": self.id,
            "config": json.dumps({key: {"value": value} for key, value in config.items()}),
            "summaryMetrics": json.dumps(summary),
        }
        reply = self.post("/graphql", {"query": query, "variables": {"input": values}})
        assert "errors" not in reply, reply
        if exit_code is not None:
            self.post(f"/files/{ENTITY}/{PROJECT}/{name}/file_stream", {"complete": True, "exitcode": exit_code})

    def create_at_the_same_time(self, *names: str) -> None:
        with contextlib.closing(sqlite3.connect(self.server._data_dir / "wandb-carbs.db")) as db, db:
            marks = ", ".join("?" * len(names))
            db.execute(
                f"UPDATE runs SET created_at = (SELECT min(created_at) FROM runs) WHERE name IN ({marks})", names
            )

    def was_heard_of(self, name: str, *, minutes: int) -> None:
        with contextlib.closing(sqlite3.connect(self.server._data_dir / "wandb-carbs.db")) as db, db:
            ago = minutes * 60 * 10**6
            db.execute(
                "UPDATE runs SET created_at = created_at - ?, heartbeat_at = heartbeat_at - ? WHERE name = ?",
                (ago, ago, name),
            )

    def stored(self, run_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
        run = wandb.Api().run(f"{ENTITY}/{PROJECT}/{run_id}")
        return dict(run.config), dict(run.summary_metrics)

    def outcome(self, trial: WandbCarbs) -> tuple[str, str]:
        _, summary = self.stored(trial.suggest()["suggestion_uuid"])
        return summary["carbs.state"], summary["carbs.reason"]

    def counts(self) -> dict[str, int]:
        return {name: number for name, number in load_sweep(self.path).counts.items() if number}


@pytest.fixture
def make_sweep(wandb_env: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Sweep]]:
    yield lambda params=PARAMS, **options: Sweep(wandb_env, monkeypatch, params, **options)
    if wandb.run is not None:
        wandb.finish()


@pytest.fixture
def sweep(make_sweep: Callable[..., Sweep]) -> Sweep:
    return make_sweep()
