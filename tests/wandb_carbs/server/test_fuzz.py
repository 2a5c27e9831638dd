"""Requests of a real SDK session, mutated: none makes the server fail, hang or answer at length.

The short test is part of every run. The long one is `uv run --group dev pytest -m chaos -k fuzz -s`, sized by the
environment: `FUZZ_REQUESTS` (20000) and `FUZZ_SEED` (random, printed).
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import random
import secrets
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from wandb_carbs.server import server
from wandb_carbs.server.app import create_app

if TYPE_CHECKING:
    from pathlib import Path

    from tests.wandb_carbs.server.conftest import Client

# A user of the SDK in a sweep.
SESSION = """
import wandb
space = {"x": {"min": 0.0, "max": 1.0}, "n": {"values": [1, 2]}}
sweep = wandb.sweep({"method": "random", "metric": {"name": "loss"}, "parameters": space}, project="session")
def train():
    with wandb.init() as run:
        run.log({"loss": run.config.x, "nested": {"a": 1}, "table": wandb.Table(columns=["a"], data=[[1]])})
        run.summary["carbs.state"] = "success"
        print("hello")
        artifact = wandb.Artifact("model", "model", metadata={"a": 1})
        with artifact.new_file("a.txt") as file:
            file.write("a")
        artifact.add_reference("https://example.com/b", "b", checksum=False)
        run.log_artifact(artifact, aliases=["best"], tags=["tag"]).wait()
        run.use_artifact("model:best")
wandb.agent(sweep, train, count=1, project="session")
filters = {"$and": [{"sweep": sweep}, {"summary_metrics.carbs.state": "success"}]}
for run in wandb.Api().runs("local/session", filters, order="-summary_metrics.loss", per_page=10, lazy=False):
    run.history(), list(run.files()), list(run.scan_history()), run.update()
    list(run.logged_artifacts()), list(run.used_artifacts())
artifact = wandb.Api().artifact("session/model:best")
artifact.aliases.append("other")
artifact.description = "words"
artifact.save()
len(artifact.files()), artifact.logged_by(), artifact.used_by()
for collection in wandb.Api().artifact_type("model", "session").collections():
    list(collection.artifacts())
