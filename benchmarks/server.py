"""Measure the local server under load: many runs, many agents, many log lines, and expensive reads meanwhile.

    uv run benchmarks/server.py
    uv run benchmarks/server.py --python /other/environment/bin/python   # another version of this package

The server runs in a process of its own, and so does each kind of load. All times are in milliseconds, as the client
sees them over kept-alive connections on the loopback: median, 95th percentile, maximum; in brackets, for expensive
requests, the processor time of the server for one of them, which hardly depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import multiprocessing
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (1_000, 10_000, 50_000)
AGENTS = 64
SECONDS = 5.0
LINES = 10_000  # log lines a second
BATCH = 100  # lines of a request
STREAMS = 8
PAGE = 1_000
SWEEP = "method: random\nmetric: {name: loss, goal: minimize}\nparameters: {x: {min: 0.0, max: 1.0}}"

RUNS = """query Runs($project: String!, $entity: String!, $cursor: String, $perPage: Int, $order: String,
    $filters: JSONString) { project(name: $project, entityName: $entity) { internalId runCount(filters: $filters)
    readOnly runs(filters: $filters, after: $cursor, first: $perPage, order: $order) { edges { node { projectId
    ...RunFragment } cursor } pageInfo { endCursor hasNextPage } } } }
    fragment RunFragment on Run { id tags name displayName sweepName state group jobType commit readOnly createdAt
    heartbeatAt description notes historyLineCount user { name username } config systemMetrics summaryMetrics
    historyKeys }"""
BEAT = """mutation Heartbeat($id: ID!, $runState: JSONString) {
    agentHeartbeat(input: {id: $id, runState: $runState}) { agent { id } commands } }"""


@dataclass(frozen=True)
class Address:
    """Where the server is.

    Attributes:
        host: Its host and port.
        key: Its API key.
        process: Its process id.
    """

    host: str
    key: str
    process: int


class Client:
    """One kept-alive connection."""

    def __init__(self, address: Address) -> None:
        self._connection = http.client.HTTPConnection(address.host, timeout=300)
        token = base64.b64encode(f"api:{address.key}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}

    def send(self, method: str, path: str, body: Any = None) -> bytes:
        data = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, data, self._headers)
            reply = self._connection.getresponse()
        except (ConnectionError, http.client.RemoteDisconnected):  # it was idle for long: the server has closed it
            self._connection.close()
            self._connection.request(method, path, data, self._headers)
            reply = self._connection.getresponse()
        content = reply.read()
        assert reply.status == 200, (path, reply.status, content[:500])
        return content

    def ask(self, query: str, **variables: Any) -> Any:
        return json.loads(self.send("POST", "/graphql", {"query": query, "variables": variables}))["data"]


def timed(work: Any) -> float:
    begin = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - begin)


@contextmanager
def serving(python: str, folder: Path) -> Iterator[Address]:
    command = [python, "-m", "wandb_carbs.cli", "server", "--json", "--port", "0", "--data-dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        try:
            yield Address(urlsplit(facts["address"]).netloc, facts["api_key"], process.pid)
        finally:
            process.terminate()


def fill(python: str, folder: Path, number: int) -> str:
    """Put runs into a sweep, as the server stores them, and return the sweep's name."""
    with serving(python, folder) as address:
        client = Client(address)
        sweep: str = client.ask(
            'mutation M($c: String) { upsertSweep(input: {config: $c, projectName: "p"}) { sweep { name } } }', c=SWEEP
        )["upsertSweep"]["sweep"]["name"]
    rng = random.Random(0)  # noqa: S311 - no secrets
    now = int(time.time() * 1e6)
    rows = []
    for place in range(number):
        config = {f"parameter_{i}": {"value": rng.random()} for i in range(12)}
        config["_wandb"] = {"value": {"cli_version": "0.31.0", "t": {str(i): i for i in range(20)}}}
        objective, cost = rng.random(), rng.expovariate(0.01)
        summary: dict[str, Any] = {f"metric_{i}": rng.random() for i in range(12)}
        summary |= {"carbs.state": rng.choice(["success", "failure"]), "carbs.objective": objective}
        summary |= {"carbs.cost": cost, "loss": objective, "_runtime": cost, "_step": 100}
        texts = json.dumps(config), json.dumps(summary), json.dumps(list(summary))
        rows.append((f"run{place:07}", f"run-{place}", *texts, now + 1000 * place, now))
    with closing(sqlite3.connect(folder / "wandb-carbs.db")) as db, db:
        db.executemany(
            """INSERT INTO runs (project_id, sweep_id, name, display_name, state, config, summary, history_keys,
               created_at, heartbeat_at) VALUES (1, 1, ?, ?, 'finished', ?, ?, ?, ?, ?)""",
            rows,
        )
    return sweep


