"""Reading the bodies of requests, within bounds."""

from __future__ import annotations

import contextlib
import json
import zlib
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.limits import MAX_BODIES, MAX_BODY, MAX_CONTAINERS, MEBIBYTE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.requests import Request

# Smaller bodies are parsed at once: a thread would cost more.
_LARGE = MEBIBYTE // 4


class Bodies:
    """Reads JSON bodies; knows how many bytes all requests hold together."""

    def __init__(self) -> None:
        self._held = 0

    async def json(self, request: Request) -> Any:
        """Return a request's JSON body.

        Raises:
            RequestError: The body is malformed (400) or too large (413), or the server has too many of them (503).
        """
        with self._counting() as count:
            parts: list[bytes] = []
            async for part in chunks(request, MAX_BODY):
                count(len(part))
                parts.append(part)
            data = b"".join(parts)
            del parts
            is_packed = "gzip" in request.headers.get("content-encoding", "").lower()
            if not is_packed and len(data) < _LARGE:
                return _parse(data)
            if is_packed:
                data = await run_in_threadpool(_unpack, data)
                count(len(data))
            return await run_in_threadpool(_parse, data)

    @contextlib.contextmanager
    def _counting(self) -> Iterator[Any]:
        mine = 0

        def count(size: int) -> None:
            nonlocal mine
            mine += size
            self._held += size
            if self._held > MAX_BODIES:
                raise RequestError("too many large requests at once; repeat the request later", 503)

        try:
            yield count
        finally:
            self._held -= mine


async def chunks(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Yield a request's body in parts.

    Raises:
        RequestError: It has more bytes than `limit` (413).
    """
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        await _drain(request)
        raise _too_large(limit)
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            await _drain(request)
            raise _too_large(limit)
        yield part


async def _drain(request: Request) -> None:
    """Read on for a while: a client that is cut off while it sends may never see the refusal."""
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > 2 * MAX_BODY:
            return


def _too_large(limit: int) -> RequestError:
    return RequestError(f"the body has more than {limit // MEBIBYTE} MB, which is the most that this server takes", 413)


def _unpack(data: bytes) -> bytes:
    """Decompress gzip, which may have several members, within the limit of a body."""
    found = bytearray()
    try:
        while data:
            unpacker = zlib.decompressobj(wbits=31)
            found += unpacker.decompress(data, MAX_BODY + 1 - len(found))
            if len(found) > MAX_BODY:
                raise _too_large(MAX_BODY)
            if not unpacker.eof:
                raise RequestError("malformed gzip body: it ends too early")
            data = unpacker.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise RequestError(f"malformed gzip body: {error}") from None
    return bytes(found)


def _parse(data: bytes) -> Any:
    if len(data) > MAX_CONTAINERS and data.count(b"{") + data.count(b"[") > MAX_CONTAINERS:
        raise RequestError(f"the body has more than {MAX_CONTAINERS} objects and lists", 413)
    try:
        body = json.loads(data)
        # JSON may hold half of a surrogate pair, which nothing can store.
        return without_surrogates(body) if b"\\ud" in data.lower() else body
    except (ValueError, RecursionError) as error:
        raise RequestError(f"malformed JSON body: {error}") from None


def without_surrogates(value: Any) -> Any:
    """Return a JSON value whose texts can be encoded: half of a surrogate pair becomes a question mark."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {without_surrogates(key): without_surrogates(item) for key, item in value.items()}
    return value
