"""A full disk and a locked database: clear refusals that clients repeat, reads that go on, and nothing lost."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from wandb_carbs.server.store import database

if TYPE_CHECKING:
    from pathlib import Path

    from tests.wandb_carbs.server.conftest import Client
    from typing_extensions import Self

# A limit of file size is a full disk for whoever cannot mount one.
SERVE = """
import resource, signal, sys
from pathlib import Path
from wandb_carbs.server import serve
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
serve(port=0, data_dir=Path(sys.argv[1]))
"""
UPSERT = """mutation M($i: UpsertBucketInput!) { upsertBucket(input: $i) { bucket { name } } }"""
FILES = 'mutation { createRunFiles(input: {projectName: "p", runName: "r0", files: ["a"]}) { files { uploadUrl } } }'


class Small:
    """A server whose files cannot grow beyond a size."""

    def __init__(self, folder: Path, size: int) -> None:
        command = [sys.executable, "-c", SERVE, str(folder), str(size)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip().partition("=")[2]
        self._key = self.process.stdout.readline().strip().partition("=")[2]

    def send(self, path: str, body: Any, method: str = "POST") -> tuple[int, str]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        address = path if path.startswith("http") else self.url + path
        asked = urllib.request.Request(address, data, headers, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=30) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def graphql(self, query: str, **variables: Any) -> tuple[int, str]:
        return self.send("/graphql", {"query": query, "variables": variables})

    def stop(self) -> str:
        """Stop the server and return its log."""
        self.process.terminate()
        return self.process.communicate(timeout=30)[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.stop()


def test_full_disk_refuses_writes_and_loses_nothing(tmp_path: Path) -> None:
    with Small(tmp_path, 2_000_000) as server:
        assert server.graphql(UPSERT, i={"name": "r0", "modelName": "p"})[0] == 200
        upload = json.loads(server.graphql(FILES)[1])["data"]["createRunFiles"]["files"][0]["uploadUrl"]
        text = json.dumps({"text": "x" * 20_000})
        stored = []
        for number in range(1, 1000):
            status, body = server.graphql(UPSERT, i={"name": f"r{number}", "modelName": "p", "summaryMetrics": text})
            if status != 200:
                break
            stored.append(f"r{number}")
        assert (status, len(stored) > 5) == (503, True), body
        assert "database" in json.loads(body)["errors"][0]["message"]
        status, body = server.send(
            "/files/local/p/r0/file_stream", {"files": {"output.log": {"offset": 0, "content": ["x" * 3_000_000]}}}
        )
        assert status == 503, body
        status, body = server.send(upload, b"x" * 5_000_000, "PUT")
        assert status == 503, body
        assert "disk" in json.loads(body)["error"]
        status, body = server.graphql('{ project(name: "p") { runCount runs { edges { node { name } } } } }')
        assert status == 200, body
        log = server.stop()
    assert "Traceback" not in log
    assert 1 <= log.count("503") <= 10
    assert list((tmp_path / "uploads").iterdir()) == []
    with contextlib.closing(sqlite3.connect(tmp_path / "wandb-carbs.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert {name for (name,) in db.execute("SELECT name FROM runs")} >= set(stored)
    with Small(tmp_path, 10**9) as roomy:
        assert roomy.graphql(UPSERT, i={"name": "later", "modelName": "p", "summaryMetrics": text})[0] == 200


def test_locked_database_is_a_refusal_with_its_reason(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY", 0.1)
    client.upsert(name="r")
    with contextlib.closing(sqlite3.connect(tmp_path / "server" / "wandb-carbs.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for reply in (client.upsert(name="q"), client.stream("q", {"complete": True})):
            assert reply.status == 503
            assert "database is locked" in reply.error
        assert client.send("/local/p/runs/r").status == 200
        other.execute("ROLLBACK")
    assert client.upsert(name="q").status == 200
