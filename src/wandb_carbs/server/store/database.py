"""SQLite storage: connection, tables, transactions, clock, and the names of things."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from wandb_carbs.server.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEFAULT_ENTITY = "local"
DEFAULT_PROJECT = "uncategorized"
SCHEMA_VERSION = 3

MICROSECONDS = 1_000_000

_TABLES = """
CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    entity TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (entity, name)
);
CREATE TABLE sweeps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL UNIQUE,
    display_name TEXT,
    description TEXT,
    config TEXT NOT NULL,
    state TEXT NOT NULL,
    controller TEXT,
    scheduler TEXT,
    seed INTEGER NOT NULL,
    draws INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL
);
CREATE INDEX sweeps_of_project ON sweeps (project_id, id);
CREATE TABLE agents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
    name TEXT NOT NULL UNIQUE,
    host TEXT,
    created_at INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL
);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    sweep_id INTEGER REFERENCES sweeps (id),
    display_name TEXT NOT NULL,
    state TEXT NOT NULL,
    config TEXT NOT NULL DEFAULT '{}',
    summary TEXT NOT NULL DEFAULT '{}',
    tags TEXT NOT NULL DEFAULT '[]',
    group_name TEXT,
    job_type TEXT,
    notes TEXT,
    description TEXT,
    host TEXT,
    program TEXT,
    repo TEXT,
    commit_hash TEXT,
    system_metrics TEXT,
    history_keys TEXT NOT NULL DEFAULT '[]',
    last_step INTEGER NOT NULL DEFAULT -1,
    history_lines INTEGER NOT NULL DEFAULT 0,
    event_lines INTEGER NOT NULL DEFAULT 0,
    log_lines INTEGER NOT NULL DEFAULT 0,
    exit_code INTEGER,
    stop_requested INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL,
    agent_id INTEGER REFERENCES agents (id),
    leased_at INTEGER,
    seen_at INTEGER,
    absent_at INTEGER,
    deliveries INTEGER NOT NULL DEFAULT 0,
    UNIQUE (project_id, name)
);
CREATE INDEX runs_of_project ON runs (project_id, created_at, id);
CREATE INDEX runs_of_sweep ON runs (sweep_id, created_at, id);
CREATE INDEX runs_alive ON runs (state) WHERE state IN ('running', 'preempting', 'pending');
CREATE INDEX runs_of_agent ON runs (agent_id);
CREATE TABLE lines (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    stream TEXT NOT NULL,
    position INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (run_id, stream, position)
) WITHOUT ROWID;
CREATE TABLE files (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    md5 TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (run_id, name)
) WITHOUT ROWID;
"""
_ARTIFACTS = """
CREATE TABLE artifacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects (id),
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    client_id TEXT UNIQUE,
    type TEXT NOT NULL,
    collection TEXT NOT NULL,
    digest TEXT NOT NULL,
    state TEXT NOT NULL,
    version INTEGER,
    aliases TEXT NOT NULL DEFAULT '[]',
    description TEXT,
    metadata TEXT,
    history_step INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX artifacts_of_collection ON artifacts (project_id, collection, version);
CREATE INDEX artifacts_of_run ON artifacts (run_id, id);
"""
_COMPLETION = """
ALTER TABLE runs ADD COLUMN prior INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN judged_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN fork TEXT;
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    severity TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX alerts_of_run ON alerts (run_id, id);
ALTER TABLE artifacts ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE artifacts ADD COLUMN digest_algorithm TEXT NOT NULL DEFAULT 'MANIFEST_MD5';
ALTER TABLE artifacts ADD COLUMN ttl INTEGER;
CREATE TABLE entries (
    artifact_id INTEGER NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    reference TEXT,
    birth_id INTEGER NOT NULL,
    PRIMARY KEY (artifact_id, path)
) WITHOUT ROWID;
CREATE TABLE artifact_uses (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    artifact_id INTEGER NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    PRIMARY KEY (run_id, artifact_id)
) WITHOUT ROWID;
CREATE TABLE collections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    description TEXT,
    tags TEXT NOT NULL DEFAULT '[]',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (project_id, name)
);
INSERT INTO collections (project_id, name, type, created_at, updated_at)
    SELECT project_id, collection, type, min(created_at), max(updated_at) FROM artifacts
    GROUP BY project_id, collection;
"""
# What each version of the schema adds to the one before.
_STEPS = (_TABLES, _ARTIFACTS, _COMPLETION)


class Store:
    """One SQLite file behind one lock.

    A reply leaves the server only after its transaction has reached the disk (WAL with `synchronous=FULL`), so a sweep
    survives the death of the server and of the machine.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Open or create the database.

        Args:
            path: Database file; its folder exists.
            clock: Source of the time in seconds since the epoch.

        Raises:
            RequestError: The file was written by a newer version of this package.
        """
        self._clock = clock
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            self._open(path)
        except BaseException:
            self._connection.close()
            raise
        # Clients could not be heard while the server was down: no one's silence counts from before this moment.
        self.started_at = self.now()

    def _open(self, path: Path) -> None:
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 5000"):
            self._connection.execute(f"PRAGMA {pragma}")
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise RequestError(f"{path} has schema version {version}; this server knows {SCHEMA_VERSION}")
        if version < SCHEMA_VERSION:
            steps = " ".join(_STEPS[version:])
            self._connection.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")

    def now(self) -> int:
        """Return the time in microseconds since the epoch."""
        return int(self._clock() * MICROSECONDS)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the writer lock and commit at the end, or roll back on an exception; nested calls join the outer one."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self._connection
            except BaseException:
                if outermost:
                    self._connection.execute("ROLLBACK")
                raise
            else:
                if outermost:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Hold the lock without opening a transaction."""
        with self._lock:
            yield self._connection

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()


def timestamp(microseconds: int) -> str:
    """Format a time as ISO-8601 UTC with microseconds."""
    seconds, rest = divmod(microseconds, MICROSECONDS)
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc).replace(microsecond=rest)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
