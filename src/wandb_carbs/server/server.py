"""Starting and stopping the server."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import resource
import socket
import sqlite3
import ssl
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from wandb_carbs.server import keys
from wandb_carbs.server.access import LOOPBACK, TOKEN, Access
from wandb_carbs.server.app import create_app
from wandb_carbs.server.connections import Connection
from wandb_carbs.server.errors import Log
from wandb_carbs.server.store import uploads
from wandb_carbs.server.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

_START_TIMEOUT = 30.0
_STOP_TIMEOUT = 5
# An agent beats every 5 s: it keeps its connection.
_KEEP_ALIVE = 15
# Connections that wait in the kernel, and those that are taken at once. asyncio takes as many as it is told before it
# looks at any of them, and logs an error for each that it has no descriptor for.
_WAITING = 2048
_AT_ONCE = 64
_DESCRIPTORS = 65_536
_WILDCARDS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - not bound here
# Files and folders that the server makes in its data folder.
_OWN = ("lock", "api-key", "wandb-carbs.db", "files", "uploads")
_LOG = Log(__name__)


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
        certfile: Certificate chain in PEM format; the server then speaks HTTPS.
        keyfile: The certificate's private key, unless it is in `certfile`.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str | None = None,
        certfile: Path | None = None,
        keyfile: Path | None = None,
    ) -> None:
        self._data_dir = Path(data_dir)
        self._host = host
        self._port = port
        self._given_key = api_key
        self._tls = _Tls(certfile, keyfile)
        self._key: keys.Key | None = None
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None

    @property
    def url(self) -> str:
        """The server's address, without a slash at its end."""
        return _url(self._tls, "127.0.0.1" if self._host == "0.0.0.0" else self._host, self._port)  # noqa: S104

    @property
    def api_key(self) -> str:
        """The key that clients must send; known once the server has started."""
        return "" if self._key is None else self._key.value

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
        listener, server, self._key = _prepare(self._host, self._port, self._data_dir, self._given_key, self._tls)
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
    certfile: Path | None = None,
    keyfile: Path | None = None,
) -> None:
    """Run the server until it is interrupted.

    Once it answers, it prints the two environment variables that point clients to it, and to standard error the
    address of its pages.

    Args:
        host: Address to bind.
        port: Port to bind; 0 picks a free one.
        data_dir: Folder that holds all state; by default `default_data_dir()`.
        api_key: The key that clients must send; by default `$WANDB_CARBS_SERVER_API_KEY`, or else the one kept in the
            folder, made at the first start.
        as_json: Print one line of JSON instead: `address`, `api_key`, `data_dir`, `pages` and `version`.
        certfile: Certificate chain in PEM format; the server then speaks HTTPS.
        keyfile: The certificate's private key, unless it is in `certfile`.

    Raises:
        ServerError: The port is taken, the folder cannot be used, or the key or the certificate is malformed; nothing
            is printed then.
    """
    given = api_key or os.environ.get("WANDB_CARBS_SERVER_API_KEY") or None
    data_dir, tls = data_dir or default_data_dir(), _Tls(certfile, keyfile)
    _raise_descriptors()
    listener, server, key = _prepare(host, port, data_dir, given, tls)
    port = listener.getsockname()[1]
    url = _url(tls, socket.gethostname() if host in _WILDCARDS else host, port)
    pages = f"{url}/?{TOKEN}={Access(key, host).token}"
    text = f"export WANDB_BASE_URL={url}\nexport WANDB_API_KEY={key.value}"
    if as_json:
        facts = {"address": url, "api_key": key.value, "data_dir": str(data_dir.absolute()), "pages": pages}
        text = json.dumps({**facts, "version": version("wandb-carbs")})

    def announce() -> None:
        print(text, flush=True)  # noqa: T201 - its task
        if not as_json:
            print(f"pages: {pages}", file=sys.stderr, flush=True)  # noqa: T201 - likewise
        if host not in LOOPBACK and not tls.certfile:
            print(  # noqa: T201 - likewise
                f"warning: other machines reach this server at {host}:{port} without encryption: whoever sees the "
                "traffic sees the key. Use --certfile and --keyfile, or a network that you trust.",
                file=sys.stderr,
                flush=True,
            )

    server.on_ready = announce
    with contextlib.suppress(KeyboardInterrupt):
        server.run([listener])


