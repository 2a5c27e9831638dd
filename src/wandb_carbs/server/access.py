"""Who may do what: the API key, the cookie of the pages, and requests that another site makes a browser send."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wandb_carbs.server.errors import RequestError

if TYPE_CHECKING:
    from starlette.requests import Request

    from wandb_carbs.server.keys import Key

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
TOKEN = "token"  # noqa: S105 - the name of a parameter
COOKIE_AGE = 365 * 24 * 3600
_TABLES = {socket.AF_INET: Path("/proc/net/tcp"), socket.AF_INET6: Path("/proc/net/tcp6")}
# A browser sends these without asking the other site first.
_FORM_TYPES = {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data"}


class Access:
    """Lets requests in or refuses them.

    Args:
        key: The API key.
        host: The address that is bound.
    """

    def __init__(self, key: Key, host: str) -> None:
        self._key = key
        self._is_local = host in LOOPBACK

    @property
    def token(self) -> str:
        """The token that the address of the pages carries once, and their cookie from then on."""
        return hmac.new(self._key.value.encode(), b"pages", hashlib.sha256).hexdigest()[:40]

    def check_key(self, request: Request) -> None:
        """Check that a client has the key.

        Raises:
            RequestError: It has not (401).
        """
        check_host(request)
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        key = ""
        if scheme.lower() == "basic":
            try:
                key = base64.b64decode(value, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeError, ValueError):
                key = ""
        elif scheme.lower() == "bearer":
            key = value
        if not _same(key, self._key.value):
            raise RequestError("wrong API key: set WANDB_API_KEY to the key that this server printed at its start", 401)

    def check_page(self, request: Request) -> None:
        """Check that a visitor may see the pages: with the key, with the cookie, or as the user who runs the server.

        Raises:
            RequestError: It may not (401).
        """
        check_host(request)
        if _same(request.cookies.get(self.cookie(request), ""), self.token):
            return
        # Another site may point its own name to this machine; its pages then come under that name.
        if self._is_local and request.url.hostname in LOOPBACK and _is_own_connection(request):
            return
        self.check_key(request)

    def has_token(self, request: Request) -> bool:
        """Tell whether the address carries the token that the server has printed."""
        return _same(request.query_params.get(TOKEN, ""), self.token)

    @staticmethod
    def cookie(request: Request) -> str:
        """Return the cookie's name; browsers keep one jar for all ports of a host."""
        return f"wandb_carbs_{request.url.port or 0}"


def check_host(request: Request) -> None:
    """Check that the `Host` of a request is an address.

    Raises:
        RequestError: It is not (400).
    """
    try:
        _ = request.url.hostname, request.url.port
    except ValueError:
        raise RequestError(f"malformed Host {request.headers.get('host', '')[:100]!r}") from None


def check_origin(request: Request) -> None:
    """Check that no page of another site has sent this: a browser would add the credentials that it remembers.

    Raises:
        RequestError: Another site has sent it (403), or its type is one of a form (415).
    """
    origin = request.headers.get("origin")
    if origin is not None and _host_of(origin) != request.headers.get("host"):
        raise RequestError(f"a page of {origin[:100]!r} may not use this server", 403)
    if request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise RequestError("a page of another site may not use this server", 403)
    kind = _content_type(request)
    if kind in _FORM_TYPES:
        raise RequestError(f"Content-Type {kind!r} is that of a form; send application/json", 415)


def check_json(request: Request) -> None:
    """Check that a request says its body is JSON.

    Raises:
        RequestError: It does not (415).
    """
    kind = _content_type(request)
    if kind != "application/json":
        raise RequestError(f"Content-Type {kind[:100]!r} must be application/json", 415)


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # no address at all
        return None


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _same(text: str, expected: str) -> bool:
    return hmac.compare_digest(text.encode("utf-8", "replace"), expected.encode())


def _is_own_connection(request: Request) -> bool:
    """Tell whether the user who runs this server has made a connection on this machine.

    Linux says in /proc/net/tcp who owns each socket; where it does not, only the key and the cookie count.
    """
    if request.client is None:
        return False
    server = request.scope.get("server") or ("", 0)
    try:
        wanted = [_hexadecimal(request.client.host, request.client.port), _hexadecimal(str(server[0]), int(server[1]))]
        family = socket.AF_INET6 if ":" in request.client.host else socket.AF_INET
        for line in _TABLES[family].read_text(encoding="utf-8").splitlines()[1:]:
            fields = line.split()
            if fields[1:3] == wanted:
                return int(fields[7]) == os.geteuid()
    except (OSError, ValueError, IndexError):
        return False
    return False


def _hexadecimal(host: str, port: int) -> str:
    """Write an address as /proc/net/tcp does: words of four bytes in the machine's order, and the port."""
    packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    words = struct.unpack(f"!{len(packed) // 4}I", packed)
    return struct.pack(f"={len(words)}I", *words).hex().upper() + f":{port:04X}"
