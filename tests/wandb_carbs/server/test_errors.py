"""The errors that a request may meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wandb_carbs.server.errors import RequestError, shortened

if TYPE_CHECKING:
    pass


def test_long_messages_lose_their_middle() -> None:
    assert shortened("short", 10) == "short"
    assert shortened("a" * 50 + "b" * 50, 25) == "a" * 10 + " ... " + "b" * 10
    assert len(str(RequestError("x" * 10_000))) <= 1000
