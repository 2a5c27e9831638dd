"""Connections that keep the server waiting, and too many of them."""

from __future__ import annotations

import contextlib
import http.client
import resource
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from wandb_carbs.server import connections

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.wandb_carbs.server.conftest import Client

SERVE = """
import resource, sys
from pathlib import Path
from wandb_carbs.server import serve
resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400))
serve(port=0, data_dir=Path(sys.argv[1]))
"""


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {"_INTERVAL": 0.1, "_HEAD_TIMEOUT": 0.5, "_STALL_TIMEOUT": 0.5, "_RATE_GRACE": 1.0}.items():
        monkeypatch.setattr(connections, name, seconds)


@contextlib.contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    host, port = url.rpartition("//")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        yield connection


def is_closed(connection: socket.socket, drip: bytes = b"") -> bool:
    """Tell whether the server closes a connection within 30 seconds, though bytes go on to drip."""
    connection.settimeout(0.2)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with contextlib.suppress(TimeoutError):
            try:
                if drip:
                    connection.send(drip)
                if connection.recv(1000) == b"":
                    return True
            except ConnectionError:
                return True
    return False


STREAM = (
    b"POST /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
    b"Content-Type: application/json\r\nContent-Length: 99999\r\n\r\n"
)


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("drip", [b"", b"x"])
@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\nX: ", STREAM])
def test_connection_that_keeps_waiting_is_closed(client: Client, start: bytes, drip: bytes) -> None:
    with connected(client.server.url) as connection:
        connection.sendall(start.replace(b"%s", client.server.api_key.encode()))
        assert is_closed(connection, drip)
    assert client.send("/").status == 200


@pytest.mark.usefixtures("_impatient")
def test_request_that_takes_the_server_long_is_not_closed(client: Client) -> None:
    """An upload goes on for longer than all timeouts while its bytes come."""
    client.stream("r", {})
    query = 'mutation { createRunFiles(input: {projectName: "p", runName: "r", files: ["a"]}) { files { uploadUrl } } }'
    target = client.graphql(query).json["data"]["createRunFiles"]["files"][0]["uploadUrl"]
    host, path = target.removeprefix("http://").split("/", 1)
    connection = http.client.HTTPConnection(host, timeout=30)

    def parts() -> Iterator[bytes]:
        for _ in range(20):
            time.sleep(0.1)
            yield b"x" * 10_000

    connection.request("PUT", f"/{path}", parts(), {"Content-Length": "200000"})
    assert connection.getresponse().status == 200
    connection.close()


def test_a_thousand_idle_connections_keep_nobody_out(tmp_path: Path) -> None:
    """The server has 400 descriptors; its log stays short."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip().partition("=")[2]
        key = process.stdout.readline().strip().partition("=")[2]
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
        try:
            with contextlib.ExitStack() as held:
                for _ in range(1000):
                    held.enter_context(connected(url)).send(b"GET ")
                for _ in range(3):
                    connection = http.client.HTTPConnection(url.rpartition("/")[2], timeout=30)
                    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
                    connection.request("POST", "/graphql", b'{"query": "{ viewer { id } }"}', headers)
                    assert connection.getresponse().status == 200
                    connection.close()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            process.terminate()
        _, log = process.communicate(timeout=30)
    assert len(log) < 5000
