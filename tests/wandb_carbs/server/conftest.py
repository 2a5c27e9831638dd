"""A client that sends bytes as they come: well-formed and not."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from wandb_carbs.server.server import LocalServer
from wandb_carbs.server.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Reply:
    """A reply.

    Attributes:
        status: HTTP status.
        body: The body.
        headers: The headers, by names in lower case.
    """

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        """The body's JSON; NaN and infinities are refused, which JSON does not have."""

        def refuse(constant: str) -> None:
            raise AssertionError(constant)

        return json.loads(self.body, parse_constant=refuse)

    @property
    def error(self) -> str:
        """The first error's message."""
        return str(self.json["errors"][0]["message"])


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(frozen=True)
class Client:
    """A client of one server.

    Attributes:
        server: The server.
    """

    server: LocalServer

    def send(
        self,
        path: str,
        data: bytes | None = None,
        *,
        method: str | None = None,
        has_key: bool = True,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send one request to a path or a whole address."""
        sent = {} if data is None else {"Content-Type": "application/json"}
        if has_key:
            sent["Authorization"] = "Basic " + base64.b64encode(f"api:{self.server.api_key}".encode()).decode()
        address = path if path.startswith("http") else self.server.url + path
        asked = urllib.request.Request(address, data, {**sent, **(headers or {})}, method=method)
        try:
            with urllib.request.build_opener(_NoRedirect).open(asked, timeout=60) as reply:
                return Reply(reply.status, reply.read(), {k.lower(): v for k, v in reply.headers.items()})
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.read(), {k.lower(): v for k, v in error.headers.items()})

    def graphql(self, query: str, **variables: Any) -> Reply:
        """Send a query."""
        body = {"query": query, "variables": variables, "operationName": ""}
        return self.send("/graphql", json.dumps(body).encode())

    def stream(self, run: str, body: Any) -> Reply:
        """Stream to a run of the project `local/p`."""
        return self.send(f"/files/local/p/{run}/file_stream", json.dumps(body).encode())

    def upsert(self, **values: Any) -> Reply:
        """Make or change a run of the project `local/p`."""
        query = "mutation M($i: UpsertBucketInput!) { upsertBucket(input: $i) { bucket { id name } inserted } }"
        return self.graphql(query, i={"modelName": "p", **values})

    def sweep(self, config: str) -> Reply:
        """Make a sweep in the project `local/p`."""
        query = "mutation M($i: UpsertSweepInput!) { upsertSweep(input: $i) { sweep { id name } } }"
        return self.graphql(query, i={"projectName": "p", "config": config})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a storage, without a server."""
    store = Store(tmp_path / "db")
    yield store
    store.close()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Run a server of the test's own."""
    with LocalServer(tmp_path / "server") as server:
        yield Client(server)


@pytest.fixture(scope="module")
def shared_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Run a server for all tests of a module."""
    with LocalServer(tmp_path_factory.mktemp("server")) as server:
        yield Client(server)
