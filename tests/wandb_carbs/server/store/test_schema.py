"""The tables, version by version."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
from pathlib import Path

import pytest

from wandb_carbs.server.server import LocalServer
from wandb_carbs.server.store import schema
from wandb_carbs.server.store.database import Store


@pytest.mark.parametrize("version", range(1, schema.VERSION))
def test_folder_of_an_older_version_is_brought_up_and_a_copy_kept(tmp_path: Path, version: int) -> None:
    database = tmp_path / "wandb-carbs.db"
    with contextlib.closing(sqlite3.connect(database)) as db:
        db.executescript(" ".join(schema.STEPS[:version]) + f"PRAGMA user_version = {version};")
        db.execute("INSERT INTO projects (entity, name, created_at) VALUES ('e', 'p', 0)")
        db.commit()
    with LocalServer(tmp_path):
        pass
    with contextlib.closing(sqlite3.connect(database)) as db:
        assert db.execute("SELECT count(*) FROM artifacts").fetchone() == (0,)
        assert db.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    (copy,) = tmp_path.glob(f"wandb-carbs.db.v{version}-*")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with contextlib.closing(sqlite3.connect(copy)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (version,)
        assert db.execute("SELECT entity, name FROM projects").fetchall() == [("e", "p")]


def test_births_of_older_versions_are_found_and_deleted_versions_inherit_nothing(tmp_path: Path) -> None:
    database = tmp_path / "wandb-carbs.db"
    with contextlib.closing(sqlite3.connect(database)) as db:
        db.executescript(" ".join(schema.STEPS[:10]) + "PRAGMA user_version = 10;")
        db.execute("INSERT INTO projects (entity, name, created_at) VALUES ('e', 'p', 0)")
        db.execute(
            """INSERT INTO runs (project_id, name, display_name, state, created_at, heartbeat_at)
               VALUES (1, 'r', 'r', 'finished', 0, 0)"""
        )
        for state in ("COMMITTED", "COMMITTED", "DELETED"):
            db.execute(
                """INSERT INTO artifacts (project_id, run_id, type, collection, digest, state, created_at, updated_at)
                   VALUES (1, 1, 't', 'c', 'd', ?, 0, 0)""",
                (state,),
            )
        db.executemany(
            "INSERT INTO entries (artifact_id, path, digest, size, birth_id) VALUES (?, ?, 'd', 1, ?)",
            [(1, "a", 1), (2, "a", 1), (2, "b", 1), (2, "c", 2), (3, "a", 1), (3, "d", 3)],
        )
        db.commit()
    Store(database).close()
    with contextlib.closing(sqlite3.connect(database)) as db:
        assert db.execute("SELECT birth_id, artifact_id FROM artifact_births").fetchall() == [(1, 2)]
        assert db.execute("SELECT path FROM entries WHERE artifact_id = 3").fetchall() == [("d",)]
        assert db.execute("SELECT count(*) FROM entries").fetchone() == (5,)
