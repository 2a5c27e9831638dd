"""The HTTP server: its sockets, its connections, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import resource
import socket
import sys
from typing import TYPE_CHECKING, Any

import uvicorn

from wandb_carbs.server.connections import Connection
from wandb_carbs.server.errors import Log, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette

    from wandb_carbs.server.tls import Tls

_STOP_TIMEOUT = 5
# An agent beats every 5 s: it keeps its connection.
_KEEP_ALIVE = 15
# Connections that wait in the kernel, and those that are taken at once. asyncio takes as many as it is told before it
# looks at any of them, and logs an error for each that it has no descriptor for.
_WAITING = 2048
_AT_ONCE = 64
_DESCRIPTORS = 65_536
# Seconds after which a thread gives up Python's lock to another. A beat takes the lock a dozen times, and waits this
# long each time while a thread computes; the default is ten times as long.
_SWITCH_INTERVAL = 0.0005
_LOG = Log(__name__)


def configuration(app: Starlette, tls: Tls) -> uvicorn.Config:
    """Return uvicorn's configuration."""
    return uvicorn.Config(
        app,
        http=Connection,
        log_level="error",  # a warning for each malformed request would fill the log
        access_log=False,
        lifespan="off",
        ws="none",
        backlog=_AT_ONCE,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_STOP_TIMEOUT,
        server_header=False,
        **tls.options(),
    )


def take_process() -> None:
    """Set up a process that does nothing but serve: as many connections as it may have, and threads that take turns."""
    sys.setswitchinterval(_SWITCH_INTERVAL)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Engine(uvicorn.Server):
    """A server that says when it answers, and lets go of what it holds when it ends."""

    def __init__(self, config: uvicorn.Config, held: contextlib.ExitStack) -> None:
        super().__init__(config)
        self._held = held
        self.on_ready: Callable[[], object] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        asyncio.get_running_loop().set_exception_handler(_log_in_one_line)
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(_WAITING)
        if self.started:
            self.on_ready()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until the end."""
        try:
            super().run(sockets)
        finally:
            self._held.close()


def bind(host: str, port: int) -> socket.socket:
    """Bind an address.

    Raises:
        ServerError: It is taken, or no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol's number asyncio sets TCP_NODELAY; without it every kept-alive request waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_WAITING)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        is_host = isinstance(error, socket.gaierror) or getattr(error, "errno", None) == errno.EADDRNOTAVAIL
        other = "--host" if is_host else "--port"
        raise ServerError(f"cannot listen on {host}:{port}: {reason}; choose another {other}") from error
    return listener


def _log_in_one_line(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what went wrong with a connection, without its stack, and not again and again."""
    _LOG.warn(f"{context['message']}: {context.get('exception')!r}")
