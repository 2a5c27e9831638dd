"""A number of a run as a `Reading` says: from its summary, or from its history where the summary does not say it."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    if reading.how == LAST and metrics.says_number(record.summary, reading.name, maximize=maximize):
        return in_summary
    reading = _as_kept(reading, record, maximize=maximize)
    # A second wandb.init() of the program, or its define_metric(), may have kept the value out of the summary.
    rows = with_retries(f"read the history of run {record.name}", lambda: _rows(record, reading.name), limit=limit)
    numbers = [number for _, number in _numbers(rows, reading.name)]
    # The program may have put it into the summary only.
    return _counted(reading, numbers, maximize=maximize) if numbers else in_summary


@dataclass(frozen=True)
class Passed:
    """A row of a run's history in which there is the objective.

    Attributes:
        objective: The objective as it would count if the run had ended here; it need not be finite.
        cost: The cost likewise; None if it was not logged yet, or is no metric.
    """

    objective: float
    cost: float | None


@dataclass(frozen=True)
class Course:
    """The values that a metric has had in the rows of the objective.

    Attributes:
        times: When it had each of them the last time, in seconds; NaN where that is not known.
        is_repeated: Whether this start of the run has two rows with one value.
        goes_back: Whether a value is less than one before it, in this start of the run.
    """

    times: Mapping[float, float]
    is_repeated: bool = False
    goes_back: bool = False


class LoggedWay:
    """The places that a run has passed through, by a metric that it logs in the same rows as the objective.

    Args:
        record: The run.
        metric: The metric that says how far it was.
        objective: How its objective is read.
        cost: How its cost is read; None if it is no metric.
        maximize: Whether more of the objective is better.
        limit: Seconds after which no new attempt to read is begun.

    Attributes:
        course: The values of the metric.

    Raises:
        WandbConnectionError: If the history cannot be read.
    """

    def __init__(
        self,
        record: RunRecord,
        metric: str,
        objective: Reading,
        cost: Reading | None,
        *,
        maximize: bool,
        limit: float = RETRY_SECONDS,
    ) -> None:
        def read(*names: str) -> list[Mapping[str, Any]]:
            return with_retries(f"read the history of run {record.name}", lambda: _rows(record, *names), limit=limit)

        objective, cost = (
            _as_kept(objective, record, maximize=maximize),
            cost and _as_kept(cost, record, maximize=False),
        )
        rows = [row for row in read(objective.name, metric) if metrics.to_float(row.get(objective.name)) is not None]
        values = _numbers(rows, metric)
        self._rows = {value: rows[place] for place, value in values}
        self.course = self._course([value for place, value in values if not _is_old(rows[place], record)])
        own = rows if objective.how == LAST or not rows else read(objective.name)
        self._objectives = _Series(objective, own, maximize=maximize)
        self._costs = _Series(cost, read(cost.name), maximize=False) if cost is not None and rows else None

    def _course(self, values: Sequence[float]) -> Course:
        """Describe the values of the metric; `values` are those of this start of the run, in order."""
        times: dict[float, Any] = {value: row.get("_timestamp") for value, row in self._rows.items()}
        return Course(
            {value: float(time) if is_number(time) else math.nan for value, time in times.items()},
            is_repeated=len(set(values)) < len(values),
            goes_back=any(after < before for before, after in itertools.pairwise(values)),
        )

    def at(self, value: float) -> Passed:
        """Return the last row with a value of the metric.

        Args:
            value: One of those of `course`.
        """
        row = self._rows[value]
        objective = self._objectives.at(row)
        assert objective is not None  # the row holds it
        return Passed(objective, None if self._costs is None else self._costs.at(row))


class _Series:
    """The values of a metric, and what they come to at each step."""

    def __init__(self, reading: Reading, rows: Sequence[Mapping[str, Any]], *, maximize: bool) -> None:
        numbers = _numbers(rows, reading.name)
        self._steps = [_step(rows[place]) for place, _ in numbers]
        self._values = [number for _, number in numbers]
        self._reading = reading
        self._maximize = maximize

    def at(self, row: Mapping[str, Any]) -> float | None:
        """Return what the values up to a row come to; None if there is no value."""
        seen = self._values[: bisect.bisect_right(self._steps, _step(row))]
        return _counted(self._reading, seen, maximize=self._maximize) if seen else None


def _as_kept(reading: Reading, record: RunRecord, *, maximize: bool) -> Reading:
    """Return how a metric counts at each step, where the last value is that of the summary, which may keep the best."""
    says_best = reading.how == LAST and metrics.says_best(record.summary, reading.name, maximize=maximize)
    return Reading(reading.name, BEST) if says_best else reading


def _counted(reading: Reading, numbers: Sequence[float], *, maximize: bool) -> float:
    """Return what the values of a metric so far, at least one, come to."""
    if reading.how == BEST:
        finite = [number for number in numbers if math.isfinite(number)]
        return (max(finite) if maximize else min(finite)) if finite else numbers[-1]
    kept = numbers[-reading.count :]
    return math.fsum(kept) / len(kept) if all(map(math.isfinite, kept)) else sum(kept)


def _numbers(rows: Sequence[Mapping[str, Any]], name: str) -> list[tuple[int, float]]:
    """Return the places of the rows that hold a number of this name, and the numbers."""
    found = [(place, metrics.to_float(row.get(name))) for place, row in enumerate(rows)]
    return [(place, number) for place, number in found if number is not None]


def _rows(record: RunRecord, *names: str) -> list[Mapping[str, Any]]:
    """Read the points of metrics that belong to the training that has ended: those that hold all of them.

    A run that was started again holds points of the time before, too. They belong to it if it went on where it was:
    then its steps go on, else they begin anew.
    """
    keys = list(dict.fromkeys([*names, "_step", "_timestamp"]))
    rows: list[Mapping[str, Any]] = list(record.source.scan_history(keys, _PAGE))
    old = [row for row in rows if _is_old(row, record)]
    new = [row for row in rows if not _is_old(row, record)]
    goes_on = bool(old and new) and _step(new[0]) > _step(old[-1])
    return rows if goes_on else new


def _is_old(row: Mapping[str, Any], record: RunRecord) -> bool:
    """Tell whether a row is from before the last start of the run."""
    before: Any = record.summary.get(BEFORE_KEY)
    time: Any = row.get("_timestamp")
    return is_number(before) and is_number(time) and time <= before


def _step(row: Mapping[str, Any]) -> float:
    step: Any = row.get("_step")
    return float(step) if is_number(step) else -1.0
