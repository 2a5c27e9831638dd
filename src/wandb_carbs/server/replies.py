"""Replies that can be sent whatever they hold, and the replies to what goes wrong."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, HTMLResponse, Response

from wandb_carbs.plain import finite
from wandb_carbs.server.errors import RequestError, outage
from wandb_carbs.server.pages.views import error_page

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

PAGE_HEADERS = {
    # A page may run the programs of this server and read from it, and nothing else. Plotly writes styles into the page.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
# A run's files are its own business: no browser may show one as a page of this server.
FILE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": "attachment",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private",
}

_LONGEST_RANGE = 100


class File(FileResponse):
    """A run's file; a part of it on request, and the whole of it on a request for several parts.

    A thousand parts would be a thousand times the file, and take long to tell apart.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, media_type="application/octet-stream", headers=FILE_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        parts = [value for name, value in scope["headers"] if name == b"range"]
        if len(parts) > 1 or any(b"," in part or len(part) > _LONGEST_RANGE for part in parts):
            scope = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"range"]}
        await super().__call__(scope, receive, send)


class Json(Response):
    """A JSON reply; half of a surrogate pair becomes a question mark, and NaN a string."""

    media_type = "application/json"

    def __init__(self, content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(content, status, {"X-Content-Type-Options": "nosniff", **(headers or {})})

    def render(self, content: Any) -> bytes:
        """Encode the content."""
        try:
            text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except ValueError:
            text = json.dumps(finite(content), ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


class Page(HTMLResponse):
    """A page; half of a surrogate pair becomes a question mark."""

    def __init__(self, content: str, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(content, status, {**PAGE_HEADERS, **(headers or {})})

    def render(self, content: Any) -> bytes:
        """Encode the content."""
        return str(content).encode("utf-8", "replace")


def refusal(request: Request, message: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return what a browser or a client gets for a refused request."""
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return Page(error_page(message), status, headers)
    return Json({"error": message, "errors": [{"message": message}]}, status, headers)


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return refusal(request, str(error), error.status)


async def _refuse_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refusal(
        request, f"{request.method} {request.url.path[:200]}: {error.detail}", error.status_code, error.headers
    )


async def _hang_up(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # nobody is there to read it


async def _refuse_outage(request: Request, error: Exception) -> Response:
    reason = outage(error)
    if reason is None:
        raise error
    return refusal(request, str(reason), reason.status, {"Retry-After": "5"})


async def _fail(request: Request, _error: Exception) -> Response:
    return refusal(request, "internal error of the local W&B server; its log says more", 500)


EXCEPTION_HANDLERS: dict[Any, Any] = {
    RequestError: _refuse,
    HTTPException: _refuse_http,
    ClientDisconnect: _hang_up,
    OSError: _refuse_outage,
    sqlite3.OperationalError: _refuse_outage,
    Exception: _fail,
}
