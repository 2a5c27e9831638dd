"""`wandb-carbs server`."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from command_line import assert_fails, run


def test_server_prints_json_once_it_answers(tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "wandb_carbs.cli", "server", "--json", "--port", "0", "--data-dir", "data"]
    with subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        told = json.loads(server.stdout.readline())
        with urllib.request.urlopen(told["address"], timeout=20) as reply:
            assert reply.status == 200
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=30)
    assert (out, err, server.returncode) == ("", "", 0)
    assert told["data_dir"] == str(tmp_path / "data")
    assert told["api_key"] == (tmp_path / "data" / "api-key").read_text().strip()
    assert f"wandb-carbs, version {told['version']}" == run("--version").stdout.strip()


def test_taken_port_is_an_error(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for flags in ([], ["--json"]):
            assert_fails(run("server", "--port", port, "--data-dir", str(tmp_path), *flags), port)
