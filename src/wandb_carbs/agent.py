"""WandbCarbs: one suggestion for one run of a W&B sweep.

Why many agents that start at once get different configurations, with no coordinator but W&B:

1. Runs are ordered by (created_at, id), which the server decides once. An agent that sees an earlier run which is alive
   but has no suggestion yet *foresees* it: it draws that run's suggestion with the seed that the run itself will use,
   made of sweep and run id, and treats it as outstanding. Where both see the same history, the foresight is exact;
   where they do not (W&B has shown one of them a result that the other has missed, or dates tie at a resolution of a
   second), it is still a point like the one that will be suggested, and the search spreads around it.
2. Every run draws with its own seed, so that two agents with the same view of the world draw different points, and the
   optimizer excludes configurations that are outstanding or done.
3. What is left are coarse spaces, and the search centre, which whoever believes to be first suggests whatever the
   seed. So each agent publishes first and reads the newest runs again afterwards. Of two runs with the same
   configuration, the one that published later must see the other; whoever sees one draws again, with that one known.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import datetime, timezone
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import wandb

from carbs import CARBS, CarbsError, ParamDict, SuggestOutput
from carbs.spaces import SUGGESTION_ID_KEY
from wandb_carbs import live, signals
from wandb_carbs.errors import WandbCarbsError, WandbConnectionError
from wandb_carbs.failures import NAN, judge_exception
from wandb_carbs.history import JudgedRun, RunView, count, feed, judge
from wandb_carbs.ranks import check_rank
from wandb_carbs.reporting import Reporter
from wandb_carbs.retry import RETRY_SECONDS
from wandb_carbs.runs import RunReader, SweepPath
from wandb_carbs.state import (
    ABANDONED,
    COST_KEY,
    FAILURE,
    INITIALIZING,
    KEY_PREFIX,
    OBJECTIVE_KEY,
    REASON_KEY,
    RUNNING,
    STALE_SECONDS,
    STATE_KEY,
    SUCCESS,
    RunRecord,
    Standing,
    server_time,
)
from wandb_carbs.sweep import load_definition

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger("wandb_carbs")

signals.install()

# Drawing again helps unless the space has hardly any configurations left.
_MAX_REDRAWS = 3
# Foreseeing costs a suggestion for each run; beyond this many the seeds alone keep agents apart.
_MAX_FORESEEN = 128
# Schedulers kill some seconds after SIGTERM.
_SIGTERM_SECONDS = 5.0


class WandbCarbs:
    """Take a suggestion for the current run, put it into the run's configuration, and record how it went.

    By the time it is constructed, the suggestion is in `wandb.config`, and every other agent can see it. Use it as a
    context manager to have exceptions recorded as failures, and interruptions as abandoned:

        with WandbCarbs(CARBS(params=params)) as trial:
            ...
            trial.record_observation(objective=accuracy)

    Subclasses may override `_transform_suggestion` (from the search space to the run's configuration) and
    `_suggestion_from_run` (back); `self._carbs`, `self._wandb_run` and `self._sweep_id` are theirs to use.

    A SIGTERM records the run as abandoned before the process ends. A run that is started again with the same id takes
    up its own suggestion.

    Args:
        carbs: The optimizer; it is told of the sweep's runs.
        wandb_run: The run; None for `wandb.run`.
        sweep_id: The run's sweep; it need not be given.
        any_rank: Whether ranks other than 0 of a distributed job may ask: only if each is a run of its own.
        raise_errors: Whether the context manager lets exceptions through. If not, an exception of the training code
            is logged, the run is finished as failed, and the program goes on after the block: `wandb.agent` in
            function mode gives up after three functions that raised within its first minute.
        stale_seconds: A run not heard of for longer is gone, and its suggestion free.
        retry_seconds: How long to try to reach W&B again before giving up.

    Raises:
        WandbCarbsError: If there is no run, it is in no sweep, or this is not the job's first rank.
        WandbConnectionError: If W&B cannot be reached.
    """

    def __init__(
        self,
        carbs: CARBS,
        wandb_run: Any = None,
        sweep_id: str | None = None,
        *,
        any_rank: bool = False,
        raise_errors: bool = True,
        stale_seconds: float = STALE_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        if not any_rank:
            check_rank()
        if not isinstance(carbs, CARBS):
            raise WandbCarbsError(f"carbs={carbs!r} must be a CARBS; write WandbCarbs(carbs=CARBS(params=…))")
        self._carbs = carbs
        self._wandb_run = live.check_run(wandb_run if wandb_run is not None else wandb.run)
        self._sweep_id = live.check_sweep(self._wandb_run, sweep_id)
        self._path = SweepPath(self._wandb_run.entity, self._wandb_run.project, self._sweep_id)
        self._raise_errors = raise_errors
        self._stale_seconds = stale_seconds
        self._retry_seconds = retry_seconds
        self._reader = RunReader(self._path, retry_seconds)
        self._state = INITIALIZING
        self._suggestion: ParamDict = {}
        self._transformed: dict[str, Any] = {}
        try:
            self._start()
        except BaseException:
            signals.unwatch(self._abandon_on_signal)
            raise
        self._started = time.monotonic()

    @classmethod
    def from_sweep(cls, run: Any = None, **options: Any) -> Self:
        """Build the optimizer from the definition that `create_sweep` left in the run's sweep.

        Args:
            run: The run; None for `wandb.run`.
            options: As for the constructor.

        Raises:
            WandbCarbsError: If there is no run, or its sweep was not created by `create_sweep`.
            WandbConnectionError: If W&B cannot be reached.
        """
        if not options.get("any_rank"):
            check_rank()
        run = live.check_run(run if run is not None else wandb.run)
        path = SweepPath(run.entity, run.project, live.check_sweep(run, options.get("sweep_id")))
        return cls(load_definition(str(path)).optimizer(), wandb_run=run, **options)

    def suggest(self) -> dict[str, Any]:
        """Return the run's configuration as a plain dict of its own; the run's id is under "suggestion_uuid"."""
        return deepcopy(self._transformed)

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
        if self._state == SUCCESS and not allow_update:
            raise WandbCarbsError(
                f"run {self._wandb_run.name} has recorded its observation; pass allow_update=True to replace it"
            )
        value = live.as_float("objective", objective)
        spent = time.monotonic() - self._started if cost is None else live.as_float("cost", cost)
        if not (np.isfinite(spent) and spent > 0):
            raise CarbsError(f"cost={cost!r} must be a positive, finite number")
        if not np.isfinite(value):
            self._report(FAILURE, {REASON_KEY: f"objective is {NAN if np.isnan(value) else 'infinite'}"})
            return
        # A handler of SIGTERM may let the run go on; why it was thought to be lost is of no interest then.
        corrected = {REASON_KEY: ""} if self._state in (ABANDONED, FAILURE) else {}
        self._report(SUCCESS, {OBJECTIVE_KEY: value, COST_KEY: spent, **corrected})

    def record_failure(self, reason: str = "") -> None:
        """Record that the hyperparameters made the run fail, so that the search avoids their like.

        Args:
            reason: Why, e.g. "out_of_memory"; kept in the run's summary.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        self._report_unless_successful(FAILURE, reason)

    def record_abandoned(self, reason: str = "") -> None:
        """Record that the run ended for reasons that say nothing of its hyperparameters; its place is free.

        Args:
            reason: Why; kept in the run's summary.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        self._report_unless_successful(ABANDONED, reason)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        signals.unwatch(self._abandon_on_signal)
        if self._state != RUNNING:
            return self._swallow(error)
        if error is None:
            logger.warning("Run %s ended without recording anything; it counts as abandoned", self._wandb_run.name)
            self.record_abandoned("nothing was recorded")
            return False
        state, reason = judge_exception(error)
        try:
            self._report(state, {REASON_KEY: reason})
        except WandbConnectionError as problem:
            logger.warning("Could not record that run %s ended: %s", self._wandb_run.name, problem)
        return self._swallow(error)

    def _transform_suggestion(self, suggestion: dict[str, Any]) -> dict[str, Any]:
        """Turn a configuration of the search space into the run's configuration; override to change it."""
        return suggestion

    def _suggestion_from_run(self, run: Any) -> dict[str, Any]:
        """Turn a run's configuration back into one of the search space; undoes `_transform_suggestion`.

        Args:
            run: The run as `wandb.Api` gives it.
        """
        names = [param.name for param in self._carbs.params]
        return {**{name: run.config[name] for name in names if name in run.config}, SUGGESTION_ID_KEY: run.id}

    def _start(self) -> None:
        """Read the sweep, take a suggestion or take up the run's own, and publish it."""
        records = self._reader.all()
        own = next((record for record in records if record.id == self._wandb_run.id), None)
        if own is None:
            own = self._reader.one(self._wandb_run.id)
        others = self._judge([record for record in records if record.id != own.id], own)
        feed(self._carbs, others)
        self._reporter = Reporter(self._wandb_run, own, self._reader, self._retry_seconds)
        signals.watch(self._abandon_on_signal)
        if self._take_up(own):
            state = own.summary.get(STATE_KEY)
            logger.info("Run %s takes up its own suggestion (it was %s)", own.name, state)
            self._state = SUCCESS if state == SUCCESS else RUNNING
            # The SDK starts a new summary when a run is started again without being resumed.
            kept = {key: value for key, value in own.summary.items() if key.startswith(KEY_PREFIX)}
            self._publish({**kept, REASON_KEY: ""} if REASON_KEY in kept else kept)
            return
        live.update_summary(self._wandb_run, {STATE_KEY: INITIALIZING})
        foreseen = self._foresee(others, own)
        self._log_counts(others, foreseen)
        self._take_suggestion(own)

    def _log_counts(self, others: Sequence[JudgedRun], foreseen: int) -> None:
        numbers = {**count(others), "foreseen": foreseen}
        told = ("observation", "failure", "outstanding", "foreseen", "abandoned", "skipped")
        logger.info("Sweep %s: %s", self._path, ", ".join(f"{name} {numbers[name]}" for name in told))

    def _judge(self, records: Sequence[RunRecord], own: RunRecord) -> list[JudgedRun]:
        now = server_time([*records, own], datetime.now(timezone.utc))
        return judge(
            records,
            self._carbs.space,
            now,
            suggestion_from_run=self._suggestion_from_run,
            stale_seconds=self._stale_seconds,
        )

    def _foresee(self, others: Sequence[JudgedRun], own: RunRecord) -> int:
        """Draw for the runs that were created earlier and have no suggestion yet; return their number."""
        earlier = [
            run.record for run in others if run.verdict.standing is Standing.STARTING and run.record.order < own.order
        ]
        for record in sorted(earlier, key=lambda record: record.order)[:_MAX_FORESEEN]:
            self._carbs.suggest(record.id, seed=self._seed(record.id))
        return len(earlier)

    def _seed(self, run_id: str, attempt: int = 0) -> str:
        return f"{self._sweep_id}/{run_id}" + (f"/{attempt}" if attempt else "")

    def _take_suggestion(self, own: RunRecord) -> None:
        """Draw, publish, and draw again should another agent have published the same."""
        for attempt in range(_MAX_REDRAWS + 1):
            output = self._carbs.suggest(own.id, seed=self._seed(own.id, attempt))
            self._adopt(self._carbs.space.select(output.suggestion))
            self._state = RUNNING
            self._publish(_beliefs(output))
            if not self._is_taken(own, output) or attempt == _MAX_REDRAWS:
                return
            logger.info("Run %s: another agent has the same configuration; drawing again", self._wandb_run.name)
            self._carbs.forget_suggestion({SUGGESTION_ID_KEY: own.id})

    def _take_up(self, own: RunRecord) -> bool:
        """Take up the suggestion that this run recorded before it was interrupted, if there is one."""
        if own.summary.get(STATE_KEY) not in (RUNNING, SUCCESS, FAILURE, ABANDONED):
            return False
        try:
            suggestion = self._suggestion_from_run(RunView(own))
            problems = self._carbs.space.problems_with(suggestion)
        except Exception as error:  # noqa: BLE001 - a subclass may fail in any way
            problems = [repr(error)]
        if problems:
            logger.warning("Run %s cannot take up its suggestion: %s", own.name, "; ".join(problems))
            return False
        self._adopt(self._carbs.space.select(suggestion), own.config)
        self._carbs.remember_suggestion(self._suggestion, own.id)
        return True

    def _adopt(self, suggestion: ParamDict, recorded: Mapping[str, Any] | None = None) -> None:
        """Make `suggestion` the run's; what was recorded of its transformed form goes before a new transformation."""
        self._suggestion = {**suggestion, SUGGESTION_ID_KEY: self._wandb_run.id}
        transformed = live.plain(self._transform_suggestion(deepcopy(self._suggestion)))
        transformed.update({key: recorded[key] for key in transformed if key in recorded} if recorded else {})
        self._transformed = transformed

    def _publish(self, beliefs: Mapping[str, Any]) -> None:
        values = {key: value for key, value in self._transformed.items() if key != SUGGESTION_ID_KEY}
        self._reporter.suggestion(values, {**beliefs, STATE_KEY: self._state})

    def _is_taken(self, own: RunRecord, output: SuggestOutput) -> bool:
        """Read the newest runs: publish again if ours was overwritten, and tell whether another has the same."""
        recent = self._reader.recent()
        arrived = next((record for record in recent if record.id == own.id), None)
        if arrived is not None and arrived.summary.get(STATE_KEY) != self._state:
            # What the SDK had under way when we published has overwritten it.
            self._publish(_beliefs(output))
        if output.log.get("kind") == "resample":
            return False
        others = self._judge([record for record in recent if record.id != own.id], own)
        same = [run for run in others if run.suggestion is not None and self._equals(run.suggestion)]
        feed(self._carbs, same)
        return bool(same)

    def _equals(self, suggestion: ParamDict) -> bool:
        points = self._carbs.space.encode([suggestion, self._suggestion])
        return bool(np.all(np.abs(points[0] - points[1]) < 1e-9))

    def _report_unless_successful(self, state: str, reason: str) -> None:
        if self._state == SUCCESS:
            logger.warning(
                "Run %s has recorded its observation; it is kept, and %r is not recorded", self._wandb_run.name, state
            )
            return
        self._report(state, {REASON_KEY: reason})

    def _report(self, state: str, values: Mapping[str, Any]) -> None:
        self._state = state
        signals.unwatch(self._abandon_on_signal)
        self._reporter.outcome({STATE_KEY: state, **values})
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


def _beliefs(output: SuggestOutput) -> dict[str, Any]:
    """Return what the optimizer believed, as flat summary keys."""
    return {
        # Why the model was not used; `carbs.reason` is for how the run ended.
        "carbs.kind_reason" if key == "reason" else f"carbs.{key}": value
        for key, value in output.log.items()
        if isinstance(value, (str, bool)) or (isinstance(value, (int, float)) and np.isfinite(value))
    }
