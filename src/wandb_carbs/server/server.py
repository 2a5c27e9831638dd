"""Starting and stopping the server."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from wandb_carbs.server import keys
from wandb_carbs.server.access import LOOPBACK, TOKEN, Access
from wandb_carbs.server.app import create_app
from wandb_carbs.server.data_folder import lock, make_private
from wandb_carbs.server.engine import Engine, bind, configuration, take_process
from wandb_carbs.server.errors import ServerError
from wandb_carbs.server.store import uploads
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.tls import Tls

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_START_TIMEOUT = 30.0
_WILDCARDS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - not bound here


class LocalServer:
    """A server in a thread of this process.

    Examples:
        >>> with LocalServer(data_dir=Path("sweeps")) as server:
        ...     os.environ.update(server.env())

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
        self._tls = Tls(certfile, keyfile)
        self._key: keys.Key | None = None
        self._thread: threading.Thread | None = None
        self._server: Engine | None = None

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
    data_dir, tls = data_dir or default_data_dir(), Tls(certfile, keyfile)
    take_process()
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
            words = f"Open {pages}\nCtrl-C stops the server." if sys.stderr.isatty() else f"pages: {pages}"
            print(words, file=sys.stderr, flush=True)  # noqa: T201 - likewise
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
        ServerError: The folder does not exist, or it cannot be written to.
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
        ServerError: The folder has no key yet.
    """
    path = (data_dir or default_data_dir()) / "api-key"
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ServerError(
            f"there is no key in {path.parent}: {error.strerror or error}; start a server there first"
        ) from error


def default_data_dir() -> Path:
    """Return the folder that holds the server's state when none is named: `$XDG_DATA_HOME/wandb-carbs`."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "wandb-carbs"


def _url(tls: Tls, host: str, port: int) -> str:
    host = {"::": "::1", "": "127.0.0.1"}.get(host, host)  # a wildcard address is no address to connect to
    return f"{'https' if tls.certfile else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def _prepare(
    host: str, port: int, data_dir: Path, api_key: str | None, tls: Tls
) -> tuple[socket.socket, Engine, keys.Key]:
    """Bind the port, then take the folder and open the storage."""
    tls.check()
    listener = bind(host, port)
    held = contextlib.ExitStack()
    held.callback(listener.close)
    try:
        make_private(data_dir)
        held.callback(os.close, lock(data_dir / "lock"))
        key = keys.Key(data_dir / "api-key", api_key)
        uploads.sweep(data_dir / "uploads")
        store = Store(data_dir / "wandb-carbs.db")
    except (OSError, ValueError, sqlite3.Error) as error:
        held.close()
        raise ServerError(f"cannot keep the server's data in {data_dir}: {error}") from error
    app = create_app(store, key=key, files_dir=data_dir / "files", host=host)
    held.callback(store.close)
    return listener, Engine(configuration(app, tls), held), key
