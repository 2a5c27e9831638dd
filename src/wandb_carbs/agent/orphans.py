"""Runs whose programs came to their end after their agents were killed: their outcomes are recorded from outside.

All that an outcome needs is in the run: W&B has it as finished, so the program ended by itself with exit code 0; the
metric is in its summary, and so is the time at which it was started. A run that ended in any other way says too little
of the reason, and stays abandoned.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from wandb_carbs.agent.outcome import STOPPED, Ending, Outcome
from wandb_carbs.agent.publisher import RunPublisher
from wandb_carbs.agent.runnable_sweep import RunnableSweep
from wandb_carbs.agent.whole_outcome import whole_outcome
from wandb_carbs.clock import server_time
from wandb_carbs.errors import WandbConnectionError
from wandb_carbs.plain import is_number
from wandb_carbs.record import BEGUN_KEY, CURVE_KEY, SECONDS_KEY, STATE_KEY, SUCCESS, RunRecord
from wandb_carbs.sweep.runs import RunReader, is_orphan

logger = logging.getLogger("wandb_carbs")

_PERHAPS = "ended before its end, maybe stopped by its agent, which was killed"


def settle(sweep: RunnableSweep, reader: RunReader, records: Iterable[RunRecord]) -> dict[str, Outcome]:
    """Record the outcomes of runs that nobody else will record.

    An agent that lives after all, and was only cut off from W&B, corrects what is recorded here.

    Args:
        sweep: The sweep.
        reader: Reads its runs.
        records: All its runs, or those that may be meant.

    Returns:
        The outcomes by the run's id. One that cannot be written now is left out: the next agent will try.
    """
    runs = list(records)
    now = server_time(runs, datetime.now(timezone.utc))
    settled = {}
    for record in runs:
        seconds = seconds_of(record.summary) if is_orphan(record, now) else None
        if seconds is None:
            continue
        try:
            outcome = _outcome_of(sweep, record, seconds)
            RunPublisher(record, reader).settle(outcome.keys)
        except WandbConnectionError as error:
            logger.warning("Run %s ended without its agent, and cannot be recorded now: %s", record.name, error)
            continue
        settled[record.id] = outcome
    return settled


def _outcome_of(sweep: RunnableSweep, record: RunRecord, seconds: float) -> Outcome:
    """Judge a run that its agent may have stopped as the models advised before it was killed itself.

    Nobody knows that any more. A run that has not come to its end counts as the shorter one that it was, which is right
    whoever ended it.
    """
    spent, progress = spent_by(record.summary), sweep.definition.progress
    outcome = whole_outcome(sweep, record, Ending(0), seconds, is_joined=True, spent=spent)
    is_clear = outcome.keys[STATE_KEY] == SUCCESS and outcome.keys.get(CURVE_KEY)
    if progress is None or not progress.stop or not is_clear:
        return outcome
    stopped = Ending(0, asked=STOPPED)
    shorter = whole_outcome(sweep, record, stopped, seconds, is_joined=True, spent=spent, advised=_PERHAPS)
    return shorter if shorter.keys[STATE_KEY] == SUCCESS else outcome


def seconds_of(summary: Mapping[str, Any]) -> float | None:
    """Return how long a program ran, from its start to the end of its run; None if the summary does not say.

    The SDK keeps there when the last point was logged, how long after `wandb.init` that was, and how long after that
    the run was finished.
    """
    values: list[Any] = [summary.get(key) for key in (BEGUN_KEY, "_timestamp", "_runtime")]
    begun, logged, before = values
    internal = summary.get("_wandb")
    total: Any = internal.get("runtime") if isinstance(internal, Mapping) else None
    if not (is_number(begun) and is_number(logged)):
        return None
    rest = total - before if is_number(total) and is_number(before) else 0.0
    seconds = float(logged - begun + max(rest, 0.0))
    return seconds if seconds > 0 else None


def spent_by(summary: Mapping[str, Any]) -> float:
    """Return how many seconds the earlier starts of a run have spent, by the summary from before its end."""
    spent: Any = summary.get(SECONDS_KEY)
    return float(spent) if is_number(spent) and spent > 0 else 0.0
