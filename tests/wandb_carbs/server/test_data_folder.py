"""The folder that holds all state."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from wandb_carbs.server.data_folder import lock, make_private
from wandb_carbs.server.errors import ServerError
from wandb_carbs.server.server import LocalServer, serve

SERVE = """
import sys
from pathlib import Path
from wandb_carbs.local import serve
serve(port=0, data_dir=Path(sys.argv[1]))
"""


def test_data_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    with LocalServer(tmp_path / "data"):
        paths = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
        assert len(paths) >= 5
        assert [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_folder_of_others_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "thesis.tex").touch()
    with LocalServer(tmp_path):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_folder_of_a_killed_server_is_free_at_once(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SERVE, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    with LocalServer(tmp_path) as server:
        assert server.api_key


def test_folder_of_a_running_server_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with LocalServer(tmp_path) as server:
        for start in (LocalServer(tmp_path).start, lambda: serve(port=0, data_dir=tmp_path)):
            with pytest.raises(ServerError, match="another server is using it") as refusal:
                start()
            assert str(tmp_path) in str(refusal.value)
        assert server.url
    assert capsys.readouterr().out == ""


def test_lock_ends_with_its_descriptor(tmp_path: Path) -> None:
    handle = lock(tmp_path / "lock")
    with pytest.raises(OSError, match="another server is using it"):
        lock(tmp_path / "lock")
    os.close(handle)
    os.close(lock(tmp_path / "lock"))


def test_own_folder_is_made_private(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    make_private(folder)
    folder.chmod(0o755)
    (folder / "wandb-carbs.db").touch()
    make_private(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
