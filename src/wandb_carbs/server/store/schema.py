"""The tables of the database, version by version."""

from __future__ import annotations

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
_INCREMENTS = """
ALTER TABLE artifacts ADD COLUMN base_id INTEGER REFERENCES artifacts (id) ON DELETE SET NULL;
"""
_STATES = """
CREATE INDEX runs_by_state ON runs (sweep_id, state, id);
"""
_OUTPUTS = """
CREATE TABLE artifact_outputs (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    artifact_id INTEGER NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    PRIMARY KEY (run_id, artifact_id)
) WITHOUT ROWID;
"""
# One short row for each run, for tables of many runs. Triggers mark the rows whose runs have changed, and
# `sweeps.standings` reads those runs again.
_STANDINGS = """
CREATE TABLE standings (
    run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    project_id INTEGER NOT NULL,
    sweep_id INTEGER,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    read_version INTEGER NOT NULL DEFAULT 0,
    carbs_state TEXT NOT NULL DEFAULT '',
    objective REAL,
    cost REAL,
    names TEXT NOT NULL DEFAULT '[]',
    parameters TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX standings_to_read ON standings (project_id, run_id) WHERE version != read_version;
CREATE INDEX standings_of_state ON standings (project_id, state);
CREATE INDEX observations ON standings (sweep_id, cost, objective, created_at)
    WHERE objective IS NOT NULL AND cost > 0
    AND (carbs_state = 'success' OR (carbs_state = '' AND state = 'finished'));
CREATE TRIGGER standing_of_new_run AFTER INSERT ON runs BEGIN
    INSERT INTO standings (run_id, project_id, sweep_id, created_at, state)
    VALUES (NEW.id, NEW.project_id, NEW.sweep_id, NEW.created_at, NEW.state);
END;
CREATE TRIGGER standing_of_changed_run AFTER UPDATE OF summary, config, sweep_id ON runs
WHEN OLD.summary IS NOT NEW.summary OR OLD.config IS NOT NEW.config OR OLD.sweep_id IS NOT NEW.sweep_id BEGIN
    UPDATE standings SET version = version + 1, sweep_id = NEW.sweep_id WHERE run_id = NEW.id;
END;
CREATE TRIGGER standing_of_run_in_new_state AFTER UPDATE OF state ON runs WHEN OLD.state IS NOT NEW.state BEGIN
    UPDATE standings SET state = NEW.state WHERE run_id = NEW.id;
END;
CREATE TRIGGER standings_of_changed_sweep AFTER UPDATE OF config, description ON sweeps
WHEN OLD.config IS NOT NEW.config OR OLD.description IS NOT NEW.description BEGIN
    UPDATE standings SET version = version + 1 WHERE sweep_id = NEW.id;
END;
INSERT INTO standings (run_id, project_id, sweep_id, created_at, state)
    SELECT id, project_id, sweep_id, created_at, state FROM runs;
"""
_FOLLOWED = """
CREATE TABLE metric_progress (
    run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    lines INTEGER NOT NULL,
    number INTEGER NOT NULL,
    best REAL,
    bests TEXT NOT NULL
);
CREATE TABLE deleted_runs (
    project_id INTEGER NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    PRIMARY KEY (project_id, name)
) WITHOUT ROWID;
"""
_LAST_VALUES = """
ALTER TABLE runs ADD COLUMN last_values TEXT NOT NULL DEFAULT '{}';
"""
_WRITERS = """
CREATE TABLE writer_lines (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    writer TEXT NOT NULL,
    stream TEXT NOT NULL,
    number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (run_id, writer, stream, number)
) WITHOUT ROWID;
"""
# The versions that have inherited files of others, one row for each pair. Deleted versions have inherited nothing any
# more; until now their entries stayed.
_BIRTHS = """
CREATE TABLE artifact_births (
    birth_id INTEGER NOT NULL,
    artifact_id INTEGER NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    PRIMARY KEY (birth_id, artifact_id)
) WITHOUT ROWID;
CREATE INDEX births_of_artifact ON artifact_births (artifact_id);
DELETE FROM entries
    WHERE birth_id != artifact_id AND artifact_id IN (SELECT id FROM artifacts WHERE state = 'DELETED');
INSERT INTO artifact_births (birth_id, artifact_id)
    SELECT DISTINCT birth_id, artifact_id FROM entries WHERE birth_id != artifact_id;
"""
_USES = """
CREATE INDEX uses_of_artifact ON artifact_uses (artifact_id);
"""
# Each version of the schema adds one step to the version before. A step that was released is never changed.
STEPS = (
    *(_TABLES, _ARTIFACTS, _COMPLETION, _INCREMENTS, _STATES, _OUTPUTS, _STANDINGS, _FOLLOWED),
    *(_LAST_VALUES, _WRITERS, _BIRTHS, _USES),
)
VERSION = len(STEPS)
