"""A number of a run as a `Reading` says: from its summary, or from its history where the summary does not say it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from wandb_carbs import metrics
from wandb_carbs.plain import is_number
from wandb_carbs.record import BEFORE_KEY, RunRecord
from wandb_carbs.retry import RETRY_SECONDS, with_retries
from wandb_carbs.sweep.reading import BEST, LAST, Reading

# Points of a metric in one request.
_PAGE = 10_000


def read_number(reading: Reading, record: RunRecord, *, maximize: bool, limit: float = RETRY_SECONDS) -> float | None:
    """Read a number of a run; NaN and infinities are numbers here, since a run may have ended so.

    Args:
        reading: The metric, and which of its values counts.
        record: The run.
        maximize: Whether more of the metric is better.
        limit: Seconds after which no new attempt to read the history is begun.

    Returns:
        The number, or None.

    Raises:
        WandbConnectionError: If the history is needed, and cannot be read.
    """
    in_summary = metrics.number_of(record.summary, reading.name, maximize=maximize)
    is_said = in_summary is not None and metrics.says_end(record.summary, reading.name, maximize=maximize)
    if reading.how == LAST and is_said:
        return in_summary
    # A second wandb.init() of the program, or its define_metric(), may have kept the value out of the summary.
    rows = with_retries(f"read the history of run {record.name}", lambda: _rows(record, reading.name), limit=limit)
    logged = [metrics.to_float(row.get(reading.name)) for row in rows]
    numbers = [number for number in logged if number is not None]
    if not numbers:  # the program may have put it into the summary only
        return in_summary
    if reading.how == BEST:
        finite = [number for number in numbers if math.isfinite(number)]
        return (max(finite) if maximize else min(finite)) if finite else numbers[-1]
    kept = numbers[-reading.count :]
    return math.fsum(kept) / len(kept) if all(map(math.isfinite, kept)) else sum(kept)


def _rows(record: RunRecord, name: str) -> list[Mapping[str, Any]]:
    """Read the points of a metric that belong to the training that has ended.

    A run that was started again holds points of the time before, too. They belong to it if it went on where it was:
    then its steps go on, else they begin anew.
    """
    rows: list[Mapping[str, Any]] = list(record.source.scan_history([name, "_step", "_timestamp"], _PAGE))
    before: Any = record.summary.get(BEFORE_KEY)
    if not is_number(before):
        return rows

    def is_old(row: Mapping[str, Any]) -> bool:
        time: Any = row.get("_timestamp")
        return is_number(time) and time <= before

    old, new = [row for row in rows if is_old(row)], [row for row in rows if not is_old(row)]
    goes_on = bool(old and new) and _step(new[0]) > _step(old[-1])
    return rows if goes_on else new


def _step(row: Mapping[str, Any]) -> float:
    step: Any = row.get("_step")
    return float(step) if is_number(step) else -1.0