def beat(address: Address, sweep: str, agents: int, every: float, end: Event, results: Any) -> None:
    """Be some agents, each of which beats for a run that it has, and report the times of their beats."""
    times: list[float] = []
    lock = threading.Lock()

    def live(place: int) -> None:
        client = Client(address)
        query = "mutation A($s: String!) { createAgent(input: {sweep: $s}) { agent { id } } }"
        agent = client.ask(query, s=sweep)["createAgent"]["agent"]["id"]
        end.wait(every * place / agents)
        while not end.is_set():
            elapsed = timed(lambda: client.ask(BEAT, id=agent, runState=json.dumps({f"run{place:07}": True})))
            with lock:
                times.append(elapsed)
            end.wait(max(every - elapsed / 1e3, 0))

    threads = [threading.Thread(target=live, args=(place,)) for place in range(agents)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(times)


def log(address: Address, end: Event, results: Any) -> None:
    """Stream lines at a rate, and report the times of the requests and how many lines a second were taken."""
    times: list[float] = []
    lock = threading.Lock()
    begin = time.perf_counter()

    def live(place: int) -> None:
        client, offset, line = Client(address), 0, "epoch 1 step 100 loss 0.12345 accuracy 0.9" * 2
        while not end.is_set():
            body = {"files": {"output.log": {"offset": offset, "content": [line] * BATCH}}}
            elapsed = timed(lambda body=body: client.send("POST", f"/files/local/p/log{place}/file_stream", body))
            offset += BATCH
            with lock:
                times.append(elapsed)
            end.wait(max(begin + offset * STREAMS / LINES - time.perf_counter(), 0))

    threads = [threading.Thread(target=live, args=(place,)) for place in range(STREAMS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = len(times) * BATCH / (time.perf_counter() - begin)
    results.put((times, rate))


@contextmanager
def beside(target: Any, *arguments: Any) -> Iterator[Any]:
    """Run a load in another process until the block ends; what it reports is put into the list that is yielded."""
    end, results, found = multiprocessing.Event(), multiprocessing.Queue(), []
    process = multiprocessing.Process(target=target, args=(*arguments, end, results))
    process.start()
    time.sleep(2.0)  # the load has begun
    try:
        yield found
    finally:
        end.set()
        found.append(results.get(timeout=300))
        process.join()


def summary(times: list[float]) -> str:
    ordered = sorted(times)
    return f"{statistics.median(ordered):.1f} / {ordered[int(0.95 * len(ordered))]:.1f} / {ordered[-1]:.0f}"


def cpu(process: int) -> float:
    """Return the processor time that a process has used, in milliseconds."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return 1e3 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def costed(address: Address, repeats: int, work: Any) -> str:
    before = cpu(address.process)
    times = [timed(work) for _ in range(repeats)]
    return f"{summary(times)} ({(cpu(address.process) - before) / repeats:.0f})"


def memory(process: int) -> int:
    """Return the resident memory of a process in MB."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) // 1024


def measure(python: str, number: int) -> dict[str, str]:
    figures: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sweep = fill(python, folder, number)
        begin = time.perf_counter()
        with serving(python, folder) as address:
            figures["start, s"] = f"{time.perf_counter() - begin:.1f}"
            client = Client(address)
            figures["request on a kept-alive connection"] = summary(
                [timed(lambda: client.ask("{ viewer { id } }")) for _ in range(200)]
            )
            with beside(beat, address, sweep, AGENTS, 1.0) as beats:
                time.sleep(SECONDS)
            figures[f"beat of {AGENTS} agents, one a second"] = summary(beats[0])
            with beside(log, address) as lines:
                time.sleep(SECONDS)
            figures["100 log lines"] = summary(lines[0][0])
            figures["log lines a second"] = f"{lines[0][1]:.0f}"
            filters = json.dumps({"$and": [{"sweep": sweep}, {"summary_metrics.carbs.state": "success"}]})
            options = {"filters": filters, "order": "-summary_metrics.carbs.objective", "perPage": PAGE}

            def page() -> None:
                client.ask(RUNS, project="p", entity="local", **options)

            figures[f"filtered, ordered page of {PAGE} runs"] = costed(address, 5, page)
            with beside(beat, address, sweep, 8, 0.1) as beats:
                for _ in range(5):
                    page()
            figures["beat meanwhile"] = summary(beats[0])
            count = 'query C($f: JSONString) { project(name: "p") { runCount(filters: $f) } }'
            figures["filtered count"] = costed(address, 5, lambda: client.ask(count, f=filters))
            # The first visit reads all runs, which were put there at once; later ones read those that have changed.
            pages = {
                "first page of the sweep": f"/local/p/sweeps/{sweep}",
                "page of the sweep": f"/local/p/sweeps/{sweep}",
                "the same, sorted by a parameter": f"/local/p/sweeps/{sweep}?sort=-parameter_3",
                "its figures": f"/-/data/local/p/sweeps/{sweep}",
                "page of the project": "/local/p",
            }
            for row, path in pages.items():
                repeats = 1 if row.startswith("first") else 5
                figures[row] = costed(address, repeats, lambda path=path: client.send("GET", path))
            figures["memory, MB"] = str(memory(address.process))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="interpreter whose wandb-carbs is measured")
    parser.add_argument("--runs", type=lambda text: tuple(map(int, text.split(","))), default=SIZES)
    options = parser.parse_args()
    console = Console(width=160)
    columns = {}
    for number in options.runs:
        columns[number] = measure(options.python, number)
        console.log(number, columns[number])
    table = Table("milliseconds: median / 95 % / maximum (processor)", *(f"{number:,} runs" for number in columns))
    for row in next(iter(columns.values())):
        table.add_row(row, *(figures[row] for figures in columns.values()))
    console.print(table)


if __name__ == "__main__":
    main()
