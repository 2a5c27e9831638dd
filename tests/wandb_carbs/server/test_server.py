from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import wandb_carbs.local
from wandb_carbs.server.errors import ServerError
from wandb_carbs.server.server import LocalServer, default_data_dir, serve

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
