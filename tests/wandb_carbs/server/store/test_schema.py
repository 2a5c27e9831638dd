"""The tables, version by version."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
from pathlib import Path

import pytest

from wandb_carbs.server.server import LocalServer
from wandb_carbs.server.store import schema


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
