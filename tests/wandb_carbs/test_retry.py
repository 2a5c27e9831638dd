"""Calls that outlast short outages."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from wandb_carbs import retry
from wandb_carbs.errors import WandbConnectionError
from wandb_carbs.retry import describe, is_transient, status_of, with_retries


class RefusalError(Exception):
    """An error with a reply, as the SDK's have them."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}\nand more")
        self.response = SimpleNamespace(status_code=status)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the pauses take no time; return them."""
    made: list[float] = []
    event = SimpleNamespace(wait=made.append)
    monkeypatch.setattr(retry, "threading", SimpleNamespace(Event=lambda: event))
    return made


def failing(*errors: Exception) -> Any:
    """Return a call that raises these errors, one after the other, and then returns "done"."""
    left = list(errors)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return call


def test_what_passes_is_tried_again(pauses: list[float]) -> None:
    assert with_retries("ask", failing(RefusalError(503), RefusalError(429), ConnectionError("reset"))) == "done"
    assert len(pauses) == 3
    assert all(0 <= pause <= longest for pause, longest in zip(pauses, (0.5, 1.0, 2.0), strict=True))


@pytest.mark.parametrize("error", [RefusalError(404), RefusalError(401), ValueError("a bug")])
def test_what_does_not_pass_is_an_error_at_once(error: Exception, pauses: list[float]) -> None:
    with pytest.raises(WandbConnectionError, match=r"could not ask: (status|a bug)"):
        with_retries("ask", failing(error))
    assert pauses == []


def test_end_of_the_time_is_an_error_that_says_the_last_one() -> None:
    with pytest.raises(WandbConnectionError, match=r"could not ask: 1 attempt\(s\) in 0 s, at last: status 503$"):
        with_retries("ask", failing(RefusalError(503)), limit=0)


def test_causes_are_looked_through() -> None:
    """The SDK wraps what the network said, as a cause or under `exc`."""
    outer = RuntimeError("outer")
    outer.__cause__ = RefusalError(502)
    wrapped = RuntimeError("wrapped")
    wrapped.exc = RefusalError(404)  # type: ignore[attr-defined]
    assert (is_transient(outer), status_of(outer)) == (True, 502)
    assert (is_transient(wrapped), status_of(wrapped)) == (False, 404)
    assert (is_transient(RuntimeError("a bug")), status_of(RuntimeError("a bug"))) == (False, None)


def test_first_line_describes_an_error_without_the_sdk_s_objects() -> None:
    assert describe(RefusalError(500)) == "status 500"
    assert describe(RuntimeError()) == "RuntimeError"
    assert describe(RuntimeError("no <Sweep team/p/s (Unknown State)>")) == "no team/p/s"
