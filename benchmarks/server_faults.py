"""Measure the local server at its bounds: a large upload, a long history, and connections that only wait.

    uv run benchmarks/server_faults.py

Kills, full disks, hostile requests and mutated ones are tests; `docs/benchmarks.md` has their commands.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table
from server import Address, Client, costed, memory, serving, summary, timed

GIGABYTE = 2**30
CONNECTIONS = 1_000
LINES = 100_000
FILES = 'mutation { createRunFiles(input: {projectName: "p", runName: "r", files: ["a"]}) { files { uploadUrl } } }'


def upload(address: Address, size: int) -> str:
    """Upload a file, and return the time and the most memory that the server has meanwhile."""
    client = Client(address)
    client.send("POST", "/files/local/p/r/file_stream", {})
    target = urlsplit(client.ask(FILES)["createRunFiles"]["files"][0]["uploadUrl"]).path
    most, is_over = [memory(address.process)], threading.Event()

    def watch() -> None:
        while not is_over.wait(0.02):
            most.append(memory(address.process))

    watcher = threading.Thread(target=watch)
    watcher.start()
    connection = http.client.HTTPConnection(address.host, timeout=300)
    part = bytes(2**20)
    begin = time.perf_counter()
    connection.request("PUT", target, (part for _ in range(size // len(part))), {"Content-Length": str(size)})
    assert connection.getresponse().status == 200
    seconds = time.perf_counter() - begin
    connection.close()
    is_over.set()
    watcher.join()
    return f"{seconds:.1f} s, memory {most[0]} MB before, at most {max(most)} MB"


def history(address: Address) -> dict[str, str]:
    """Log a long history, and ask for samples of it."""
    client = Client(address)
    for start in range(0, LINES, 1_000):
        lines = []
        for step in range(start, start + 1_000):
            row = {"_step": step, "_runtime": step / 10, "loss": 1 / (step + 1)}
            lines.append(json.dumps({**row, "acc": 0.5} if step % 50 == 0 else row))
        files = {"wandb-history.jsonl": {"offset": start, "content": lines}}
        client.send("POST", "/files/local/p/long/file_stream", {"files": files})
    query = 'query Q($s: [JSONString!]!) { project(name: "p") { run(name: "long") { sampledHistory(specs: $s) } } }'
    specs = {"without keys": {}, "by a rare key": {"keys": ["acc"]}, "by steps": {"minStep": 50_000, "maxStep": 50_999}}
    return {
        f"500 samples of {LINES:,} lines, {name}": costed(
            address, 5, lambda spec=spec: client.ask(query, s=[json.dumps({**spec, "samples": 500})])
        )
        for name, spec in specs.items()
    }


def crowd(address: Address) -> str:
    """Open connections that send half a request, and measure the requests of others meanwhile."""
    host, port = address.host.split(":")
    with ExitStack() as held:
        for place in range(CONNECTIONS):
            connection = held.enter_context(socket.create_connection((host, int(port)), timeout=30))
            connection.send(b"" if place % 2 else b"GET / HTTP/1.1\r\nX: ")
        return summary([timed(lambda: Client(address).ask("{ viewer { id } }")) for _ in range(50)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="interpreter whose wandb-carbs is measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, serving(options.python, Path(name)) as address:
        rows = {"upload of 1 GB": upload(address, GIGABYTE)}
        rows |= history(address)
        rows[f"request on a new connection, {CONNECTIONS:,} others waiting"] = crowd(address)
    table = Table("milliseconds: median / 95 % / maximum (processor)", "")
    for row in rows.items():
        table.add_row(*row)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
