"""Bodies of requests, within bounds."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest
from starlette.requests import Request

from wandb_carbs.server import bodies
from wandb_carbs.server.bodies import Bodies
from wandb_carbs.server.errors import RequestError

PACKED = {"content-encoding": "gzip"}


def read(*parts: bytes, reader: Bodies | None = None, headers: dict[str, str] | None = None) -> Any:
    """Read a body that comes in parts, and return its JSON."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    iterator = iter(messages)

    async def receive() -> Any:
        return next(iterator)

    found = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    request = Request({"type": "http", "method": "POST", "headers": found}, receive)
    return asyncio.run((reader or Bodies()).json(request))


def test_parts_are_put_together() -> None:
    assert read(b'{"a": ', b"1}") == {"a": 1}
    assert read(gzip.compress(b'{"a": 1}')[:10], gzip.compress(b'{"a": 1}')[10:], headers=PACKED) == {"a": 1}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": 1} b'])
def test_malformed_body_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError, match="malformed JSON body") as refused:
        read(body)
    assert refused.value.status == 400


@pytest.mark.parametrize("headers", [{}, {"content-length": "9" * 5000}, {"content-length": "2000000"}])
def test_body_that_is_too_large_is_refused_whatever_it_says(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    monkeypatch.setattr(bodies, "MAX_BODY", 2**20)
    with pytest.raises(RequestError, match="more than 1 MB") as refused:
        read(b" " * 2**20, b"[1]", headers=headers)
    assert refused.value.status == 413


def test_small_gzip_that_is_large_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_BODY", 2**20)
    for packed in (gzip.compress(b" " * 2**22), gzip.compress(b" " * 2**19) * 8):
        with pytest.raises(RequestError, match="more than 1 MB"):
            read(packed, headers=PACKED)
    for broken in (gzip.compress(b"{}")[:-4], b"no gzip"):
        with pytest.raises(RequestError, match="malformed gzip"):
            read(broken, headers=PACKED)


def test_all_requests_together_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_BODIES", 1000)
    reader = Bodies()
    with pytest.raises(RequestError, match="too many large requests") as refused:
        read(b" " * 999, b"[1]", reader=reader)
    assert refused.value.status == 503
    assert read(b" " * 900 + b"[1]", reader=reader) == [1]  # what was refused is not held


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    body = b'{"\\ud83d": ["\\uDE00", "\\ud83d\\ude00"]}'
    assert read(body) == {"?": ["?", "\U0001f600"]}
    json.dumps(read(body), ensure_ascii=False).encode()
