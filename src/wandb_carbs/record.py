"""A run's record in W&B, and what the run counts as.

A run's record is its summary's flat keys under `carbs.` together with its configuration. What it counts as depends on
the record, on W&B's own state of the run, and on how long ago the run was last heard of:

| W&B run state | carbs.state | counts as |
|---|---|---|
| any | success | observation |
| any | failure | failure |
| alive, heartbeat fresh | running | running |
| alive, heartbeat fresh | initializing, or none yet | starting: about to suggest |
| alive, created five minutes ago | none, and no suggestion | skipped: it is not part of the search |
| any | abandoned | abandoned |
| finished, killed, failed, heartbeat fresh | running, by an agent | running: the agent will record how it went |
| crashed, killed, preempted, failed, or heartbeat stale | running, initializing, none | abandoned |
| finished | running, initializing | abandoned: it ended without reporting |
| finished | none | skipped: it was never part of the search |
| any | anything malformed | skipped |

A state of W&B's that is not known here counts as alive.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import Any

from wandb_carbs.plain import is_number, readable

KEY_PREFIX = "carbs."
STATE_KEY = "carbs.state"
OBJECTIVE_KEY = "carbs.objective"
COST_KEY = "carbs.cost"
REASON_KEY = "carbs.reason"
# The models' predictions of the suggestion; a key with `_std` behind it is the standard deviation of one.
PREDICTED_OBJECTIVE_KEY = "carbs.predicted_objective"
PREDICTED_COST_KEY = "carbs.predicted_cost"
# The point in the search space as JSON: what every reader takes for the run's suggestion.
SUGGESTION_KEY = "carbs.suggestion"
# The suggestion itself, as JSON, where another point was run: a shorter run, or what the program says. Only there.
SUGGESTED_KEY = "carbs.suggested"
# The configuration that a subclass made of the suggestion, as JSON; only where it is another.
CONFIG_KEY = "carbs.config"
# Searched parameters that the program's arguments set to another value than the suggestion, with that value, as JSON,
# or `wandb.config` when the run had logged without one: it may have trained with W&B's own draw. Only where there are.
ARGUMENTS_KEY = "carbs.drawn_arguments"
# When an agent started the run's program, in seconds by the clock of its machine: what the program logs has times of
# the same clock.
BEGUN_KEY = "carbs.begun"
# Of a run that was started again: the time of the last point that was logged before.
BEFORE_KEY = "carbs.before"
# Seconds that the run's program has run, in all starts that were recorded.
SECONDS_KEY = "carbs.seconds"
# Points on the run's way as JSON, [[progress, objective, cost], …]: see `wandb_carbs.sweep.progress`. Only where the
# sweep's definition says through which hyperparameter's values a run passes.
CURVE_KEY = "carbs.curve"
# Of a run that was stopped early: why, and when, as JSON.
STOPPED_KEY = "carbs.stopped"
# Whether another agent recorded the outcome, because the one that had started the program was gone.
SETTLED_KEY = "carbs.settled"
# Searched parameters that the program tried to change in `wandb.config`, or that its own configuration there has under
# another name, with those other values as JSON: the run may have trained with these. Only where there are any.
CHANGES_KEY = "carbs.refused_changes"
# Where the configuration keeps a copy of the record's keys, beside what the SDK keeps there for itself: a program that
# knows nothing of the record replaces the summary, but not this, and does not see it.
INTERNAL_KEY = "_wandb"
COPY_KEY = "carbs"

INITIALIZING = "initializing"
RUNNING = "running"
SUCCESS = "success"
FAILURE = "failure"
ABANDONED = "abandoned"
# The states of a run whose outcome is recorded.
OUTCOMES = (SUCCESS, FAILURE, ABANDONED)

STALE_SECONDS = 300.0
# A run asks as soon as it has begun: this is twice as long as it would try to reach W&B. Should it ask later still, its
# own seed and the check after publishing keep it apart from the others.
_SILENT_SECONDS = 300.0
# A run whose stop was asked for.
_KILLED = "killed"
_GONE = frozenset({"crashed", _KILLED, "preempted", "failed"})
FINISHED = "finished"
# The states that a program's own end has; those of a machine that is lost are others.
_JUST_ENDED = frozenset({FINISHED, _KILLED, "failed"})
# W&B's own agent has run it, or another program that has nothing to do with the search.
_NO_SUGGESTION = f"no suggestion was taken (no {STATE_KEY}), so nothing is learnt"
PREEMPTING = "preempting"


class Standing(Enum):
    """The meaning of a run for the search."""

    OBSERVATION = "observation"
    FAILURE = "failure"
    RUNNING = "running"
    STARTING = "starting"
    ABANDONED = "abandoned"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class RunRecord:
    """A run of a sweep as W&B knows it.

    Attributes:
        id: The run's id, the last part of its path.
        name: The name that W&B shows.
        state: W&B's own state: running, finished, crashed, …
        created_at: When W&B created it; None if it does not say.
        heartbeat_at: When W&B last heard of it; None if it does not say.
        config: Its configuration.
        summary: Its summary.
        source: The public API's run behind it.
        problem: Why it could not be read; empty if it could.
    """

    id: str
    name: str
    state: str
    created_at: datetime | None
    heartbeat_at: datetime | None
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    source: Any = field(default=None, repr=False, compare=False)
    problem: str = ""

    @property
    def order(self) -> tuple[datetime, str]:
        """Key of the order in which runs were created; one without a date comes last."""
        return self.created_at or datetime.max.replace(tzinfo=timezone.utc), self.id

    @property
    def last_seen(self) -> datetime | None:
        """When W&B last heard of it."""
        return max((t for t in (self.created_at, self.heartbeat_at) if t is not None), default=None)

    @property
    def was_stopped(self) -> bool:
        """Whether somebody, or W&B's `early_terminate`, has stopped it."""
        return bool(self.summary.get(STOPPED_KEY)) or self.state == _KILLED

    @property
    def why_stopped(self) -> str:
        """Why it was stopped, if its record says so; empty if not."""
        why = (_json_object(self.summary.get(STOPPED_KEY)) or {}).get("why")
        return why if isinstance(why, str) else ""

    @property
    def has_ended(self) -> bool:
        """Whether W&B says that the run is over, however it ended."""
        return self.state in _GONE or self.state == FINISHED


