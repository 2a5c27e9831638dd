"""Calls to W&B that outlast short outages."""

from __future__ import annotations

import http.client
import logging
import random
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import TypeVar

import wandb

from wandb_carbs.errors import WandbConnectionError

logger = logging.getLogger("wandb_carbs")

# No new attempt is begun later than this many seconds after the first; one attempt takes up to 19 by the SDK's setting.
RETRY_SECONDS = 120.0
# The same where somebody waits for the answer: the SDK's one attempt has its own retries.
INTERACTIVE_SECONDS = 15.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0
# The last question of all, after minutes of trying.
_REFUSAL_SECONDS = 5.0
_RETRIED_STATUS = frozenset({408, 429})
# Names of the SDKs' errors of the connection; they share no base class across versions.
_CONNECTION_ERRORS = ("ConnectionError", "Timeout", "TimeoutError", "ChunkedEncodingError", "TransportServerError")

_OBJECT = re.compile(r"<(?:Sweep|Run|Project) ([^<>()]+?)(?: \([^<>()]*\))?>")

T = TypeVar("T")


def with_retries(what: str, action: Callable[[], T], *, limit: float = RETRY_SECONDS) -> T:
    """Call `action` until it succeeds, as long as it fails for reasons that pass: 429, 5xx, no connection.

    Pauses grow exponentially from half a second to 15 and are jittered over their whole length, so that agents that
    were refused together do not come back together. The SDK retries within each attempt, too.

    Args:
        what: What `action` does, for messages: "read the runs of sweep …".
        action: The call.
        limit: Seconds after which no new attempt is begun.

    Returns:
        What `action` returned.

    Raises:
        WandbConnectionError: If it failed for good.
    """
    start = time.monotonic()
    pause = _FIRST_PAUSE
    attempts = 0
    waiting = threading.Event()
    while True:
        attempts += 1
        try:
            return action()
        except Exception as error:
            elapsed = time.monotonic() - start
            if not is_transient(error):
                raise WandbConnectionError(f"could not {what}: {describe(error)}") from error
            if elapsed + pause > limit:
                last = describe(error) + _refusal(error)
                raise WandbConnectionError(
                    f"could not {what}: {attempts} attempt(s) in {elapsed:.0f} s, at last: {last}"
                ) from error
            logger.info("Could not %s (%s); trying again", what, describe(error))
        waiting.wait(random.uniform(0, pause))  # noqa: S311 - jitter is no secret
        pause = min(2 * pause, _LONGEST_PAUSE)


def is_transient(error: BaseException) -> bool:
    """Return whether an error of the SDK may pass: 429, 5xx, no connection, no answer in time."""
    chain = list(_chain(error))
    for link in chain:
        status = _status(link)
        if status is not None:
            return status in _RETRIED_STATUS or status >= 500
    return any(_is_connection_error(link) for link in chain)


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status with which W&B refused; None if it did not answer."""
    return next((status for link in _chain(error) if (status := _status(link)) is not None), None)


def describe(error: BaseException) -> str:
    """Return an error's first line, with its type where it says too little."""
    if any(_has_no_answer(link) for link in _chain(error)):
        return f"no answer from {wandb.setup().settings.base_url}"  # wandb-core calls itself busy then
    text = str(error).strip().splitlines()
    # "<Sweep team/project/id (Unknown State)>" is how the SDK's objects show themselves.
    return _OBJECT.sub(r"\1", text[0]) if text else type(error).__name__


def _refusal(error: BaseException) -> str:
    """Ask W&B itself for the status that wandb-core keeps back: it tries 429 and 5xx again until its time is over."""
    if not any(_has_no_answer(link) for link in _chain(error)):
        return ""
    request = urllib.request.Request(f"{wandb.setup().settings.base_url}/graphql", b'{"query": "{ __typename }"}')  # noqa: S310 - the user's own address
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=_REFUSAL_SECONDS):  # noqa: S310 - as above
            return ""
    except urllib.error.HTTPError as refusal:
        with refusal:
            # Others are for the lack of a key, which this request does without.
            is_telling = refusal.code in _RETRIED_STATUS or refusal.code >= 500
            return f" in time, but it refuses now: {refusal.code} {refusal.reason}".rstrip() if is_telling else ""
    except (OSError, ValueError, http.client.HTTPException):
        return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Walk the causes of an error; the SDK keeps some under `exc`."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        link = waiting.pop(0)
        if isinstance(link, BaseException) and id(link) not in seen:
            seen.add(id(link))
            yield link
            waiting += [getattr(link, "exc", None), link.__cause__, link.__context__]


def _status(error: BaseException) -> int | None:
    response = getattr(error, "response", None)
    for name in ("status_code", "http_status"):
        status = getattr(response, name, None)
        if isinstance(status, int) and status:
            return status
    return None


def _is_connection_error(error: BaseException) -> bool:
    names = {base.__name__ for base in type(error).__mro__}
    return _has_no_answer(error) or bool(names & set(_CONNECTION_ERRORS))


def _has_no_answer(error: BaseException) -> bool:
    # wandb-core gives no response at all where there was none in time.
    return type(error).__name__ == "WandbApiFailedError" and getattr(error, "response", None) is None
