"""The server's routes."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from wandb_carbs.server.access import COOKIE_AGE, TOKEN, Access, check_json, check_origin
from wandb_carbs.server.bodies import Bodies, chunks
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.file_names import register
from wandb_carbs.server.graphql import execute
from wandb_carbs.server.limits import MAX_UPLOAD, MEBIBYTE, Budget, spending
from wandb_carbs.server.pages.routes import page_routes
from wandb_carbs.server.pages.views import error_page
from wandb_carbs.server.prefix import prefix_of
from wandb_carbs.server.replies import EXCEPTION_HANDLERS, File, Json, Page
from wandb_carbs.server.store import manifests
from wandb_carbs.server.store.files import RunFiles
from wandb_carbs.server.store.writers import checked_writer
from wandb_carbs.server.sweeps import stopping

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.requests import Request

    from wandb_carbs.server.keys import Key
    from wandb_carbs.server.store.database import Store

T = TypeVar("T")

# Where several processes write one run, the SDK says so, and which of them speaks.
_SHARED, _WRITER, _CLIENT = "x-wandb-use-async-filestream", "x-wandb-async-client-id", "x-wandb-client-id"

# Readers work in Python most of the time, one at a time: more of them would only wait for each other, and make the
# writers wait. Writers wait for the disk.
_READERS = 3
_WRITERS = 16


def create_app(store: Store, *, key: Key, files_dir: Path, host: str = "127.0.0.1") -> Starlette:
    """Return the application.

    Args:
        store: The storage.
        key: The key that clients must send.
        files_dir: Folder for the files that runs upload.
        host: The address that is bound. On loopback the user who runs the server needs no key for the pages.
    """
    register()
    endpoints = _Endpoints(store, key, files_dir, host)
    file = "/storage/{run_id}/{signature}/{name:file}"
    return Starlette(
        routes=[
            Route("/graphql", endpoints.graphql, methods=["POST"]),
            Route("/files/{entity}/{project}/{run}/file_stream", endpoints.file_stream, methods=["POST"]),
            Route(file, endpoints.put_file, methods=["PUT"]),
            Route(file, endpoints.get_file, methods=["GET"]),
            Route(file, endpoints.permit_file, methods=["OPTIONS"]),
            Route("/artifactsV2/{place:file}", endpoints.get_entry, methods=["GET"]),
            *endpoints.page_routes(),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
    )


class _Endpoints:
    def __init__(self, store: Store, key: Key, files_dir: Path, host: str) -> None:
        self._store = store
        self._access = Access(key, host)
        self._bodies = Bodies()
        self._files = RunFiles(store, files_dir, lambda: key.value)

    # Made when the first request is there: they belong to its event loop.
    @functools.cached_property
    def _readers(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(_READERS)

    @functools.cached_property
    def _writers(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(_WRITERS)

    async def graphql(self, request: Request) -> Response:
        self._access.check_key(request)
        check_origin(request)
        check_json(request)
        body = await self._bodies.json(request)
        prepared = await _work(request, self._writers, execute.prepare, body)
        limiter = self._writers if prepared.is_mutation else self._readers
        base_url, writer = _base_url(request), _writer_of(request)

        def answer() -> Response:
            reply = execute.execute(self._store, self._files, base_url, prepared, writer)
            return Json(reply.body, reply.status)  # in the thread, too: a page of runs takes a while to encode

        return await _work(request, limiter, answer)

    async def file_stream(self, request: Request) -> Response:
        self._access.check_key(request)
        check_origin(request)
        body = await self._bodies.json(request)
        names = request.path_params
        place = names["entity"], names["project"], names["run"]
        writer = _writer_of(request)
        return Json(await _work(request, self._writers, stopping.stream, self._store, *place, body, writer))

    async def put_file(self, request: Request) -> Response:
        name = request.path_params["name"]
        run_id = self._files.check(request.path_params["run_id"], request.path_params["signature"], name, to_write=True)
        with self._files.begin() as upload:
            part = bytearray()
            async for chunk in chunks(request, MAX_UPLOAD):
                part += chunk
                if len(part) >= MEBIBYTE:
                    await run_in_threadpool(upload.write, bytes(part))
                    part.clear()
            upload.write(bytes(part))
            await run_in_threadpool(self._files.keep, upload, run_id, name)
        return Response()

    async def get_file(self, request: Request) -> Response:
        name = request.path_params["name"]
        run_id = self._files.check(
            request.path_params["run_id"], request.path_params["signature"], name, to_write=False
        )
        path = self._files.path(run_id, name)
        if not path.is_file():
            raise RequestError(f"no file {name!r}", 404)
        return File(path)

    async def permit_file(self, request: Request) -> Response:
        """Say that this server's own pages may get and put files, which `wandb verify` asks for them."""
        check_origin(request)
        own = request.headers.get("origin")
        permits = {"Access-Control-Allow-Origin": own, "Access-Control-Allow-Methods": "GET, PUT"} if own else {}
        return Response(status_code=204, headers=permits)

    async def get_entry(self, request: Request) -> Response:
        """Answer the SDKs up to 0.28, which put together the addresses of artifacts' files themselves."""
        self._access.check_key(request)
        place = request.path_params["place"]

        def find() -> Path | None:
            with self._store.reading() as db:
                return manifests.file_at(db, self._files, place)

        path = await _work(request, self._readers, find)
        if path is None or not path.is_file():
            raise RequestError(f"no file of an artifact at {place!r}", 404)
        return File(path)

    def page_routes(self) -> list[Route]:
        """Return the routes of the pages."""
        return page_routes(self._store, self._files, self._page)

    async def _page(self, request: Request, make: Callable[[], Any]) -> Response:
        if TOKEN in request.query_params and self._access.has_token(request):
            reply = RedirectResponse(prefix_of(request) + request.url.path, 303)
            reply.set_cookie(
                self._access.cookie(request),
                self._access.token,
                max_age=COOKIE_AGE,
                httponly=True,
                samesite="lax",
                secure=request.url.scheme == "https",
            )
            return reply
        try:
            self._access.check_page(request)
        except RequestError as error:
            challenge = {"WWW-Authenticate": 'Basic realm="wandb-carbs: user api, password the API key"'}
            return Page(error_page(str(error)), error.status, challenge)
        try:
            made = await _work(request, self._readers, make)
        except RequestError as error:
            return Page(error_page(str(error)), error.status)
        return Page(made) if isinstance(made, str) else Json(made)


async def _work(request: Request, limiter: anyio.CapacityLimiter, function: Callable[..., T], *arguments: Any) -> T:
    """Run a function in a thread, with a budget that ends when the client goes.

    Raises:
        RequestError: The budget is spent, or the function refuses the request.
    """
    budget = Budget()

    def work() -> T:
        with spending(budget):
            return function(*arguments)

    watcher = asyncio.ensure_future(_cancel_when_gone(request, budget))
    try:
        return await anyio.to_thread.run_sync(work, limiter=limiter)
    finally:
        watcher.cancel()


async def _cancel_when_gone(request: Request, budget: Budget) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    budget.cancel()


def _writer_of(request: Request) -> str | None:
    """Return the id of the process that speaks, where several write one run."""
    if request.headers.get(_SHARED) != "true":
        return None
    return checked_writer(request.headers.get(_WRITER) or request.headers.get(_CLIENT))


def _base_url(request: Request) -> str:
    return str(request.base_url).rstrip("/") + prefix_of(request)
