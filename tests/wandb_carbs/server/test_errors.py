"""The errors that a request may meet."""

from __future__ import annotations

import errno
import sqlite3

import pytest

from wandb_carbs.server.errors import Log, RequestError, outage, shortened


def test_long_messages_lose_their_middle() -> None:
    assert shortened("short", 10) == "short"
    assert shortened("a" * 50 + "b" * 50, 25) == "a" * 10 + " ... " + "b" * 10
    assert len(str(RequestError("x" * 10_000))) <= 1000


def test_outage_is_told_from_a_fault() -> None:
    for error in (
        sqlite3.OperationalError("database is locked"),
        OSError(errno.ENOSPC, "full"),
        OSError(errno.EIO, "io"),
    ):
        refusal = outage(error)
        assert refusal is not None
        assert refusal.status == 503
        assert "repeat the request later" in str(refusal)
    for other in (None, ValueError("x"), OSError(errno.ENOENT, "none"), sqlite3.IntegrityError("x")):
        assert outage(other) is None


def test_log_says_a_reason_once_for_a_while(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("wandb_carbs.server.errors.time.monotonic", lambda: now)
    outages = Log("test")
    for reason in ("a", "a", "b", "a"):
        outages.warn(reason)
    now += 11
    outages.warn("a")
    assert [record.getMessage() for record in caplog.records] == ["a", "b", "a"]
