"""The error that a client's request may earn."""

from __future__ import annotations


class RequestError(ValueError):
    """A request that the server refuses, with the HTTP status that tells why.

    Attributes:
        status: HTTP status of the reply, 4xx. A 404 tells an agent that its sweep is gone.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
