"""Time by W&B's clock."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

from wandb_carbs.record import STALE_SECONDS, RunRecord

_utc = timezone.utc
# The wrong time zone is the largest error of a clock that is set at all.
_MAX_CLOCK_ERROR = timedelta(days=1)
_TIMESTAMP = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)[T ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?", re.IGNORECASE
)


def parse_timestamp(text: Any) -> datetime | None:
    """Read an ISO-8601 time of any common variant; without a zone it is taken as UTC.

    Returns:
        The time in UTC, or None if `text` is no time.
    """
    match = _TIMESTAMP.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        time = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), microsecond, _utc)
        offset = timedelta()
        if zone and zone not in "Zz":
            digits = zone[1:].replace(":", "").ljust(4, "0")
            offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if zone[0] == "-" else 1)
        return time - offset
    except (ValueError, OverflowError):
        return None


def server_time(
    records: Iterable[RunRecord], machine_time: datetime, just_heard_of: RunRecord | None = None
) -> datetime:
    """Return the time by W&B's clock, by which staleness is judged: this machine's may be wrong.

    It is the time of a run that W&B has just heard of. Without one, it is the latest time that W&B put on a run which
    it takes for alive.

    Args:
        records: Runs; a time far from this machine's clock is no time that W&B put on a run now.
        machine_time: The time by this machine's clock, taken if nothing else is known.
        just_heard_of: A run that W&B heard of within the last half minute, such as the agent's own. Do not give one
            that is started again: W&B's time of it may be from before it was interrupted.
    """
    if just_heard_of is not None and just_heard_of.last_seen is not None:
        return just_heard_of.last_seen
    times = (record.last_seen for record in records if not record.has_ended)
    return max((t for t in times if t is not None and abs(t - machine_time) < _MAX_CLOCK_ERROR), default=machine_time)


def time_of_ages(records: Iterable[RunRecord], machine_time: datetime) -> datetime:
    """Return the time from which to count how long ago something was, as the user sees it.

    `server_time` may lag: a process that died without a word is taken for alive until W&B misses its heartbeats. As
    long as the lag explains the difference, this machine's clock is believed.

    Args:
        records: Runs.
        machine_time: The time by this machine's clock.
    """
    known = server_time(records, machine_time)
    return machine_time if timedelta() <= machine_time - known <= timedelta(seconds=STALE_SECONDS) else known
