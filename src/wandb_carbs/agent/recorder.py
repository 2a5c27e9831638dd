"""Recording how a run went."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from carbs import CarbsError
from wandb_carbs.agent import own_run, sigterm
from wandb_carbs.agent.exceptions import NAN, judge_exception, text_of
from wandb_carbs.agent.publisher import Reporter
from wandb_carbs.errors import WandbCarbsError, WandbConnectionError
from wandb_carbs.record import (
    ABANDONED,
    COST_KEY,
    FAILURE,
    INITIALIZING,
    OBJECTIVE_KEY,
    REASON_KEY,
    RUNNING,
    STATE_KEY,
    SUCCESS,
)

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger("wandb_carbs")

sigterm.install()

# Schedulers kill some seconds after SIGTERM.
_SIGTERM_SECONDS = 5.0


class RecordedRun:
    """The part of `WandbCarbs` that records how the run went.

    Args:
        run: The run of this process.
        raise_errors: Whether the context manager lets exceptions through.
    """

    _reporter: Reporter

    def __init__(self, run: Any, *, raise_errors: bool) -> None:
        self._wandb_run = run
        self._raise_errors = raise_errors
        self._state = INITIALIZING
        # Whether the server has the observation: until then it may be recorded once more.
        self._is_stored = False
        self._started = time.monotonic()

    def record_observation(self, objective: float, cost: float | None = None, allow_update: bool = False) -> None:
        """Record how the run went; others can see it when this returns.

        Args:
            objective: What is optimized. If it is not finite, a failure is recorded.
            cost: What the run cost, positive; None for the seconds since the suggestion was taken up in this process.
                A run that goes on from a checkpoint should add what it had spent before.
            allow_update: Whether an observation that was recorded before may be replaced.

        Raises:
            CarbsError: If an argument is invalid, or there is an observation already.
            WandbConnectionError: If W&B cannot be reached. The SDK keeps what was recorded and sends it when it can.
        """
        if self._state == SUCCESS and self._is_stored and not allow_update:
            raise WandbCarbsError(
                f"run {self._wandb_run.name} has recorded its observation; pass allow_update=True to replace it"
            )
        value = own_run.as_float("objective", objective)
        spent = time.monotonic() - self._started if cost is None else own_run.as_float("cost", cost)
        if not (math.isfinite(spent) and spent > 0):
            raise CarbsError(f"cost={cost!r} must be a positive, finite number")
        if not math.isfinite(value):
            self._report(FAILURE, {REASON_KEY: f"objective is {NAN if math.isnan(value) else 'infinite'}"})
            return
        # A handler of SIGTERM may let the run go on; why it was thought to be lost is of no interest then.
        corrected = {REASON_KEY: ""} if self._state in (ABANDONED, FAILURE) else {}
        self._report(SUCCESS, {OBJECTIVE_KEY: value, COST_KEY: spent, **corrected})

    def record_failure(self, reason: object = "") -> None:
        """Record that the hyperparameters made the run fail, so that the search avoids their like.

        Args:
            reason: Why, e.g. "out_of_memory", or the exception; kept as text in the run's summary.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        self._report_unless_successful(FAILURE, reason)

    def record_abandoned(self, reason: object = "") -> None:
        """Record that the run ended for reasons that say nothing of its hyperparameters; its place is free.

        Args:
            reason: Why, or the exception; kept as text in the run's summary.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        self._report_unless_successful(ABANDONED, reason)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        sigterm.unwatch(self._abandon_on_signal)
        if self._state != RUNNING:
            return self._swallow(error)
        if error is None:
            logger.warning("Run %s ended without recording anything; it counts as abandoned", self._wandb_run.name)
            self.record_abandoned("nothing was recorded")
            return False
        state, reason = judge_exception(error)
        try:
            # Who marks the run with `run.mark_preempting()` and then raises leaves because the machine is taken away.
            if state == FAILURE and self._reporter.is_preempting():
                state, reason = ABANDONED, "preempted"
            self._report(state, {REASON_KEY: reason})
        except WandbConnectionError as problem:
            logger.warning("Could not record that run %s ended: %s", self._wandb_run.name, problem)
        return self._swallow(error)

    def _report_unless_successful(self, state: str, reason: object) -> None:
        if self._state == SUCCESS:
            logger.warning(
                "Run %s has recorded its observation; it is kept, and %r is not recorded", self._wandb_run.name, state
            )
            return
        self._report(state, {REASON_KEY: text_of(reason)})

    def _report(self, state: str, values: Mapping[str, Any]) -> None:
        keys = {STATE_KEY: state, **values}
        sigterm.unwatch(self._abandon_on_signal)
        # Only what the SDK has taken in is recorded: should it refuse, the end of the block still records something.
        summary = own_run.update_summary(self._wandb_run, keys)
        self._state = state
        self._is_stored = False
        self._reporter.outcome(keys, summary)
        self._is_stored = True
        logger.info("Run %s: %s %s", self._wandb_run.name, state, dict(values))

    def _abandon_on_signal(self) -> None:
        if self._state == RUNNING:
            self._state = ABANDONED
            self._reporter.last_words({STATE_KEY: ABANDONED, REASON_KEY: "SIGTERM"}, _SIGTERM_SECONDS)

    def _swallow(self, error: BaseException | None) -> bool:
        if self._raise_errors or not isinstance(error, Exception):
            return False
        logger.error("Run %s ended by an exception", self._wandb_run.name, exc_info=error)
        self._wandb_run.finish(exit_code=1)
        return True
