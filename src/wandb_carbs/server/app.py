"""The server's routes."""

from __future__ import annotations

import base64
import binascii
import gzip
import hmac
import json
import tempfile
import zlib
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.graphql import execute
from wandb_carbs.server.pages.views import Pages, error_page
from wandb_carbs.server.store import manifests
from wandb_carbs.server.store.files import RunFiles
from wandb_carbs.server.sweeps import stopping

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wandb_carbs.server.store.database import Store


# Bytes of an upload that are held in memory.
_SPOOLED = 1 << 20
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def create_app(store: Store, *, api_key: str, files_dir: Path, host: str = "127.0.0.1") -> Starlette:
    """Return the application.

    Args:
        store: The storage.
        api_key: The key that clients must send.
        files_dir: Folder for the files that runs upload.
        host: The address that is bound. On loopback the pages need no key; elsewhere the browser asks for it.
    """
    endpoints = _Endpoints(store, api_key, files_dir, open_pages=host in _LOOPBACK)
    return Starlette(
        routes=[
            Route("/graphql", endpoints.graphql, methods=["POST"]),
            Route("/files/{entity}/{project}/{run}/file_stream", endpoints.file_stream, methods=["POST"]),
            Route("/storage/{run_id:int}/{signature}/{name:path}", endpoints.put_file, methods=["PUT"]),
            Route("/storage/{run_id:int}/{signature}/{name:path}", endpoints.get_file, methods=["GET"]),
            Route("/artifactsV2/{place:path}", endpoints.get_entry, methods=["GET"]),
            Route("/", endpoints.home, methods=["GET"]),
            Route("/{entity}/{project}", endpoints.project, methods=["GET"]),
            Route("/{entity}/{project}/sweeps/{sweep}", endpoints.sweep, methods=["GET"]),
            Route("/{entity}/{project}/runs/{run}", endpoints.run, methods=["GET"]),
        ],
        exception_handlers={
            RequestError: _refuse,
            HTTPException: _refuse_http,
            ClientDisconnect: _hang_up,
            Exception: _fail,
        },
    )


def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    message = str(error)
    return JSONResponse({"error": message, "errors": [{"message": message}]}, error.status)


def _refuse_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"{request.method} {request.url.path}: {error.detail}"
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(error_page(message), error.status_code, _PAGE_HEADERS)
    return JSONResponse({"error": message, "errors": [{"message": message}]}, error.status_code, error.headers)


def _hang_up(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # nobody is there to read it


def _fail(_request: Request, _error: Exception) -> Response:
    message = "internal error of the local W&B server; its log tells more"
    return JSONResponse({"error": message, "errors": [{"message": message}]}, 500)


class _Endpoints:
    def __init__(self, store: Store, api_key: str, files_dir: Path, *, open_pages: bool) -> None:
        self._store = store
        self._api_key = api_key
        self._files = RunFiles(store, files_dir, api_key)
        self._pages = Pages(store, self._files)
        self._open_pages = open_pages

    def _authorize(self, request: Request) -> None:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        key = ""
        if scheme.lower() == "basic":
            try:
                key = base64.b64decode(value, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeError, ValueError):
                key = ""
        elif scheme.lower() == "bearer":
            key = value
        if not hmac.compare_digest(key.encode(), self._api_key.encode()):
            raise RequestError("wrong API key: set WANDB_API_KEY to the key that this server printed at its start", 401)

    async def graphql(self, request: Request) -> Response:
        self._authorize(request)
        body = await _json(request)
        reply = await run_in_threadpool(execute.execute, self._store, self._files, _base_url(request), body)
        return JSONResponse(reply.body, reply.status)

    async def file_stream(self, request: Request) -> Response:
        self._authorize(request)
        body = await _json(request)
        names = request.path_params
        reply = await run_in_threadpool(
            stopping.stream, self._store, names["entity"], names["project"], names["run"], body
        )
        return JSONResponse(reply)

    async def put_file(self, request: Request) -> Response:
        run_id, name = request.path_params["run_id"], request.path_params["name"]
        self._files.check(run_id, request.path_params["signature"], name)
        with tempfile.SpooledTemporaryFile(max_size=_SPOOLED) as body:
            async for chunk in request.stream():
                body.write(chunk)
            body.seek(0)
            await run_in_threadpool(self._files.write, run_id, name, iter(lambda: body.read(_SPOOLED), b""))
        return Response()

    async def get_file(self, request: Request) -> Response:
        run_id, name = request.path_params["run_id"], request.path_params["name"]
        self._files.check(run_id, request.path_params["signature"], name)
        path = self._files.path(run_id, name)
        if not path.is_file():
            raise RequestError(f"no file {name!r}", 404)
        # A run's files are its own business: a browser must not run them as a page of this server.
        return FileResponse(path, media_type="application/octet-stream")

    async def get_entry(self, request: Request) -> Response:
        """Answer the SDKs up to 0.28, which put together the addresses of artifacts' files themselves."""
        self._authorize(request)
        place = request.path_params["place"]

        def find() -> Path | None:
            with self._store.reading() as db:
                return manifests.file_at(db, self._files, place)

        path = await run_in_threadpool(find)
        if path is None or not path.is_file():
            raise RequestError(f"no file of an artifact at {place!r}", 404)
        return FileResponse(path, media_type="application/octet-stream")

    async def home(self, request: Request) -> Response:
        return await self._page(request, self._pages.home)

    async def project(self, request: Request) -> Response:
        return await self._page(request, self._pages.project, "entity", "project")

    async def sweep(self, request: Request) -> Response:
        return await self._page(request, self._pages.sweep, "entity", "project", "sweep")

    async def run(self, request: Request) -> Response:
        return await self._page(request, self._pages.run, "entity", "project", "run")

    async def _page(self, request: Request, render: Callable[..., str], *parameters: str) -> Response:
        # A page of another site may point its own name to this machine; it then comes under that name, and needs a key.
        if not (self._open_pages and request.url.hostname in _LOOPBACK):
            try:
                self._authorize(request)
            except RequestError as error:
                challenge = {
                    **_PAGE_HEADERS,
                    "WWW-Authenticate": 'Basic realm="wandb-carbs: user api, password the API key"',
                }
                return HTMLResponse(error_page(str(error)), error.status, challenge)
        try:
            page = await run_in_threadpool(render, *(request.path_params[name] for name in parameters))
        except RequestError as error:
            return HTMLResponse(error_page(str(error)), error.status, _PAGE_HEADERS)
        return HTMLResponse(page, headers=_PAGE_HEADERS)


async def _json(request: Request) -> Any:
    """Return a request's JSON body.

    Raises:
        RequestError: The body is malformed.
    """
    data = await request.body()
    if request.headers.get("content-encoding", "").lower() == "gzip":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise RequestError(f"malformed gzip body: {error}") from None
    try:
        body = json.loads(data)
        # JSON may hold half of a surrogate pair, which nothing can store.
        return _without_surrogates(body) if b"\\ud" in data.lower() else body
    except (ValueError, RecursionError) as error:
        raise RequestError(f"malformed JSON body: {error}") from None


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _base_url(request: Request) -> str:
    return str(request.base_url).rstrip("/")
