"""The server is killed while many clients write, again and again: nothing that it acknowledged is lost.

The short test is part of every run; the long one is `uv run --group dev pytest -m chaos -k kills -s`, sized by `KILLS`
(30).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from wandb_carbs.server.server import LocalServer

if TYPE_CHECKING:
    from pathlib import Path

SERVE = """
import sys
from pathlib import Path
from wandb_carbs.server import serve
serve(port=int(sys.argv[2]), data_dir=Path(sys.argv[1]), api_key="k" * 40)
"""
UPSERT = "mutation M($i: UpsertBucketInput!) { upsertBucket(input: $i) { bucket { name } } }"
WRITERS = 4


class Writers:
    """Clients that write runs and log lines, and remember what the server has acknowledged."""

    def __init__(self) -> None:
        self.runs: set[str] = set()
        self.lines = dict.fromkeys(range(WRITERS), 0)
        self.port = 0
        self._progress = threading.Condition()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(place,)) for place in range(WRITERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait_for(self, more: int) -> None:
        """Wait until the server has acknowledged some more writes."""
        with self._progress:
            goal = self._count() + more
            assert self._progress.wait_for(lambda: self._count() >= goal, timeout=120)

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _count(self) -> int:
        return len(self.runs) + sum(self.lines.values())

    def _write(self, place: int) -> None:
        number = 0
        while not self._over.is_set():
            name = f"r{place}-{number}"
            if self._send("/graphql", {"query": UPSERT, "variables": {"i": {"name": name, "modelName": "p"}}}):
                self.runs.add(name)
                number += 1
            line = {"output.log": {"offset": self.lines[place], "content": [f"line {self.lines[place]}"]}}
            if self._send(f"/files/local/p/log{place}/file_stream", {"files": line}):
                self.lines[place] += 1
            with self._progress:
                self._progress.notify_all()

    def _send(self, path: str, body: Any) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {'k' * 40}", "Content-Type": "application/json"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            reply = connection.getresponse()
            reply.read()
        except (OSError, http.client.HTTPException):
            self._over.wait(0.05)  # the server is down
            return False
        finally:
            connection.close()
        return reply.status == 200


def kill_again_and_again(folder: Path, kills: int) -> None:
    rng = random.Random(0)
    writers = Writers()
    started = False
    try:
        for _ in range(kills):
            command = [sys.executable, "-c", SERVE, str(folder), str(writers.port)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
                assert process.stdout is not None
                writers.port = int(process.stdout.readline().rpartition(":")[2])
                try:
                    if not started:
                        writers.start()
                        started = True
                    writers.wait_for(rng.randint(5, 40))
                finally:
                    process.kill()
    finally:
        writers.stop()
    with LocalServer(folder, api_key="k" * 40) as server:
        connection = http.client.HTTPConnection(server.url.rpartition("/")[2], timeout=30)
        query = '{ project(name: "p") { runs { edges { node { name logLineCount } } } } }'
        headers = {"Authorization": f"Bearer {'k' * 40}", "Content-Type": "application/json"}
        with contextlib.closing(connection):
            connection.request("POST", "/graphql", json.dumps({"query": query}), headers)
            edges = json.loads(connection.getresponse().read())["data"]["project"]["runs"]["edges"]
    found = {edge["node"]["name"]: edge["node"]["logLineCount"] for edge in edges}
    assert writers.runs <= found.keys()
    assert all(found[f"log{place}"] >= lines for place, lines in writers.lines.items() if lines)
    print(f"\n{len(writers.runs) + sum(writers.lines.values())} writes through {kills} kills")  # noqa: T201


def test_killed_server_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, 3)


@pytest.mark.chaos
@pytest.mark.timeout(3600)
def test_long_kills(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, int(os.environ.get("KILLS", "30")))
