"""How much one request may cost: its size, its time, and the size of its reply."""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from typing import TYPE_CHECKING

from wandb_carbs.server.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

MEBIBYTE = 1 << 20
# W&B's own limits of a config, a summary and a step of the history are 10 to 25 MB.
MAX_BODY = 32 * MEBIBYTE
# The bodies of all requests together, so that many large ones at once do not exhaust the memory.
MAX_BODIES = 256 * MEBIBYTE
# Objects and lists in a body: each takes 20 times its text in memory. 32 MB of history lines have 0.7 million.
MAX_CONTAINERS = 2_000_000
# The largest object of one PUT in S3, which W&B's clients upload to.
MAX_UPLOAD = 5120 * MEBIBYTE
# The manifest of an artifact of half a million files.
MAX_MANIFEST = 64 * MEBIBYTE
# A config, a summary or a history line of W&B is a few levels deep; readers recurse.
MAX_JSON_DEPTH = 100
# Ten times the largest query of the SDKs (13 kB, 900 tokens).
MAX_QUERY_LENGTH = 128_000
MAX_QUERY_TOKENS = 10_000
# A page of 50,000 whole runs has 1.3 million values.
_MAX_VALUES = 2_000_000
_MAX_CHARACTERS = 256 * MEBIBYTE
# Clients give up after 20 to 60 seconds.
_MAX_SECONDS = 30.0


class Budget:
    """The rest of what one request may cost; whoever works for it asks now and then whether to go on.

    Attributes:
        values: How many values the reply may still have.
        characters: How many characters of text the reply may still have.
    """

    def __init__(self, seconds: float = _MAX_SECONDS) -> None:
        self.values = _MAX_VALUES
        self.characters = _MAX_CHARACTERS
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._gone = threading.Event()

    def start(self) -> None:
        """Begin to count the time: waiting for a turn is not the request's fault."""
        self._end = time.monotonic() + self._seconds

    def cancel(self) -> None:
        """Note that the client has gone, so that nobody needs the reply."""
        self._gone.set()

    def is_spent(self) -> bool:
        """Tell whether the work must end."""
        return self._gone.is_set() or time.monotonic() > self._end

    def check(self) -> None:
        """Return while the work may go on.

        Raises:
            RequestError: The client has gone, or the time, the values or the characters are used up.
        """
        if self._gone.is_set():
            raise RequestError("the client has gone", 499)
        if self.values < 0 or self.characters < 0:
            raise RequestError(
                f"the reply would have more than {_MAX_VALUES} values or {_MAX_CHARACTERS} characters: "
                "ask for fewer fields, or for a page of fewer runs (first, per_page)",
                413,
            )
        if time.monotonic() > self._end:
            raise RequestError(
                f"the request took more than {self._seconds:g} s: ask for fewer fields or runs, or a simpler filter",
                503,
            )


_CURRENT: contextvars.ContextVar[Budget | None] = contextvars.ContextVar("budget", default=None)


def current_budget() -> Budget | None:
    """Return the budget of the request that this thread works for, if any."""
    return _CURRENT.get()


def check_budget() -> None:
    """Return while the request that this thread works for may go on; always without a request.

    Raises:
        RequestError: Its budget is spent.
    """
    budget = current_budget()
    if budget is not None:
        budget.check()


@contextlib.contextmanager
def spending(budget: Budget) -> Iterator[Budget]:
    """Work for a request, whose time begins now.

    Raises:
        RequestError: The client has gone already.
    """
    token = _CURRENT.set(budget)
    try:
        budget.start()
        budget.check()
        yield budget
    finally:
        _CURRENT.reset(token)


def json_depth(tree: object) -> int:
    """Return how many levels of objects and lists a JSON value has."""
    depth, level = 0, [tree]
    while level := [value for value in level if isinstance(value, (dict, list))]:
        depth += 1
        level = [item for value in level for item in (value.values() if isinstance(value, dict) else value)]
    return depth
