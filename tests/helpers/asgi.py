"""Requests to an application in this process, without sockets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping


@dataclass(frozen=True)
class Reply:
    """A reply.

    Attributes:
        status: HTTP status.
        headers: The headers, by names in lower case.
        body: The body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def call(
    app: Any,
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    receive: Callable[[], Awaitable[Any]] | None = None,
) -> Reply:
    """Send a request to an application.

    Args:
        app: The ASGI application.
        method: The HTTP method.
        path: The path.
        body: The body.
        headers: Headers.
        receive: Yields the messages of the client, in place of the body.
    """

    async def run() -> Reply:
        sent: list[Any] = []
        is_sent = False
        forever = asyncio.Event()

        async def whole() -> Any:
            nonlocal is_sent
            if is_sent:
                await forever.wait()
            is_sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        await app(scope, receive or whole, send)
        start = next(message for message in sent if message["type"] == "http.response.start")
        content = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
        return Reply(start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, content)

    return asyncio.run(run())
