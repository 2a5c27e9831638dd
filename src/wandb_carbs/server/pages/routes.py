"""Addresses of the pages, of what their programs ask for, and of their static files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from wandb_carbs.figures.palette import style_sheet
from wandb_carbs.server.pages.beliefs import Beliefs
from wandb_carbs.server.pages.data import PageData
from wandb_carbs.server.pages.render import PALETTE, static_file
from wandb_carbs.server.pages.tables import Query
from wandb_carbs.server.pages.views import Pages
from wandb_carbs.server.prefix import PREFIX, prefix_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from wandb_carbs.server.store.database import Store
    from wandb_carbs.server.store.files import RunFiles

# Answers a visitor who may see the pages with what the function returns: a page's HTML, or a value to be sent as JSON.
Answer = Callable[["Request", Callable[[], Any]], Awaitable[Response]]


# HTML that a run has logged may run its own programs, in a place of its own: it can neither read from this server nor
# from elsewhere, nor leave its frame.
_FRAME_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; frame-ancestors 'self'"
)


def page_routes(store: Store, files: RunFiles, answer: Answer) -> list[Route]:
    """Return the routes.

    Args:
        store: The storage.
        files: The runs' files.
        answer: Checks that the visitor may see the pages, and answers.
    """
    endpoints = _Endpoints(store, files, answer)
    data = "/-/data/{entity}/{project}"
    places = {
        "/-/static/{name}": endpoints.static,
        "/-/frame/{entity}/{project}/{run}/{name:file}": endpoints.frame,
        f"{data}/runs/{{run}}/history": endpoints.history,
        f"{data}/runs/{{run}}/system": endpoints.system,
        f"{data}/runs/{{run}}/console": endpoints.console,
        f"{data}/sweeps/{{sweep}}": endpoints.figures,
        f"{data}/sweeps/{{sweep}}/importance": endpoints.importance,
        f"{data}/sweeps/{{sweep}}/metric": endpoints.metric,
        "/": endpoints.home,
        "/{entity}": endpoints.entity,
        "/{entity}/{project}": endpoints.project,
        "/{entity}/{project}/compare": endpoints.compare,
        "/{entity}/{project}/sweeps/{sweep}": endpoints.sweep,
        "/{entity}/{project}/runs/{run}": endpoints.run,
    }
    return [Route(path, endpoint, methods=["GET"]) for path, endpoint in places.items()]


class _Endpoints:
    def __init__(self, store: Store, files: RunFiles, answer: Answer) -> None:
        shared = store, files, Beliefs()
        self._pages = Pages(*shared)
        self._data = PageData(*shared)
        self._answer = answer

    async def static(self, request: Request) -> Response:
        """Return a program or a style sheet, which hold nothing private."""
        headers = {"Cache-Control": "max-age=300", "X-Content-Type-Options": "nosniff"}
        if request.path_params["name"] == PALETTE:
            return Response(style_sheet(), media_type="text/css", headers=headers)
        path, kind = await run_in_threadpool(static_file, request.path_params["name"])
        return FileResponse(path, media_type=kind, headers=headers)

    async def frame(self, request: Request) -> Response:
        """Return HTML that a run has logged, to be shown in a frame."""
        reply = await self._of(request, self._data.frame, "entity", "project", "run", "name")
        if reply.status_code == 200:
            reply.headers["Content-Security-Policy"] = _FRAME_POLICY
        return reply

    async def history(self, request: Request) -> Response:
        return await self._of(request, self._data.history, "entity", "project", "run")

    async def system(self, request: Request) -> Response:
        return await self._of(request, self._data.system, "entity", "project", "run")

    async def console(self, request: Request) -> Response:
        return await self._of(request, self._data.console, "entity", "project", "run")

    async def figures(self, request: Request) -> Response:
        marked = request.query_params.get("run")
        return await self._of(request, self._data.sweep, "entity", "project", "sweep", marked=marked)

    async def importance(self, request: Request) -> Response:
        return await self._of(request, self._data.importance, "entity", "project", "sweep")

    async def metric(self, request: Request) -> Response:
        key = request.query_params.get("key", "")
        return await self._of(request, self._data.metric, "entity", "project", "sweep", key=key)

    async def home(self, request: Request) -> Response:
        return await self._of(request, self._pages.home)

    async def entity(self, request: Request) -> Response:
        return await self._of(request, self._pages.home, "entity")

    async def project(self, request: Request) -> Response:
        return await self._of(request, self._pages.project, "entity", "project", query=_query(request))

    async def compare(self, request: Request) -> Response:
        names = request.query_params.getlist("run")
        return await self._of(request, self._pages.compare, "entity", "project", names=names)

    async def sweep(self, request: Request) -> Response:
        return await self._of(request, self._pages.sweep, "entity", "project", "sweep", query=_query(request))

    async def run(self, request: Request) -> Response:
        return await self._of(request, self._pages.run, "entity", "project", "run")

    async def _of(self, request: Request, make: Callable[..., Any], *parameters: str, **more: Any) -> Response:
        places = [request.path_params[name] for name in parameters]
        prefix = prefix_of(request)

        def answer() -> Any:
            PREFIX.set(prefix)
            return make(*places, **more)

        return await self._answer(request, answer)


def _query(request: Request) -> Query:
    return Query.of(request.query_params, request.query_params.getlist("column"))
