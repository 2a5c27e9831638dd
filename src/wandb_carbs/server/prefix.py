"""The path below which a proxy shows this server, such as `/sweeps` of `https://cluster.example/sweeps`."""

from __future__ import annotations

import re
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request

# The prefix of the request that is being answered.
PREFIX: ContextVar[str] = ContextVar("prefix", default="")
_HEADER = "x-forwarded-prefix"


def prefix_of(request: Request) -> str:
    """Return the prefix that a proxy has taken off a request's path; empty without a proxy that says so."""
    value = request.headers.get(_HEADER, "").rstrip("/")
    return value if re.fullmatch(r"(/[A-Za-z0-9._~-]{1,100}){1,8}", value) else ""
