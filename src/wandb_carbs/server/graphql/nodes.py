"""Rows as GraphQL objects: plain mappings, with functions for the fields that cost a query of their own."""

from __future__ import annotations

import fnmatch
import json
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.store import artifacts, run_states, runs, streams
from wandb_carbs.server.store.database import DEFAULT_ENTITY, MICROSECONDS, timestamp
from wandb_carbs.server.store.ids import global_id
from wandb_carbs.server.store.queries import Page, count_runs, select_runs
from wandb_carbs.server.sweeps import sweeps

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from wandb_carbs.server.store.files import RunFiles

Node = dict[str, Any]

USER: Node = {
    "id": global_id("User", 1),
    "name": DEFAULT_ENTITY,
    "username": DEFAULT_ENTITY,
    "email": "",
    "entity": DEFAULT_ENTITY,
    "flags": "{}",
    "admin": True,
    "teams": {"edges": []},
    "apiKeys": {"edges": []},
}
# An agent that has missed this long is shown as gone.
_AGENT_SHOWN = 60 * MICROSECONDS


class Nodes:
    """Makes the objects of one request.

    Args:
        db: The database, locked for the whole request.
        files: The runs' files.
        base_url: The address at which the client has reached the server.
        now: The request's time.
    """

    def __init__(self, db: sqlite3.Connection, files: RunFiles, base_url: str, now: int) -> None:
        self._db = db
        self._files = files
        self._base_url = base_url
        self._now = now

    def entity(self, name: str | None) -> Node:
        """Return an entity; every name is one."""
        name = name or DEFAULT_ENTITY
        return {"id": f"entity-{name}", "name": name, "organization": None, "isTeam": False}

    def project(self, row: sqlite3.Row | None) -> Node | None:
        """Return a project."""
        if row is None:
            return None
        db, project_id = self._db, row["id"]

        def run(_info: Any, name: str, **_: Any) -> Node | None:
            return self.run(
                db.execute(
                    """SELECT runs.*, sweeps.name AS sweep_name FROM runs LEFT JOIN sweeps ON sweeps.id = runs.sweep_id
                       WHERE runs.project_id = ? AND runs.name = ?""",
                    (project_id, name),
                ).fetchone()
            )

        def sweep(_info: Any, sweepName: str) -> Node | None:
            return self.sweep(
                db.execute("SELECT * FROM sweeps WHERE project_id = ? AND name = ?", (project_id, sweepName)).fetchone()
            )

        def find_sweeps(_info: Any, first: int | None = None, after: str | None = None, **_: Any) -> Node:
            found = db.execute("SELECT * FROM sweeps WHERE project_id = ? ORDER BY id DESC", (project_id,)).fetchall()
            return self.connection(found, self.sweep, first, after)

        return {
            "id": global_id("Project", project_id),
            "internalId": project_id,
            "name": row["name"],
            "entityName": row["entity"],
            "entity": self.entity(row["entity"]),
            "createdAt": timestamp(row["created_at"]),
            "isBenchmark": False,
            "readOnly": False,
            "access": "PRIVATE",
            "user": USER,
            "run": run,
            "bucket": run,
            "runs": self._runs(project_id, None),
            "runCount": lambda _info, filters=None: count_runs(db, project_id, filters),
            "sweep": sweep,
            "sweeps": find_sweeps,
            "totalSweeps": lambda _info: db.execute(
                "SELECT count(*) FROM sweeps WHERE project_id = ?", (project_id,)
            ).fetchone()[0],
            "artifact": lambda _info, name: self.artifact(artifacts.find(db, project_id, name)),
            "artifactCollection": lambda _info, name: self._collection(artifacts.find(db, project_id, name)),
            "artifactCollectionMembership": lambda _info, name: self.membership(artifacts.find(db, project_id, name)),
        }

    def _runs(self, project_id: int, sweep: str | None) -> Callable[..., Node]:
        def find(
            _info: Any,
            filters: str | None = None,
            order: str | None = None,
            first: int | None = None,
            after: str | None = None,
        ) -> Node:
            if sweep is not None:
                own = runs.json_object("filters", filters) if filters else {}
                filters = json.dumps({"$and": [{"sweep": sweep}, own]})
                order = order or "+created_at"
            return self.run_page(select_runs(self._db, project_id, filters, order, first=first, after=after))

        return find

    def run_page(self, page: Page) -> Node:
        """Return a page of runs."""
        edges = [{"node": self.run(row), "cursor": page.cursor(place)} for place, row in enumerate(page.rows)]
        end = edges[-1]["cursor"] if edges else None
        return {"edges": edges, "pageInfo": {"endCursor": end, "hasNextPage": page.has_next}}

    def connection(
        self, items: Sequence[Any], make: Callable[[Any], Any], first: int | None = None, after: str | None = None
    ) -> Node:
        """Return a page of a short list, whose cursors are positions."""
        start = int(after) + 1 if after and after.isascii() and after.isdigit() else 0
        end = len(items) if first is None else start + max(first, 0)
        edges = [{"node": make(item), "cursor": str(start + place)} for place, item in enumerate(items[start:end])]
        last = edges[-1]["cursor"] if edges else None
        page = {"endCursor": last, "hasNextPage": end < len(items)}
        return {"edges": edges, "pageInfo": page, "totalCount": len(items)}

    def run(self, row: sqlite3.Row | None) -> Node | None:
        """Return a run; the row has its `sweep_name`."""
        if row is None:
            return None
        db, run_id, state = self._db, row["id"], row["state"]

        def files(_info: Any, names: Any = None, pattern: Any = None, first: Any = None, after: Any = None) -> Node:
            found = self._files.nodes(db, run_id, self._base_url)
            if names:
                found = [file for file in found if file["name"] in names]
            if pattern:
                found = [file for file in found if fnmatch.fnmatchcase(file["name"], pattern.replace("%", "*"))]
            return self.connection(found, dict, first, after)

        def lines(_info: Any, samples: Any = None, minStep: Any = None, maxStep: Any = None) -> list[str]:
            return streams.sampled_lines(db, run_id, runs.HISTORY, samples, (minStep, maxStep))

        return {
            "id": global_id("Run", run_id),
            "projectId": row["project_id"],
            "name": row["name"],
            "displayName": row["display_name"],
            "sweepName": row["sweep_name"],
            "state": state,
            "config": row["config"],
            "summaryMetrics": row["summary"],
            "systemMetrics": row["system_metrics"] or "{}",
            "tags": json.loads(row["tags"]),
            "group": row["group_name"],
            "groupName": row["group_name"],
            "jobType": row["job_type"],
            "commit": row["commit_hash"],
            "host": row["host"],
            "readOnly": False,
            "createdAt": timestamp(row["created_at"]),
            "heartbeatAt": timestamp(row["heartbeat_at"]),
            "description": row["description"],
            "notes": row["notes"],
            "user": USER,
            "project": lambda _info: self.project(
                db.execute("SELECT * FROM projects WHERE id = ?", (row["project_id"],)).fetchone()
            ),
            "exitcode": row["exit_code"],
            "shouldStop": bool(row["stop_requested"]),
            "stopped": bool(row["stop_requested"]),
            "failed": state in {run_states.FAILED, run_states.CRASHED},
            "running": state in run_states.ALIVE,
            "historyLineCount": row["history_lines"],
            "eventsLineCount": row["event_lines"],
            "logLineCount": row["log_lines"],
            "historyTail": lambda _info: streams.tail(db, run_id, runs.HISTORY),
            "eventsTail": lambda _info: streams.tail(db, run_id, runs.EVENTS),
            "historyKeys": lambda _info: _history_keys(row),
            "wandbConfig": lambda _info, **_: _telemetry(row["config"]),
            "history": lines,
            "events": lambda _info, samples=None: streams.sampled_lines(db, run_id, runs.EVENTS, samples, (None, None)),
            "sampledHistory": lambda _info, specs: streams.sampled_rows(db, run_id, specs),
            "parquetHistory": {"parquetUrls": [], "liveData": []},
            "fileCount": lambda _info: db.execute("SELECT count(*) FROM files WHERE run_id = ?", (run_id,)).fetchone()[
                0
            ],
            "files": files,
            "outputArtifacts": lambda _info, first=None, after=None: self.connection(
                artifacts.of_run(db, run_id), self.artifact, first, after
            ),
        }

    def artifact(self, row: sqlite3.Row | None) -> Node | None:
        """Return an artifact."""
        if row is None:
            return None
        db, artifact_id = self._db, row["id"]
        prefix = artifacts.file_name(artifact_id, "")

        def all_files() -> list[Node]:
            found = self._files.nodes(db, row["run_id"], self._base_url)
            own = [file for file in found if file["name"].startswith(prefix)]
            return [{**file, "name": file["name"].removeprefix(prefix)} for file in own]

        def files(_info: Any, names: Any = None, first: Any = None, after: Any = None) -> Node:
            found = [file for file in all_files() if not names or file["name"] in names]
            return self.connection(found, dict, first, after)

        def entries(_info: Any, entries: Any = None, first: Any = None, after: Any = None, **_: Any) -> Node:
            return files(_info, [entry["name"] for entry in entries or ()], first, after)

        return {
            "id": global_id("Artifact", artifact_id),
            "artifactSequence": lambda _info: self._collection(row),
            "versionIndex": row["version"],
            "artifactType": {"name": row["type"]},
            "description": row["description"],
            "metadata": row["metadata"],
            "ttlDurationSeconds": -1,  # for ever
            "ttlIsInherited": False,
            "tags": [],
            "historyStep": row["history_step"],
            "state": row["state"],
            "size": lambda _info: sum(file["sizeBytes"] for file in all_files()),
            "digest": row["digest"],
            "commitHash": "",
            "fileCount": lambda _info: len(all_files()),
            "createdAt": timestamp(row["created_at"]),
            "updatedAt": timestamp(row["updated_at"]),
            "aliases": lambda _info: self._aliases(row),
            "currentManifest": lambda _info: self.manifest(row),
            "files": files,
            "filesByManifestEntries": entries,
        }

    def _collection(self, row: sqlite3.Row | None) -> Node | None:
        """Return the collection that an artifact is a version of."""
        if row is None:
            return None
        db, project_id, name = self._db, row["project_id"], row["collection"]

        return {
            "__typename": "ArtifactSequence",
            "id": f"{project_id}/{name}",
            "name": name,
            "project": lambda _info: self.project(
                db.execute("SELECT * FROM projects WHERE id = ?", (project_id,)).fetchone()
            ),
            "artifactMembership": lambda _info, aliasName: self.membership(
                artifacts.find(db, project_id, f"{name}:{aliasName}")
            ),
            "latestArtifact": lambda _info: self.artifact(artifacts.find(db, project_id, name)),
        }

    def _aliases(self, row: sqlite3.Row) -> list[Node]:
        return [
            {"id": f"{row['id']}/{alias}", "alias": alias, "artifactCollection": self._collection(row)}
            for alias in json.loads(row["aliases"])
        ]

    def membership(self, row: sqlite3.Row | None) -> Node | None:
        """Return an artifact's place in its collection."""
        if row is None:
            return None
        artifact = self.artifact(row) or {}
        shared = {key: artifact[key] for key in ("versionIndex", "createdAt", "aliases", "files")}
        own = {"id": global_id("Membership", row["id"]), "artifact": artifact}
        return {**shared, **own, "artifactCollection": self._collection(row)}

    def manifest(self, row: sqlite3.Row) -> Node:
        """Return an artifact's manifest."""
        name = artifacts.manifest_name(row["id"])
        return {"id": global_id("ArtifactManifest", row["id"]), "file": self._artifact_file(row, name)}

    def artifact_file(self, row: sqlite3.Row, name: str) -> Node:
        """Return a file of an artifact, with where it is to be put."""
        return self._artifact_file(row, artifacts.file_name(row["id"], name))

    def _artifact_file(self, row: sqlite3.Row, name: str) -> Node:
        address = self._base_url + self._files.address(row["run_id"], name)
        return {
            "id": f"{row['run_id']}/{name}",
            "name": name,
            "directUrl": address,
            "uploadUrl": address,
            "uploadHeaders": [],
            "artifact": self.artifact(row),
        }

    def sweep(self, row: sqlite3.Row | None) -> Node | None:
        """Return a sweep."""
        if row is None:
            return None
        db, sweep_id = self._db, row["id"]
        config = sweeps.parse_config(row["config"])

        def agents(_info: Any) -> Node:
            found = db.execute("SELECT * FROM agents WHERE sweep_id = ? ORDER BY id", (sweep_id,)).fetchall()
            return self.connection(found, self.agent)

        def agent(_info: Any, agentName: str) -> Node | None:
            found = db.execute("SELECT * FROM agents WHERE sweep_id = ? AND name = ?", (sweep_id, agentName)).fetchone()
            return None if found is None else self.agent(found)

        return {
            "id": global_id("Sweep", sweep_id),
            "name": row["name"],
            "displayName": row["display_name"] or config.get("name") or row["name"],
            "method": config["method"],
            "state": row["state"],
            "description": row["description"] or config.get("description"),
            "config": row["config"],
            "createdAt": timestamp(row["created_at"]),
            "updatedAt": timestamp(row["updated_at"]),
            "heartbeatAt": timestamp(row["heartbeat_at"]),
            "earlyStopJobRunning": False,
            "bestLoss": lambda _info: sweeps.best_objective(db, sweep_id, config),
            "controller": row["controller"],
            "scheduler": row["scheduler"],
            "runCount": lambda _info: db.execute(
                "SELECT count(*) FROM runs WHERE sweep_id = ?", (sweep_id,)
            ).fetchone()[0],
            "runCountExpected": lambda _info: sweeps.expected_runs(config),
            "project": lambda _info: self.project(
                db.execute("SELECT * FROM projects WHERE id = ?", (row["project_id"],)).fetchone()
            ),
            "runs": self._runs(row["project_id"], row["name"]),
            "agents": agents,
            "agent": agent,
        }

    def agent(self, row: sqlite3.Row) -> Node:
        """Return an agent."""
        db, agent_id = self._db, row["id"]

        def agent_runs(_info: Any, first: Any = None, after: Any = None, **_: Any) -> Node:
            found = db.execute(
                """SELECT runs.*, sweeps.name AS sweep_name FROM runs JOIN sweeps ON sweeps.id = runs.sweep_id
                   WHERE agent_id = ? ORDER BY runs.id""",
                (agent_id,),
            ).fetchall()
            return self.connection(found, self.run, first, after)

        return {
            "id": global_id("Agent", agent_id),
            "name": row["name"],
            "host": row["host"] or "",
            "state": "RUNNING" if self._now - row["heartbeat_at"] < _AGENT_SHOWN else "FINISHED",
            "totalRuns": db.execute("SELECT count(*) FROM runs WHERE agent_id = ?", (agent_id,)).fetchone()[0],
            "createdAt": timestamp(row["created_at"]),
            "heartbeatAt": timestamp(row["heartbeat_at"]),
            "runs": agent_runs,
        }


def _history_keys(row: sqlite3.Row) -> Node:
    return {"lastStep": row["last_step"], "sets": [], "keys": {key: {} for key in json.loads(row["history_keys"])}}


def _telemetry(config: str) -> str:
    telemetry = json.loads(config).get("_wandb")
    value = telemetry.get("value") if isinstance(telemetry, dict) else None
    return json.dumps({"t": value.get("t")} if isinstance(value, dict) else {})