def rotate_key(data_dir: Path | None = None) -> str:
    """Give the server of a data folder a new API key, and return it; a running server takes it at once.

    The old key, the addresses of files that were signed with it, and the cookies of the pages end.

    Args:
        data_dir: The folder; by default `default_data_dir()`.

    Raises:
        ServerError: There is no such folder, or it cannot be written to.
    """
    path = (data_dir or default_data_dir()) / "api-key"
    try:
        return keys.rotate(path)
    except OSError as error:
        raise ServerError(f"cannot make a new key in {path.parent}: {error}") from error


def stored_key(data_dir: Path | None = None) -> str:
    """Return the API key of the server of a data folder.

    Args:
        data_dir: The folder; by default `default_data_dir()`.

    Raises:
        ServerError: There is none.
    """
    path = (data_dir or default_data_dir()) / "api-key"
    try:
        return path.read_text().strip()
    except OSError as error:
        raise ServerError(f"there is no key in {path.parent}: {error}; start a server there first") from error


def default_data_dir() -> Path:
    """Return the folder that holds the server's state when none is named: `$XDG_DATA_HOME/wandb-carbs`."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "wandb-carbs"


class _Tls:
    """The files of a certificate.

    Args:
        certfile: Certificate chain, or None for plain HTTP.
        keyfile: Private key, or None if it is in `certfile`.
    """

    def __init__(self, certfile: Path | None, keyfile: Path | None) -> None:
        if keyfile is not None and certfile is None:
            raise ServerError(f"--keyfile {keyfile} needs --certfile, the certificate that belongs to the key")
        self.certfile = certfile
        self.keyfile = keyfile

    def check(self) -> None:
        """Check the files.

        Raises:
            ServerError: They are missing, or do not belong together.
        """
        if self.certfile is not None:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certfile, self.keyfile)
            except (OSError, ssl.SSLError) as error:
                both = f"--certfile {self.certfile}" + (f", --keyfile {self.keyfile}" if self.keyfile else "")
                raise ServerError(f"cannot use {both}: {error}") from error

    def options(self) -> dict[str, Any]:
        """Return uvicorn's options."""
        return {} if self.certfile is None else {"ssl_certfile": self.certfile, "ssl_keyfile": self.keyfile}


def _url(tls: _Tls, host: str, port: int) -> str:
    host = {"::": "::1", "": "127.0.0.1"}.get(host, host)  # a wildcard address is no address to connect to
    return f"{'https' if tls.certfile else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def _prepare(
    host: str, port: int, data_dir: Path, api_key: str | None, tls: _Tls
) -> tuple[socket.socket, _Server, keys.Key]:
    """Bind the port, then take the folder and open the storage."""
    tls.check()
    listener = _bind(host, port)
    held = contextlib.ExitStack()
    held.callback(listener.close)
    try:
        _make_private(data_dir)
        held.callback(os.close, _lock(data_dir / "lock"))
        key = keys.Key(data_dir / "api-key", api_key)
        uploads.sweep(data_dir / "uploads")
        store = Store(data_dir / "wandb-carbs.db")
    except (OSError, ValueError, sqlite3.Error) as error:
        held.close()
        raise ServerError(f"cannot keep the server's data in {data_dir}: {error}") from error
    app = create_app(store, key=key, files_dir=data_dir / "files", host=host)
    config = uvicorn.Config(
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
    held.callback(store.close)
    return listener, _Server(config, held), key


def _make_private(folder: Path) -> None:
    """Make the data folder, or take one that is there, so that only its owner can read it.

    A folder that holds other things than the server's own keeps its mode: others may need them. Everything in it that
    is the server's is private by itself.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if all(path.name.startswith(_OWN) for path in folder.iterdir()):
        folder.chmod(0o700)
    files = folder / "files"
    files.mkdir(mode=0o700, exist_ok=True)
    files.chmod(0o700)


def _raise_descriptors() -> None:
    """Allow this process as many open connections as the system lets it have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Server(uvicorn.Server):
    """A server that says when it answers, and lets go of what it holds when it ends."""

    def __init__(self, config: uvicorn.Config, held: contextlib.ExitStack) -> None:
        super().__init__(config)
        self._held = held
        self.on_ready: Callable[[], object] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(_log_in_one_line)
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(_WAITING)
        if self.started:
            self.on_ready()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            super().run(sockets)
        finally:
            self._held.close()


def _bind(host: str, port: int) -> socket.socket:
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


def _log_in_one_line(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what went wrong with a connection, without its stack, and not again and again."""
    _LOG.warn(f"{context['message']}: {context.get('exception')!r}")
