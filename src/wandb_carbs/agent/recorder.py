"""RunRecorder: the states of a run, and what leads from one to the next.

| state | suggestion | `observation` | `failure` | `abandoned` | end of the block | SIGTERM |
|---|---|---|---|---|---|---|
| initializing | running | | | | stays | stays |
| running | running (redrawn) | success | failure | abandoned | by the exception; without one abandoned | abandoned |
| success | | only with `allow_update` | stays, warns | stays, warns | stays | stays |
| failure | | success | failure | abandoned | stays | stays |
| abandoned | | success | failure | abandoned | stays | stays |

An objective that is not finite leads to failure instead of success. A success whose publication failed may be recorded
once more. A run that is started again begins as running, or as success if it had reported one. Points on the run's way
change no state; they go out with the next outcome, and after a failure or an abandonment at once.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from typing import Any

from carbs import CarbsError, ParamDict
from wandb_carbs.agent import own_run, sigterm
from wandb_carbs.agent.exceptions import NAN, judge_exception, text_of
from wandb_carbs.agent.publisher import RunPublisher
from wandb_carbs.agent.reported_curve import ReportedCurve
from wandb_carbs.errors import WandbCarbsError
from wandb_carbs.record import (
    ABANDONED,
    COST_KEY,
    FAILURE,
    INITIALIZING,
    OBJECTIVE_KEY,
    REASON_KEY,
    RUNNING,
    STATE_KEY,
    STOPPED_KEY,
    SUCCESS,
)

logger = logging.getLogger("wandb_carbs")

sigterm.install()

# Schedulers kill some seconds after SIGTERM.
_SIGTERM_SECONDS = 5.0


class RunRecorder:
    """Take a run from state to state (see the module's table), each published before the call returns.

    From its construction on, a SIGTERM records a running run as abandoned.

    Args:
        publisher: Writes the run's record.

    Attributes:
        curve: The points on the run's way, which its program reports; None if the sweep's definition asks for none.
    """

    def __init__(self, publisher: RunPublisher) -> None:
        self.curve: ReportedCurve | None = None
        self._publisher = publisher
        self._state = INITIALIZING
        # Whether the server has the observation: until then it may be recorded once more.
        self._is_stored = False
        self._started = time.monotonic()
        sigterm.watch(self._interrupt)

    @property
    def state(self) -> str:
        """The run's state, one of those of `wandb_carbs.record`."""
        return self._state

    @property
    def name(self) -> str:
        """The run's name, for messages."""
        return self._publisher.record.name

    def initialize(self) -> None:
        """Say that the run is about to take a suggestion; the SDK sends it."""
        self._publisher.note({STATE_KEY: INITIALIZING})

    def start(self, suggestion: Mapping[str, Any], values: Mapping[str, Any], keys: Mapping[str, Any]) -> None:
        """Publish a suggestion; the run's own time begins.

        Args:
            suggestion: The point in the search space.
            values: The configuration that the run gets.
            keys: Further summary keys, flat.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        self._enter(RUNNING, suggestion, values, keys)

    def resume(self, suggestion: Mapping[str, Any], values: Mapping[str, Any], keys: Mapping[str, Any]) -> None:
        """Take up the run's own suggestion, which it had published before it was interrupted.

        Args:
            suggestion: The point in the search space.
            values: The configuration that the run gets.
            keys: The summary keys of its record, the old state among them.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        self._is_stored = keys.get(STATE_KEY) == SUCCESS
        forgotten = () if self._is_stored else (REASON_KEY, STOPPED_KEY)
        kept = {**keys, **{key: "" for key in forgotten if key in keys}}
        self._enter(SUCCESS if self._is_stored else RUNNING, suggestion, values, kept)

    def go_on(self) -> None:
        """Take the run's state from its record, which another process may have written."""
        state = self._publisher.record.summary.get(STATE_KEY)
        self._state = state if state in (RUNNING, SUCCESS, FAILURE, ABANDONED) else RUNNING
        self._is_stored = state == SUCCESS

    def note(self, keys: Mapping[str, Any]) -> None:
        """Add flat keys to the run's record; they reach others with its outcome at the latest."""
        self._publisher.note(keys)

    def point(self, objective: float, progress: float, cost: float | None = None) -> None:
        """Keep a point on the run's way, which goes out with its outcome at the latest; see `WandbCarbs.report`."""
        curve = self.needed_curve()
        value, place = own_run.as_float("objective", objective), own_run.as_float("progress", progress)
        if curve.add(place, value, self._spent(cost), is_given=cost is not None):
            curve.leave(self._state)

    def needed_curve(self) -> ReportedCurve:
        """Return the points on the run's way.

        Raises:
            WandbCarbsError: If the sweep's definition asks for none.
        """
        if self.curve is None:
            raise WandbCarbsError(
                f"run {self.name} cannot report points: its sweep does not say which hyperparameter's values a run "
                "passes through. Create it with create_sweep(…, progress='epochs'), or `progress: epochs` in its file, "
                "and take the suggestion with WandbCarbs.from_sweep(run)"
            )
        return self.curve

    def runs_to(self, point: ParamDict) -> None:
        """Say which configuration of the search space was run instead of the suggestion."""
        if self.curve is not None:
            self.curve.end_at(point)

    def observation(
        self,
        objective: float,
        cost: float | None = None,
        *,
        allow_update: bool = False,
        keys: Mapping[str, Any] = {},
    ) -> None:
        """Record the objective and the cost of the run; see `WandbCarbs.record_observation`.

        Args:
            objective: The objective.
            cost: The cost; None for the seconds.
            allow_update: Whether it may replace another one.
            keys: Further summary keys, flat.
        """
        if self._state == SUCCESS and self._is_stored and not allow_update:
            raise WandbCarbsError(f"run {self.name} has recorded its observation; pass allow_update=True to replace it")
        value = own_run.as_float("objective", objective)
        spent = self._spent(cost)
        if not math.isfinite(value):
            self._report(FAILURE, {**keys, REASON_KEY: f"objective is {NAN if math.isnan(value) else 'infinite'}"})
            return
        if self.curve is not None:
            self.curve.close(spent, is_given=cost is not None)
        # A handler of SIGTERM may let the run go on; why it was thought to be lost is of no interest then.
        corrected = {REASON_KEY: ""} if self._state in (ABANDONED, FAILURE) else {}
        self._report(SUCCESS, {**keys, OBJECTIVE_KEY: value, COST_KEY: spent, **corrected})

    def outcome(self, keys: Mapping[str, Any]) -> None:
        """Record how the run went, as it was judged from outside.

        Args:
            keys: The flat keys of the record, the state among them.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        self._report(keys[STATE_KEY], {key: value for key, value in keys.items() if key != STATE_KEY})

    def failure(self, reason: object = "") -> None:
        """Record that the hyperparameters made the run fail; see `WandbCarbs.record_failure`."""
        self._report_unless_successful(FAILURE, reason)

    def abandoned(self, reason: object = "") -> None:
        """Record that the run says nothing of its hyperparameters; see `WandbCarbs.record_abandoned`."""
        self._report_unless_successful(ABANDONED, reason)

    def leave(self, error: BaseException | None) -> None:
        """Record the end of the training code, unless an outcome has been recorded.

        Where there is an exception, nothing that goes wrong here takes its place.

        Args:
            error: The exception that ended it; None if it came to its end.

        Raises:
            WandbConnectionError: If there is no exception, and W&B cannot be reached.
        """
        self.unwatch()
        if self._state != RUNNING:
            return
        if error is None:
            logger.warning("Run %s ended without recording anything; it counts as abandoned", self.name)
            self.abandoned("nothing was recorded")
            return
        state, reason = judge_exception(error)
        try:
            # A run that calls `run.mark_preempting()` and then raises leaves because the machine is taken away.
            if state == FAILURE and self._publisher.is_preempting():
                state, reason = ABANDONED, "preempted"
            self._report(state, {REASON_KEY: reason})
        except Exception as problem:  # noqa: BLE001 - the SDK's errors have no common class
            logger.warning("Could not record that run %s ended: %s", self.name, problem)

    def unwatch(self) -> None:
        """Leave SIGTERM alone from now on."""
        sigterm.unwatch(self._interrupt)

    def _enter(
        self, state: str, suggestion: Mapping[str, Any], values: Mapping[str, Any], keys: Mapping[str, Any]
    ) -> None:
        self._state = state
        self._publisher.suggestion(suggestion, values, {**keys, STATE_KEY: state})
        self._started = time.monotonic()

    def _report_unless_successful(self, state: str, reason: object) -> None:
        if self._state == SUCCESS:
            logger.warning("Run %s has recorded its observation; it is kept, and %r is not recorded", self.name, state)
            return
        self._report(state, {REASON_KEY: text_of(reason)})

    def _spent(self, cost: float | None) -> float:
        spent = time.monotonic() - self._started if cost is None else own_run.as_float("cost", cost)
        if not (math.isfinite(spent) and spent > 0):
            raise CarbsError(f"cost={cost!r} must be a positive, finite number")
        return spent

    def _with_curve(self, state: str, values: Mapping[str, Any]) -> dict[str, Any]:
        curve = {} if self.curve is None else self.curve.keys(is_whole=state == SUCCESS)
        return {STATE_KEY: state, **values, **curve}

    def _report(self, state: str, values: Mapping[str, Any]) -> None:
        keys = self._with_curve(state, values)
        self.unwatch()
        # Only what the SDK has taken in is recorded: should it refuse, the end of the block still records something.
        summary = self._publisher.note(keys)
        self._state = state
        self._is_stored = False
        self._publisher.outcome(keys, summary)
        self._is_stored = True
        logger.info("Run %s: %s %s", self.name, state, dict(values))

    def _interrupt(self) -> None:
        if self._state == RUNNING:
            self._state = ABANDONED
            self._publisher.last_words(self._with_curve(ABANDONED, {REASON_KEY: "SIGTERM"}), _SIGTERM_SECONDS)
