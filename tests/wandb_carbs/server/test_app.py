"""The routes: who is let in, in which order things are checked, and whose work is done."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from asgi import call
from wandb_carbs.server.app import create_app
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.graphql import execute
from wandb_carbs.server.keys import Key
from wandb_carbs.server.limits import current_budget

if TYPE_CHECKING:
    from pathlib import Path

    from wandb_carbs.server.store.database import Store

HEADERS = {"Authorization": f"Bearer {'k' * 40}", "Content-Type": "application/json", "Host": "here"}


@pytest.fixture
def app(store: Store, tmp_path: Path) -> Any:
    return create_app(store, key=Key(tmp_path / "key", "k" * 40), files_dir=tmp_path / "files")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/graphql"),
        ("POST", "/files/local/p/r/file_stream"),
        ("PUT", f"/storage/1/{'0' * 32}/a"),
        ("GET", f"/storage/1/{'0' * 32}/a"),
        ("GET", "/artifactsV2/default/local/p/a/b/c"),
    ],
)
def test_stranger_is_refused_before_the_body_is_read(app: Any, method: str, path: str) -> None:
    async def refuse() -> Any:
        raise AssertionError("the body was read")

    reply = call(app, method, path, receive=refuse, headers={"Content-Type": "application/json"})
    assert reply.status in {401, 403}
    assert json.loads(reply.body)["errors"][0]["message"]


@pytest.mark.parametrize(("origin", "status"), [("http://here", 204), ("http://other", 403), (None, 204)])
def test_files_are_for_pages_of_the_own_origin(app: Any, origin: str | None, status: int) -> None:
    asked = {"Access-Control-Request-Method": "GET", **({"Origin": origin} if origin else {})}
    reply = call(app, "OPTIONS", f"/storage/1/{'0' * 32}/a", headers={"Host": "here", **asked})
    assert reply.status == status
    assert reply.headers.get("access-control-allow-origin") == (origin if status == 204 else None)


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/graphql"), ("POST", "/a/b/c/d/e/f"), ("PUT", "/graphql")])
def test_unknown_address_is_named(app: Any, method: str, path: str) -> None:
    reply = call(app, method, path, headers=HEADERS)
    assert reply.status in {404, 405}
    assert f"{method} {path}" in json.loads(reply.body)["error"]


@pytest.mark.parametrize("path", ["/", "/graphql"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("Host", host) for host in ("[::1", "[", "a:b", "127.0.0.1:99999999", "a b", "]", "@")),
        *(("Origin", origin) for origin in ("http://[", "[::1", "://", "null", "http://a:b@c:d")),
        *(("Content-Type", kind) for kind in ("", "/", "application/json/json", "x" * 5000)),
        *(("Authorization", text) for text in ("Basic ====", "Basic \xff", "Bearer", "x" * 5000)),
        *(("Cookie", text) for text in ("wandb_carbs_0=\xff; =;;", ";" * 5000)),
    ],
)
def test_odd_header_is_no_fault_of_the_server(app: Any, path: str, name: str, value: str) -> None:
    reply = call(
        app, "GET" if path == "/" else "POST", path, b'{"query": "{ viewer { id } }"}', {**HEADERS, name: value}
    )
    assert reply.status < 500


def test_query_is_answered(app: Any) -> None:
    reply = call(app, "POST", "/graphql", b'{"query": "{ viewer { entity } }", "operationName": ""}', HEADERS)
    assert (reply.status, json.loads(reply.body)) == (200, {"data": {"viewer": {"entity": "local"}}})
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_work_for_a_client_that_has_gone_ends(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    has_begun, ends = threading.Event(), []

    def endless(*_: Any) -> Any:
        has_begun.set()
        budget = current_budget()
        assert budget is not None
        try:
            while True:
                budget.check()
                threading.Event().wait(0.005)
        except RequestError as reason:
            ends.append(str(reason))
            raise

    monkeypatch.setattr(execute, "execute", endless)
    messages = iter([{"type": "http.request", "body": b'{"query": "{ viewer { id } }"}', "more_body": False}])

    async def leave() -> Any:
        for message in messages:
            return message
        await asyncio.to_thread(has_begun.wait)
        return {"type": "http.disconnect"}

    call(app, "POST", "/graphql", receive=leave, headers=HEADERS)
    assert ends == ["the client has gone"]


def test_upload_whose_client_goes_leaves_nothing_behind(app: Any, store: Store, tmp_path: Path) -> None:
    query = """mutation { upsertBucket(input: {name: "r", modelName: "p"}) { inserted }
        createRunFiles(input: {projectName: "p", runName: "r", files: ["a"]}) { files { uploadUrl } } }"""
    reply = call(app, "POST", "/graphql", json.dumps({"query": query}).encode(), HEADERS)
    target = json.loads(reply.body)["data"]["createRunFiles"]["files"][0]["uploadUrl"].removeprefix("http://here")
    messages = iter(
        [{"type": "http.request", "body": b"x" * 2_000_000, "more_body": True}, {"type": "http.disconnect"}]
    )

    async def leave() -> Any:
        return next(messages)

    assert call(app, "PUT", target, receive=leave).status == 400
    assert list((tmp_path / "uploads").iterdir()) == []
    assert call(app, "PUT", target, b"whole").status == 200
    with store.reading() as db:
        assert [row["size"] for row in db.execute("SELECT size FROM files")] == [5]
