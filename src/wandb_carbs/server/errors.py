"""The errors that a request may meet, and what is said of them."""

from __future__ import annotations

import errno
import logging
import sqlite3
import time

# Longer messages are cut: an error must not send a whole request back.
_MAX_MESSAGE = 1000
_SAME_REASON_AGAIN = 10.0  # seconds until the log repeats a reason
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NOT_NOW = _NO_ROOM | {errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}


class RequestError(ValueError):
    """A request that the server refuses.

    Attributes:
        status: HTTP status of the reply. A 404 says to an agent that its sweep is gone; clients repeat what got a 503.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(shortened(message, _MAX_MESSAGE))
        self.status = status


class UnsupportedError(RequestError):
    """Something that W&B has and this server has not.

    The status is that of any GraphQL error: SDKs up to 0.26 hide the message of a 400 behind the number.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, 200)


class Log:
    """A log that says each reason once in ten seconds, so that a long outage does not fill it."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)
        self._said: dict[str, float] = {}

    def warn(self, reason: str) -> None:
        """Write one line, unless the same line was written just now."""
        now = time.monotonic()
        self._said = {text: moment for text, moment in self._said.items() if now - moment < _SAME_REASON_AGAIN}
        if reason not in self._said:
            self._said[reason] = now
            self._logger.warning("%s", reason)


_LOG = Log(__name__)


def shortened(text: str, length: int) -> str:
    """Return a text of at most this length; the middle of a longer one is left out."""
    if len(text) <= length:
        return text
    half = (length - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"


def outage(error: BaseException | None) -> RequestError | None:
    """Return the refusal (503) for a full disk or a database that is not available, after one line in the log.

    Args:
        error: Any exception; None is returned for one that is no outage.
    """
    if isinstance(error, sqlite3.OperationalError):
        reason = f"the server's database is not available: {error}"
    elif isinstance(error, OSError) and error.errno in _NOT_NOW:
        what = "its disk is full" if error.errno in _NO_ROOM else "its disk or its files are not available"
        reason = f"the server cannot store this, {what}: {error.strerror}"
    else:
        return None
    _LOG.warn(f"503: {reason}")
    return RequestError(f"{reason}; repeat the request later", 503)


class ServerError(RuntimeError):
    """The server cannot start."""
