from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import wandb_carbs.local
from wandb_carbs.server.server import LocalServer, ServerError, default_data_dir, serve

SERVE = """
import sys
from pathlib import Path
from wandb_carbs.local import serve
serve(port=0, data_dir=Path(sys.argv[1]))
"""


def test_package_needs_neither_wandb_nor_the_rest_of_this_distribution() -> None:
    code = """
import sys, types
parent = types.ModuleType("wandb_carbs")
parent.__path__ = [sys.argv[1]]
sys.modules["wandb_carbs"] = parent
import wandb_carbs.local
assert not {"wandb", "carbs", "numpy"} & set(sys.modules)
"""
    package = Path(wandb_carbs.server.__file__).parent.parent
    subprocess.run([sys.executable, "-c", code, str(package)], check=True)


def test_key_is_kept_for_its_owner_only(tmp_path: Path) -> None:
    with LocalServer(tmp_path / "data") as server:
        key = server.api_key
        assert server.env() == {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": key}
    assert len(key) == 40
    assert stat.S_IMODE((tmp_path / "data" / "api-key").stat().st_mode) == 0o600
    with LocalServer(tmp_path / "data") as server:
        assert server.api_key == key


def test_server_starts_again_at_its_port(tmp_path: Path) -> None:
    server = LocalServer(tmp_path / "data")
    server.start()
    url = server.url
    with pytest.raises(ServerError, match="already running"):
        server.start()
    server.stop()
    server.stop()
    with server:
        assert server.url == url


def test_folder_of_an_older_version_is_brought_up(tmp_path: Path) -> None:
    with LocalServer(tmp_path):
        pass
    database = tmp_path / "wandb-carbs.db"
    with contextlib.closing(sqlite3.connect(database)) as db:
        db.executescript("DROP TABLE artifacts; PRAGMA user_version = 1;")
    with LocalServer(tmp_path):
        pass
    with contextlib.closing(sqlite3.connect(database)) as db:
        assert db.execute("SELECT count(*) FROM artifacts").fetchone() == (0,)


def test_folder_of_a_running_server_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with LocalServer(tmp_path) as server:
        for start in (LocalServer(tmp_path).start, lambda: serve(port=0, data_dir=tmp_path)):
            with pytest.raises(ServerError, match="another server is using it") as refusal:
                start()
            assert str(tmp_path) in str(refusal.value)
        assert server.url
    assert capsys.readouterr().out == ""


def test_folder_of_a_killed_server_is_free_at_once(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SERVE, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    with LocalServer(tmp_path) as server:
        assert server.api_key


def test_taken_port_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with LocalServer(tmp_path / "data") as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(ServerError, match=rf"127\.0\.0\.1:{port}"):
            serve(port=port, data_dir=tmp_path / "other")
        with pytest.raises(ServerError, match=str(port)):
            LocalServer(tmp_path / "other", port=port).start()
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "other").exists()


def test_unusable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServerError, match="file"):
        LocalServer(tmp_path / "file").start()
    (tmp_path / "wandb-carbs.db").write_text("this is no database, however long it is" * 100)
    with pytest.raises(ServerError, match="not a database"):
        LocalServer(tmp_path).start()


@pytest.mark.parametrize("key", ["short", "x" * 41, "-" * 40])
def test_malformed_key_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ServerError, match="40 letters and digits"):
        LocalServer(tmp_path, api_key=key).start()


def test_unknown_host_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=r"256\.1\.1\.1"):
        LocalServer(tmp_path, host="256.1.1.1").start()


def test_data_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    assert default_data_dir() == Path("/somewhere/wandb-carbs")
    monkeypatch.delenv("XDG_DATA_HOME")
    assert default_data_dir().is_relative_to(Path.home())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_exports_and_ends_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    env = {**os.environ, "WANDB_CARBS_SERVER_API_KEY": "k" * 40}
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("export WANDB_BASE_URL=http://127.0.0.1:")
        assert process.stdout.readline() == f"export WANDB_API_KEY={'k' * 40}\n"
        process.send_signal(number)
        assert process.wait(20) in {0, -number}