@dataclass(frozen=True)
class Verdict:
    """The meaning of a run for the search, and the reason.

    Attributes:
        standing: What it counts as.
        reason: Why it is skipped, abandoned or failed; empty otherwise.
    """

    standing: Standing
    reason: str = ""


def classify(record: RunRecord, now: datetime, stale_seconds: float = STALE_SECONDS) -> Verdict:
    """Judge what a run counts as (see the module's table).

    Whether its configuration lies in the search space is not judged here.

    Args:
        record: The run.
        now: The present, by W&B's clock.
        stale_seconds: A run not heard of for longer is gone.
    """
    if record.problem:
        return Verdict(Standing.SKIPPED, record.problem)
    state = record.summary.get(STATE_KEY)
    if state == SUCCESS:
        return _judge_success(record)
    if state == FAILURE:
        return Verdict(Standing.FAILURE, _text(record.summary.get(REASON_KEY)))
    if state == ABANDONED:
        return Verdict(Standing.ABANDONED, _text(record.summary.get(REASON_KEY)))
    if state not in (RUNNING, INITIALIZING, None):
        return Verdict(Standing.SKIPPED, f"{STATE_KEY}={state!r:.100} is not a known state")
    if _is_awaited(record, now, stale_seconds):
        return Verdict(Standing.RUNNING)
    if record.state == FINISHED:
        if state is None:
            return Verdict(Standing.SKIPPED, _NO_SUGGESTION)
        return Verdict(Standing.ABANDONED, "finished without reporting")
    if record.state in _GONE:
        return Verdict(Standing.ABANDONED, record.state)
    return _judge_living(record, now, stale_seconds)


def recorded_suggestion(record: RunRecord) -> dict[str, Any] | None:
    """Return the point in the search space that a run has recorded; None if it has recorded none."""
    return _json_object(record.summary.get(SUGGESTION_KEY))


def replaced_suggestion(record: RunRecord) -> dict[str, Any] | None:
    """Return the suggestion that a run had, if it counts as another configuration; None for any other run."""
    return _json_object(record.summary.get(SUGGESTED_KEY))


def recorded_config(record: RunRecord) -> Mapping[str, Any]:
    """Return the configuration that a run got with its suggestion.

    It need not be the run's configuration: the SDK replaces the whole of that when a run's id is used again.
    """
    values = _json_object(record.summary.get(CONFIG_KEY))
    if values is None:
        values = recorded_suggestion(record)
    return record.config if values is None else values


def _is_awaited(record: RunRecord, now: datetime, stale_seconds: float) -> bool:
    """Tell whether a run's program has just ended, so that its agent is about to record the outcome.

    Until then its configuration is nobody else's. An agent that lives takes seconds; a minute if the program is asked
    to end, and does not.
    """
    has_agent = BEGUN_KEY in record.summary and record.summary.get(STATE_KEY) == RUNNING
    seen = record.last_seen
    is_fresh = seen is not None and (now - seen).total_seconds() <= stale_seconds
    return has_agent and is_fresh and record.state in _JUST_ENDED


def _judge_living(record: RunRecord, now: datetime, stale_seconds: float) -> Verdict:
    state, last_seen = record.summary.get(STATE_KEY), record.last_seen
    if last_seen is None or (now - last_seen).total_seconds() > stale_seconds:
        return Verdict(Standing.ABANDONED, "heartbeat lost")
    if state is None and SUGGESTION_KEY not in record.summary and _age(record.created_at, now) > _SILENT_SECONDS:
        return Verdict(Standing.SKIPPED, f"{_NO_SUGGESTION}, for more than {_SILENT_SECONDS / 60:g} min")
    return Verdict(Standing.RUNNING if state == RUNNING else Standing.STARTING)


def _age(time: datetime | None, now: datetime) -> float:
    return 0.0 if time is None else (now - time).total_seconds()


def _judge_success(record: RunRecord) -> Verdict:
    for key in (OBJECTIVE_KEY, COST_KEY):
        value = record.summary.get(key)
        if value is None:
            return Verdict(Standing.SKIPPED, f"{key} is missing")
        if not is_number(value):
            return Verdict(Standing.SKIPPED, f"{key}={value!r:.100} is not a finite number")
    if record.summary[COST_KEY] <= 0:
        return Verdict(Standing.SKIPPED, f"{COST_KEY}={record.summary[COST_KEY]!r} is not positive")
    return Verdict(Standing.OBSERVATION)


def _json_object(text: Any) -> dict[str, Any] | None:
    try:
        values = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _text(value: Any) -> str:
    return readable(value) if isinstance(value, str) else ""