wandb.Api().artifacts("model", "session/model", tags=["tag"])
len(wandb.Api().sweep(f"local/session/{sweep}").runs)
"""


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, point_to: Any, tmp_path: Path) -> Session:
    """Record a session of the SDK: one request of each kind, with path and body."""
    found: dict[tuple[str, str], dict[str, Any]] = {}

    def recording(*arguments: Any, **options: Any) -> Any:
        app = create_app(*arguments, **options)

        async def record(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http" and scope["method"] == "POST":
                body = b""
                more = True
                while more:
                    message = await receive()
                    body, more = body + message.get("body", b""), message.get("more_body", False)
                parts = iter([{"type": "http.request", "body": body, "more_body": False}])

                async def again() -> Any:
                    return next(parts, None) or await receive()

                if body[:1] == b"{":
                    request = json.loads(body)
                    kind = request.get("query") or str(sorted(request.get("files") or {}))
                    found.setdefault((scope["path"], kind), {"path": scope["path"], "body": request})
                await app(scope, again, send)
            else:
                await app(scope, receive, send)

        return record

    monkeypatch.setattr(server, "create_app", recording)
    with server.LocalServer(tmp_path / "recorded") as recorder:
        environment = point_to(recorder).subprocess()
        subprocess.run([sys.executable, "-c", SESSION], env=environment, check=True, cwd=tmp_path)
    monkeypatch.undo()
    assert len(found) > 35
    return list(found.values())


ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    1e308,
    float("nan"),
    "",
    "\0",
    "\ud800",
    "..",
    "x" * 5000,
    "[" * 200,
    [],
    [[]],
    {},
    {"a": {}},
    '{"$regex": "(a+)+$"}',
    "&a [*a]",
    "1e999",
    "9" * 5000,
]
Session = list[dict[str, Any]]
LONGEST_REPLY = 1_000_000
SLOWEST = 30.0


def mutate(rng: random.Random, value: Any) -> Any:
    """Return a value with a part changed, added or taken away."""
    if rng.random() < 0.15:
        return rng.choice(ODD)
    if isinstance(value, dict) and value:
        key = rng.choice(list(value))
        changed = dict(value)
        if rng.random() < 0.1:
            del changed[key]
        elif rng.random() < 0.1:
            changed[str(rng.choice(ODD))[:100]] = rng.choice(ODD)
        else:
            changed[key] = mutate(rng, value[key])
        return changed
    if isinstance(value, list) and value:
        place = rng.randrange(len(value))
        return [*value[:place], mutate(rng, value[place]), *value[place + 1 :]]
    if isinstance(value, str):
        return mutate_text(rng, value)
    return rng.choice(ODD)


def mutate_text(rng: random.Random, text: str) -> str:
    """Return a text changed inside: as JSON where it is JSON, otherwise by its characters."""
    if text[:1] in {"{", "["} and rng.random() < 0.6:
        try:
            return json.dumps(mutate(rng, json.loads(text)))
        except ValueError:
            pass
    first, last = sorted(rng.randrange(len(text) + 1) for _ in range(2))
    middle = rng.choice(["", text[first:last] * 2, '{}[]":,$!()#\n'[rng.randrange(13)], str(rng.choice(ODD))[:200]])
    return text[:first] + middle + text[last:]


PLACES = [
    "/",
    "/local",
    "/local/session?q=a&sort=-loss&page=1&state=finished&column=x",
    "/local/session/sweeps/SWEEP?sort=x&page=2",
    "/local/session/runs/RUN",
    "/local/session/compare?run=RUN&run=RUN",
    "/-/data/local/session/runs/RUN/history",
    "/-/data/local/session/runs/RUN/console",
    "/-/data/local/session/sweeps/SWEEP?run=RUN",
    "/-/data/local/session/sweeps/SWEEP/metric?key=loss",
    "/-/static/style.css",
    "/artifactsV2/default/local/session/model/QXJ0aWZhY3Q6MQ==/abc",
    "/storage/1/00000000000000000000000000000000/config.yaml",
]


def address(rng: random.Random, names: list[str]) -> str:
    """Return an address of a page or a file, mutated."""
    path = rng.choice(PLACES).replace("RUN", rng.choice(names)).replace("SWEEP", rng.choice(names))
    for _ in range(rng.randint(0, 2)):
        path = mutate_text(rng, path)
    return quote("/" + path.lstrip("/")[:3000], safe="/?&=%", errors="replace")


def known(client: Client) -> list[str]:
    """Return the names of some runs and sweeps that the mutated requests have made."""
    query = "{ models { edges { node { runs(first: 20) { edges { node { name sweepName } } } } } } }"
    projects = client.graphql(query).json["data"]["models"]["edges"]
    nodes = [edge["node"] for project in projects for edge in project["node"]["runs"]["edges"]]
    return [name for node in nodes for name in (node["name"], node["sweepName"]) if name]


def look(client: Client, number: int, rng: random.Random, names: list[str]) -> None:
    """Ask for mutated addresses."""
    connection = http.client.HTTPConnection(client.server.url.rpartition("/")[2], timeout=SLOWEST)
    for _ in range(number):
        path = address(rng, names)
        connection.request("GET", path, headers={"Authorization": f"Bearer {client.server.api_key}"})
        reply = connection.getresponse()
        content = reply.read()
        assert reply.status < 500, (reply.status, content[:500], path)
    connection.close()


def fuzz(client: Client, session: Session, number: int, seed: int, caplog: pytest.LogCaptureFixture) -> None:
    """Send mutated requests over kept-alive connections, and check each reply and the server's log."""
    rng = random.Random(seed)
    host = client.server.url.rpartition("/")[2]
    connection = http.client.HTTPConnection(host, timeout=SLOWEST)
    key = {"Authorization": f"Bearer {client.server.api_key}", "Content-Type": "application/json"}
    for _ in range(number):
        original = rng.choice(session)
        body = original["body"]
        for _ in range(rng.randint(0, 3)):
            body = mutate(rng, body)
        data = json.dumps(body).encode("utf-8", "replace")
        if rng.random() < 0.1:
            data = mutate_text(rng, data.decode()).encode("utf-8", "replace")
        begin = time.monotonic()
        try:
            connection.request("POST", original["path"], data, key)
            reply = connection.getresponse()
            content = reply.read()
        except (http.client.HTTPException, ConnectionError) as error:
            raise AssertionError(f"no reply to {data[:2000]!r}") from error
        assert reply.status < 500, (reply.status, content[:500], data[:2000])
        assert len(content) < LONGEST_REPLY, data[:2000]
        assert time.monotonic() - begin < SLOWEST, data[:2000]
        json.loads(content.decode())
    connection.close()
    look(client, number // 4, rng, ["nosuch", *known(client)])
    for path in ("/", "/local", "/local/session", "/local/uncategorized"):
        assert client.send(path).status in {200, 404}, path
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_mutated_requests_get_an_answer(client: Client, recorded: Session, caplog: pytest.LogCaptureFixture) -> None:
    fuzz(client, recorded, 400, 0, caplog)


@pytest.mark.chaos
@pytest.mark.timeout(7200)
def test_long_fuzz(client: Client, recorded: Session, caplog: pytest.LogCaptureFixture) -> None:
    seed = int(os.environ.get("FUZZ_SEED", secrets.randbelow(10**6)))
    print(f"\nFUZZ_SEED={seed}")  # noqa: T201 - what a failure is found again by
    fuzz(client, recorded, int(os.environ.get("FUZZ_REQUESTS", "20000")), seed, caplog)
