from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

import wandb_carbs.local
from wandb_carbs.cli.commands.server import command
from wandb_carbs.server.engine import bind
from wandb_carbs.server.errors import ServerError
from wandb_carbs.server.server import LocalServer, default_data_dir, rotate_key, serve
from wandb_carbs.server.store import schema

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


@pytest.mark.parametrize("rest", ["", "\n"])
def test_key_that_a_full_disk_left_empty_is_made_anew(tmp_path: Path, rest: str) -> None:
    (tmp_path / "api-key").write_text(rest)
    with LocalServer(tmp_path) as server:
        assert len(server.api_key) == 40
        assert (tmp_path / "api-key").read_text().strip() == server.api_key


def test_rotated_key_counts_at_once(tmp_path: Path) -> None:
    with LocalServer(tmp_path) as server:
        old = server.api_key
        new = rotate_key(tmp_path)
        assert new != old
        assert server.api_key == new
    assert stat.S_IMODE((tmp_path / "api-key").stat().st_mode) == 0o600


def test_what_killed_uploads_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "tmpabc").write_text("half a file")
    with LocalServer(tmp_path):
        assert list((tmp_path / "uploads").iterdir()) == []


def test_connections_do_not_wait_for_more_to_send() -> None:
    """Unless asyncio sees that a socket is one of TCP, it sets no TCP_NODELAY, and kept-alive requests wait 40 ms."""
    with bind("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


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


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_server_speaks_https(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*make, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    with LocalServer(tmp_path / "data", certfile=certificate, keyfile=key) as server:
        assert server.url.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=str(certificate))
        context.check_hostname = False
        with urllib.request.urlopen(server.url, timeout=20, context=context) as reply:
            assert reply.status == 200


@pytest.mark.parametrize("names", [("missing.pem", None), (None, "key.pem"), ("empty.pem", None)])
def test_certificate_that_cannot_be_used_is_named(tmp_path: Path, names: tuple[str | None, str | None]) -> None:
    (tmp_path / "empty.pem").touch()
    certfile, keyfile = (None if name is None else tmp_path / name for name in names)
    with pytest.raises(ServerError, match=r"\.pem"):
        LocalServer(tmp_path / "data", certfile=certfile, keyfile=keyfile).start()


def test_server_beyond_loopback_warns_and_names_its_host(tmp_path: Path) -> None:
    code = SERVE.replace("port=0", 'port=0, host="0.0.0.0"')
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert f"WANDB_BASE_URL=http://{socket.gethostname()}:" in process.stdout.readline()
        process.stdout.readline()
        assert process.stderr is not None
        assert "pages: http" in process.stderr.readline()
        assert process.stderr.readline().startswith("warning: other machines reach this server")
        process.terminate()


def test_key_is_printed_and_rotated(tmp_path: Path) -> None:
    with LocalServer(tmp_path) as server:
        old = server.api_key
    run = CliRunner()
    assert run.invoke(command, ["key", "--data-dir", str(tmp_path)]).output.strip() == old
    new = run.invoke(command, ["--data-dir", str(tmp_path), "key", "--rotate"]).output.strip()
    assert new == (tmp_path / "api-key").read_text().strip() != old
    failed = run.invoke(command, ["key", "--data-dir", str(tmp_path / "nosuch")])
    assert isinstance(failed.exception, ServerError)
