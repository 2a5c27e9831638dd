"""Replies, whatever they hold."""

from __future__ import annotations

import errno
import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from asgi import call
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.replies import EXCEPTION_HANDLERS, File, Json, Page

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        ({"a": float("nan"), "b": [float("inf"), -float("inf")]}, {"a": "NaN", "b": ["Infinity", "-Infinity"]}),
        ({"\ud83d": "\udc00"}, {"?": "?"}),
        ({"a": "\u2028é"}, {"a": "\u2028é"}),
    ],
)
def test_json_is_always_json(content: Any, sent: Any) -> None:
    reply = Json(content)
    assert json.loads(bytes(reply.body).decode()) == sent
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_page_runs_only_the_programs_of_this_server() -> None:
    reply = Page("\ud83d")
    assert reply.body == b"?"
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (RequestError("no", 404), 404, "no"),
        (sqlite3.OperationalError("database or disk is full"), 503, "database or disk is full"),
        (OSError(errno.ENOSPC, "No space left on device"), 503, "disk is full"),
    ],
)
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_refusal_is_a_page_for_a_browser_and_json_for_a_client(
    error: Exception, status: int, words: str, accept: str
) -> None:
    def fail(_request: Any) -> Any:
        raise error

    app = Starlette(routes=[Route("/", fail)], exception_handlers=EXCEPTION_HANDLERS)
    reply = call(app, "GET", "/", headers={"Accept": accept})
    assert reply.status == status
    assert words in reply.body.decode()
    assert reply.headers["content-type"].startswith("text/html" if accept == "text/html" else "application/json")


@pytest.mark.parametrize(
    ("ranges", "part"),
    [
        ("bytes=2-4", b"234"),
        ("bytes=0-1,3-4", None),
        ("bytes=" + "0-," * 1000 + "0-", None),
        ("bytes=" + "0" * 4000 + "-1", None),
    ],
)
def test_file_is_sent_in_one_part(tmp_path: Path, ranges: str, part: bytes | None) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    reply = call(File(tmp_path / "file"), "GET", "/", headers={"Range": ranges})
    # Old releases of Starlette send the whole file always.
    assert (reply.status, reply.body) in {(200, b"0123456789"), (206, part)}
    assert reply.headers["content-disposition"] == "attachment"
    assert "sandbox" in reply.headers["content-security-policy"]
