"""Starting and stopping the server."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import socket
import sqlite3
import threading
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from wandb_carbs.server.app import create_app
from wandb_carbs.server.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

# W&B's clients want at least 40 characters, old ones exactly 40.
_KEY_LENGTH = 40
_START_TIMEOUT = 30.0
_STOP_TIMEOUT = 5


class ServerError(RuntimeError):
    """The server cannot start."""


class LocalServer:
    """A server in a thread of this process.

    Examples:
        with LocalServer(data_dir=Path("sweeps")) as server:
            os.environ.update(server.env())

    Args:
        data_dir: Folder that holds all state; made when missing.
        host: Address to bind.
        port: Port to bind; 0 picks a free one.
        api_key: The key that clients must send; by default the one kept in the folder, made at the first start.
    """

    def __init__(self, data_dir: Path, *, host: str = "127.0.0.1", port: int = 0, api_key: str | None = None) -> None:
        self._data_dir = Path(data_dir)
        self._host = host
        self._port = port
        self._given_key = api_key
        self._api_key = ""
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None

    @property
    def url(self) -> str:
        """The server's address, without a slash at its end."""
        return _url(self._host, self._port)

    @property
    def api_key(self) -> str:
        """The key that clients must send; known once the server has started."""
        return self._api_key

    def env(self) -> dict[str, str]:
        """Return the environment variables that point the W&B SDK to this server."""
        return {"WANDB_BASE_URL": self.url, "WANDB_API_KEY": self.api_key}

    def start(self) -> None:
        """Start the server and return once it answers.

        Raises:
            ServerError: The port is taken, the folder cannot be used, or the key is malformed.
        """
        if self._thread is not None:
            raise ServerError(f"the server at {self.url} is already running")
        listener, server, self._api_key = _prepare(self._host, self._port, self._data_dir, self._given_key)
        self._port = listener.getsockname()[1]
        self._server = server
        self._thread = threading.Thread(target=server.run, args=([listener],), name="wandb-carbs-server", daemon=True)
        self._thread.start()
        waiting = threading.Event()
        for _ in range(int(_START_TIMEOUT / 0.01)):
            if server.started:
                return
            if not self._thread.is_alive():
                break
            waiting.wait(0.01)
        self.stop()
        raise ServerError(f"the server at {self.url} did not start")

    def stop(self) -> None:
        """Stop the server; it may be started again, at the same port."""
        if self._thread is not None and self._server is not None:
            self._server.should_exit = True
            self._thread.join()
        self._thread = self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(
    host: str = "127.0.0.1",
    port: int = 8080,
    data_dir: Path | None = None,
    *,
    api_key: str | None = None,
    as_json: bool = False,
) -> None:
    """Run the server until it is interrupted.

    Once it answers, it prints the two environment variables that point clients to it.

    Args:
        host: Address to bind.
        port: Port to bind; 0 picks a free one.
        data_dir: Folder that holds all state; by default `default_data_dir()`.
        api_key: The key that clients must send; by default `$WANDB_CARBS_SERVER_API_KEY`, or else the one kept in the
            folder, made at the first start.
        as_json: Print one line of JSON instead: `address`, `api_key`, `data_dir` and `version`.

    Raises:
        ServerError: The port is taken, the folder cannot be used, or the key is malformed; nothing is printed then.
    """
    given = api_key or os.environ.get("WANDB_CARBS_SERVER_API_KEY") or None
    data_dir = data_dir or default_data_dir()
    listener, server, api_key = _prepare(host, port, data_dir, given)
    url = _url(host, listener.getsockname()[1])
    text = f"export WANDB_BASE_URL={url}\nexport WANDB_API_KEY={api_key}"
    if as_json:
        facts = {"address": url, "api_key": api_key, "data_dir": str(data_dir.absolute())}
        text = json.dumps({**facts, "version": version("wandb-carbs")})
    server.on_ready = lambda: print(text, flush=True)  # noqa: T201 - its task
    with contextlib.suppress(KeyboardInterrupt):
        server.run([listener])


def default_data_dir() -> Path:
    """Return the folder that holds the server's state when none is named: `$XDG_DATA_HOME/wandb-carbs`."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "wandb-carbs"


def _url(host: str, port: int) -> str:
    # A wildcard address is no address to connect to.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _prepare(host: str, port: int, data_dir: Path, api_key: str | None) -> tuple[socket.socket, _Server, str]:
    """Bind the port, then take the folder and open the storage."""
    listener = _bind(host, port)
    held = contextlib.ExitStack()
    held.callback(listener.close)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        held.callback(os.close, _lock(data_dir / "lock"))
        key = _checked_key(api_key) if api_key is not None else _stored_key(data_dir / "api-key")
        store = Store(data_dir / "wandb-carbs.db")
    except (OSError, ValueError, sqlite3.Error) as error:
        held.close()
        raise ServerError(f"cannot keep the server's data in {data_dir}: {error}") from error
    app = create_app(store, api_key=key, files_dir=data_dir / "files", host=host)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=_STOP_TIMEOUT,
        server_header=False,
    )
    held.callback(store.close)
    return listener, _Server(config, held), key


class _Server(uvicorn.Server):
    """A server that tells when it answers, and lets go of what it holds when it ends."""

    def __init__(self, config: uvicorn.Config, held: contextlib.ExitStack) -> None:
        super().__init__(config)
        self._held = held
        self.on_ready: Callable[[], object] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_ready()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            super().run(sockets)
        finally:
            self._held.close()


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise ServerError(f"cannot listen on {host}:{port}: {reason}; choose another --port") from error
    return listener


def _lock(path: Path) -> int:
    """Lock a file until it is closed, if only by the end of the process; return its descriptor.

    Raises:
        OSError: Another server holds it, or the file cannot be opened.
    """
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise OSError("another server is using it; stop that one, or choose another --data-dir") from None
    return handle


def _checked_key(key: str) -> str:
    if len(key) != _KEY_LENGTH or not key.isascii() or not key.isalnum():
        raise ValueError(f"an API key has {_KEY_LENGTH} letters and digits, not {len(key)} characters")
    return key


def _stored_key(path: Path) -> str:
    """Return the folder's key, made at the first start and readable by its owner only."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return _checked_key(path.read_text().strip())
    with os.fdopen(handle, "w") as file:
        key = secrets.token_hex(_KEY_LENGTH // 2)
        file.write(key + "\n")
        return key
