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
from typing import TYPE_CHECKING, Any

import wandb

from carbs import CARBS, ParamDict, SuggestOutput
from carbs.spaces.values import SUGGESTION_ID_KEY
from wandb_carbs.agent import own_run, sigterm
from wandb_carbs.agent.foresight import are_equal, beliefs, draw, look_around, seed_of
from wandb_carbs.agent.publisher import Reporter
from wandb_carbs.agent.ranks import check_rank
from wandb_carbs.agent.recorder import RecordedRun
from wandb_carbs.clock import server_time
from wandb_carbs.errors import WandbCarbsError, WandbConnectionError
from wandb_carbs.plain import plain
from wandb_carbs.record import (
    ABANDONED,
    FAILURE,
    INITIALIZING,
    KEY_PREFIX,
    REASON_KEY,
    RUNNING,
    STALE_SECONDS,
    STATE_KEY,
    SUCCESS,
    RunRecord,
    Standing,
)
from wandb_carbs.retry import RETRY_SECONDS, is_transient
from wandb_carbs.sweep.definition import load_definition
from wandb_carbs.sweep.history import JudgedRun, RunView, count, feed, judge, lost_suggestions
from wandb_carbs.sweep.path import SweepPath
from wandb_carbs.sweep.runs import RunReader

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger("wandb_carbs")

# Drawing again helps unless the space has hardly any configurations left.
_MAX_REDRAWS = 3


class WandbCarbs(RecordedRun):
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
        WandbCarbsError: If there is no run, it is in no sweep or in another project than its sweep, or this is not the
            job's first rank.
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
        run = own_run.check_run(wandb_run if wandb_run is not None else wandb.run)
        super().__init__(run, raise_errors=raise_errors)
        self._sweep_id = own_run.check_sweep(run, sweep_id)
        self._path = SweepPath(run.entity, run.project, self._sweep_id)
        self._stale_seconds = stale_seconds
        self._retry_seconds = retry_seconds
        self._reader = RunReader(self._path, retry_seconds)
        self._suggestion: ParamDict = {}
        self._transformed: dict[str, Any] = {}
        try:
            self._start()
        except BaseException:
            sigterm.unwatch(self._abandon_on_signal)
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
        run = own_run.check_run(run if run is not None else wandb.run)
        path = SweepPath(run.entity, run.project, own_run.check_sweep(run, options.get("sweep_id")))
        definition = load_definition(str(path), limit=options.get("retry_seconds", RETRY_SECONDS))
        return cls(definition.optimizer(), wandb_run=run, **options)

    def suggest(self) -> dict[str, Any]:
        """Return the run's configuration as a plain dict of its own; the run's id is under "suggestion_uuid"."""
        return deepcopy(self._transformed)

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
        records, own = self._read_sweep()
        others = self._judge([record for record in records if record.id != own.id], own)
        self._reporter = Reporter(self._wandb_run, own, self._reader, self._retry_seconds)
        sigterm.watch(self._abandon_on_signal)
        if self._take_up(own):
            feed(self._carbs, others)
            state = own.summary.get(STATE_KEY)
            logger.info("Run %s takes up its own suggestion (it was %s)", own.name, state)
            self._is_stored = state == SUCCESS
            self._state = SUCCESS if self._is_stored else RUNNING
            # The SDK starts a new summary when a run is started again without being resumed.
            kept = {key: value for key, value in own.summary.items() if key.startswith(KEY_PREFIX)}
            self._publish({**kept, REASON_KEY: ""} if REASON_KEY in kept else kept)
            return
        own_run.update_summary(self._wandb_run, {STATE_KEY: INITIALIZING})
        foreseen, later = look_around(self._carbs, others, own, self._sweep_id)
        self._log_counts(others, foreseen)
        lost = lost_suggestions(others, self._carbs.space, self._suggestion_from_run)
        self._take_suggestion(own, later, lost)

    def _read_sweep(self) -> tuple[list[RunRecord], RunRecord]:
        """Read all runs, and find this process's among them.

        Raises:
            WandbCarbsError: If its project does not have the sweep: then no other run would ever be seen.
        """
        id_ = self._wandb_run.id
        records = self._reader.all()
        own = next((record for record in records if record.id == id_), None)
        if own is None:
            try:
                self._reader.check_sweep()
            except WandbConnectionError as error:
                if is_transient(error):
                    raise
                raise WandbCarbsError(
                    f"run {id_} is in project {self._path.entity}/{self._path.project}, where there is no sweep "
                    f"{self._sweep_id}: set WANDB_ENTITY and WANDB_PROJECT, or entity and project of wandb.init(), to "
                    f"the sweep's ({error})"
                ) from error
            # W&B may list a run somewhat late.
            records = self._reader.all()
            own = next((record for record in records if record.id == id_), None)
        if own is None:
            logger.warning("W&B does not list run %s in sweep %s: other agents may not see it", id_, self._path)
            own = self._reader.one(id_)
        return records, own

    def _log_counts(self, others: Sequence[JudgedRun], foreseen: int) -> None:
        numbers = {**count(others), "foreseen": foreseen}
        told = ("observation", "failure", "outstanding", "foreseen", "abandoned", "skipped")
        logger.info("Sweep %s: %s", self._path, ", ".join(f"{name} {numbers[name]}" for name in told))

    def _judge(self, records: Sequence[RunRecord], own: RunRecord) -> list[JudgedRun]:
        now = server_time(records, datetime.now(timezone.utc), own)
        return judge(
            records,
            self._carbs.space,
            now,
            suggestion_from_run=self._suggestion_from_run,
            stale_seconds=self._stale_seconds,
        )

    def _take_suggestion(self, own: RunRecord, later: Sequence[JudgedRun], lost: Mapping[str, ParamDict]) -> None:
        """Draw, publish, and draw again should another agent have published the same."""
        for attempt in range(_MAX_REDRAWS + 1):
            output = draw(self._carbs, own.id, seed_of(self._sweep_id, own.id, attempt), lost)
            feed(self._carbs, later)
            self._adopt(self._carbs.space.select(output.suggestion))
            self._state = RUNNING
            self._publish(beliefs(output))
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
            problems = [str(problem) for problem in self._carbs.space.problems_with(suggestion)]
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
        transformed = plain(self._transform_suggestion(deepcopy(self._suggestion)))
        transformed.update({key: recorded[key] for key in transformed if key in recorded} if recorded else {})
        self._transformed = transformed

    def _publish(self, keys: Mapping[str, Any]) -> None:
        values = {key: value for key, value in self._transformed.items() if key != SUGGESTION_ID_KEY}
        self._reporter.suggestion(values, {**keys, STATE_KEY: self._state})

    def _is_taken(self, own: RunRecord, output: SuggestOutput) -> bool:
        """Read the newest runs: publish again if ours was overwritten, and tell whether another has the same."""
        recent = self._reader.recent()
        arrived = next((record for record in recent if record.id == own.id), None)
        if arrived is not None and arrived.summary.get(STATE_KEY) != self._state:
            # What the SDK had under way when we published has overwritten it.
            self._publish(beliefs(output))
        others = self._judge([record for record in recent if record.id != own.id], arrived or own)
        if output.log.get("kind") == "resample":
            # It repeats a run that is over, on purpose; but two agents must not both repeat it at once.
            others = [run for run in others if run.verdict.standing is Standing.OUTSTANDING]
        same = [
            run
            for run in others
            if run.suggestion is not None and are_equal(self._carbs, run.suggestion, self._suggestion)
        ]
        feed(self._carbs, same)
        return bool(same)
