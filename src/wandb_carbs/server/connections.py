"""Connections that are idle, slow or too many are closed, so that they do not keep others out."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

# Seconds between two looks at a connection.
_INTERVAL = 5.0
# Seconds until the whole head of a request must be there. Clients send it at once.
_HEAD_TIMEOUT = 15.0
# Seconds without a byte of a body, or of a reply that the client takes: twice the longest pause of TCP before it gives
# up a lost packet's fourth repetition.
_STALL_TIMEOUT = 30.0
# Bytes a second that a body must bring after the first minute; a modem brings 5,000.
_LEAST_RATE = 200.0
_RATE_GRACE = 60.0
# Descriptors that are left for files and the database.
_SPARE_DESCRIPTORS = 200
_MOST_CONNECTIONS = 10_000


def most_connections() -> int:
    """Return how many connections this process can hold."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    return max(min(limit - _SPARE_DESCRIPTORS, _MOST_CONNECTIONS), limit // 2)


class Connection(H11Protocol):
    """An HTTP connection that is closed when its client keeps it waiting."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._most = most_connections()
        self.since = 0.0  # when the client was waited for
        self._moved = 0.0
        self._received = 0
        self._unsent = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, in place of the one that has been idle longest if there are too many."""
        super().connection_made(transport)
        self.since = self._moved = self.loop.time()
        self._timer = self.loop.call_later(_INTERVAL, self._look)
        if len(self.connections) > self._most:
            open_ones = [other for other in self.connections if not other.transport.is_closing()]
            idle = [other for other in open_ones if isinstance(other, Connection) and other.is_idle()]
            if len(open_ones) > self._most:
                min(idle, key=lambda other: other.since, default=self).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        if self.is_idle() and not self._received:
            self.since = self.loop.time()
        self._received += len(data)
        self._moved = self.loop.time()
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        self.since, self._received = self.loop.time(), 0
        super().on_response_complete()

    def is_idle(self) -> bool:
        """Tell whether no request is under way."""
        return self.cycle is None or self.cycle.response_complete

    def _look(self) -> None:
        if self.transport.is_closing():
            return
        if self._is_stuck(self.loop.time()):
            self.transport.abort()
        else:
            self._timer = self.loop.call_later(_INTERVAL, self._look)

    def _is_stuck(self, now: float) -> bool:
        if self.is_idle():
            return now - self.since > _HEAD_TIMEOUT
        if self.conn.their_state is h11.SEND_BODY:
            if self.cycle.body:  # the server is slow
                self._moved = now
                return False
            age = now - self.since
            return now - self._moved > _STALL_TIMEOUT or (age > _RATE_GRACE and self._received < age * _LEAST_RATE)
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0 or unsent != self._unsent:
            self._unsent, self._moved = unsent, now
        return now - self._moved > _STALL_TIMEOUT
