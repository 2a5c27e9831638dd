"""Taking one suggestion for one run, so that no other agent of the sweep has the same.

`docs/many-machines.md` ("How agents keep apart") explains why this needs no coordinator.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from carbs import CARBS, ParamDict, SuggestOutput
from carbs.spaces.values import SUGGESTION_ID_KEY
from wandb_carbs.agent import own_run
from wandb_carbs.agent.foresight import are_equal, beliefs, draw, look_around, seed_of
from wandb_carbs.agent.recorder import RunRecorder
from wandb_carbs.clock import server_time
from wandb_carbs.errors import WandbConnectionError
from wandb_carbs.plain import plain
from wandb_carbs.record import (
    ABANDONED,
    FAILURE,
    KEY_PREFIX,
    RUNNING,
    STALE_SECONDS,
    STATE_KEY,
    SUCCESS,
    RunRecord,
    Standing,
    recorded_config,
)
from wandb_carbs.retry import is_transient
from wandb_carbs.sweep.history import feed
from wandb_carbs.sweep.judged import (
    JudgedRun,
    config_of_run,
    count,
    judge,
    lost_suggestions,
    read_suggestion,
    replaced_suggestions,
)
from wandb_carbs.sweep.runs import RunReader

logger = logging.getLogger("wandb_carbs")

# Drawing again helps unless the space has hardly any configurations left.
_MAX_REDRAWS = 3


@dataclass(frozen=True)
class Translation:
    """How a run's configuration is made of a suggestion, and read back where only the configuration was recorded.

    Attributes:
        to_config: Makes the run's configuration of a configuration of the search space.
        from_run: Reads a configuration of the search space from a run (`RunView`).
    """

    to_config: Callable[[dict[str, Any]], Mapping[str, Any]] = dict
    from_run: Callable[[Any], Mapping[str, Any]] = config_of_run

    def configuration(self, point: ParamDict, run_id: str) -> dict[str, Any]:
        """Return the configuration of a run that takes a point of the search space."""
        made: dict[str, Any] = plain(self.to_config({**deepcopy(point), SUGGESTION_ID_KEY: run_id}))
        made.pop(SUGGESTION_ID_KEY, None)
        return made


@dataclass(frozen=True)
class Suggestion:
    """A run's suggestion.

    Attributes:
        point: The configuration of the search space.
        values: The configuration that the run gets.
        is_resumed: Whether the run had taken it before it was interrupted.
    """

    point: ParamDict
    values: dict[str, Any]
    is_resumed: bool = False


def _no_marks(_: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


class SuggestionTaker:
    """Take one suggestion for one run: read the sweep, foresee, draw, publish, and make sure that it is the only one.

    Use it in three steps: `read` finds the run, a `RunPublisher` and a `RunRecorder` are made for it, and `take`
    publishes the suggestion through them.

    Args:
        carbs: The optimizer; it learns of the sweep's runs.
        reader: Reads the sweep's runs.
        run_id: The run.
        translation: How a run's configuration is made of a suggestion.
        stale_seconds: A run not heard of for longer is gone.
        progress: The hyperparameter whose values a run passes through; None where only the ends of runs count.
        marks: Returns summary keys that mark a run by the configuration that it gets; they are published with it.
        warned: Ids of skipped runs that there has been a warning of; those of this run are added.

    Attributes:
        counts: How many other runs counted as what when the suggestion was taken.
    """

    def __init__(
        self,
        carbs: CARBS,
        reader: RunReader,
        run_id: str,
        *,
        translation: Translation | None = None,
        progress: str | None = None,
        stale_seconds: float = STALE_SECONDS,
        marks: Callable[[Mapping[str, Any]], Mapping[str, Any]] = _no_marks,
        warned: set[str] | None = None,
    ) -> None:
        self._marks = marks
        self._carbs = carbs
        self._reader = reader
        self._run_id = run_id
        self._translation = translation or Translation()
        self._progress = progress
        self._stale_seconds = stale_seconds
        self._others: list[RunRecord] = []
        self._warned = set() if warned is None else warned
        self.counts: dict[str, int] = {}

    @property
    def others(self) -> list[RunRecord]:
        """The other runs of the sweep, as `read` found them."""
        return list(self._others)

    def read(self) -> RunRecord:
        """Read all runs of the sweep, and return this one.

        Raises:
            WandbCarbsError: If its project does not have the sweep: then no other run would ever be seen.
            WandbConnectionError: If W&B cannot be reached.
        """
        sweep = self._reader.sweep
        own = self._find()
        if own is None:
            try:
                self._reader.check_sweep()
            except WandbConnectionError as error:
                if is_transient(error):
                    raise
                raise own_run.wrong_project(self._run_id, sweep, error) from error
            # W&B may list a run somewhat late.
            own = self._find()
        if own is None:
            logger.warning("W&B does not list run %s in sweep %s: other agents may not see it", self._run_id, sweep)
            own = self._reader.one(self._run_id)
        return own

    def take(self, own: RunRecord, recorder: RunRecorder) -> Suggestion:
        """Take up the run's own suggestion if it has one, or else draw one; publish it.

        Args:
            own: The run, as `read` returned it.
            recorder: The run's recorder.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        others = self._judge(self._others, own)
        self.counts = count(others)
        resumed = self._own_suggestion(own)
        if resumed is not None:
            feed(self._carbs, self._reader.sweep, others, own.id)
            self._carbs.remember_suggestion(resumed.point, own.id)
            logger.info("Run %s takes up its own suggestion (it was %s)", own.name, own.summary.get(STATE_KEY))
            # The SDK starts a new summary when a run is started again without being resumed.
            kept = {key: value for key, value in own.summary.items() if key.startswith(KEY_PREFIX)}
            recorder.resume(resumed.point, resumed.values, {**kept, **self._marks(resumed.values)})
            return resumed
        recorder.initialize()
        foreseen, later = look_around(self._carbs, self._reader.sweep, others, own)
        self._log_counts(foreseen)
        lost = lost_suggestions(others, self._carbs.space, self._translation.from_run)
        stopped = [run.record.id for run in others if run.record.id in lost and run.record.was_stopped]
        # The optimizer knows only what was run in their place, and would suggest them again.
        replaced = replaced_suggestions(others, self._carbs.space)
        lost, stopped = {**lost, **replaced}, [*stopped, *replaced]
        waiting = {run.record.id for run in others if run.verdict.standing is Standing.STARTING}
        for attempt in range(_MAX_REDRAWS + 1):
            output = draw(self._carbs, own.id, seed_of(self._reader.sweep.sweep_id, own.id, attempt), lost, stopped)
            for run in later:
                self._remember(run)
            point = self._carbs.space.select(output.suggestion)
            suggestion = Suggestion(point, self._values(point))
            recorder.start(point, suggestion.values, self._keys(suggestion, output))
            if attempt == _MAX_REDRAWS or not self._is_taken(own, suggestion, output, recorder, waiting):
                break
            logger.info("Run %s: another agent has the same configuration; drawing again", own.name)
            self._carbs.forget_suggestion({SUGGESTION_ID_KEY: own.id})
        return suggestion

    def _find(self) -> RunRecord | None:
        records = self._reader.all()
        self._others = [record for record in records if record.id != self._run_id]
        return next((record for record in records if record.id == self._run_id), None)

    def _judge(self, records: Sequence[RunRecord], own: RunRecord) -> list[JudgedRun]:
        # W&B's time of a run that is started again may be from before.
        just_heard_of = own if own.summary.get(STATE_KEY) is None else None
        now = server_time([*records, own], datetime.now(timezone.utc), just_heard_of)
        return judge(
            records,
            self._carbs.space,
            now,
            suggestion_from_run=self._translation.from_run,
            progress=self._progress,
            stale_seconds=self._stale_seconds,
            warned=self._warned,
        )

    def _log_counts(self, foreseen: int) -> None:
        numbers = {**self.counts, "foreseen": foreseen}
        shown = ("observation", "failure", "running", "foreseen", "abandoned", "skipped")
        logger.info("Sweep %s: %s", self._reader.sweep, ", ".join(f"{name} {numbers[name]}" for name in shown))

    def _own_suggestion(self, own: RunRecord) -> Suggestion | None:
        """Return the suggestion that this run recorded before it was interrupted, if there is one."""
        if own.summary.get(STATE_KEY) not in (RUNNING, SUCCESS, FAILURE, ABANDONED):
            return None
        point, problem = read_suggestion(own, self._carbs.space, self._translation.from_run)
        if point is None:
            logger.warning("Run %s cannot take up its suggestion: %s", own.name, problem)
            return None
        if not self._carbs.obeys(point):
            logger.warning("Run %s cannot take up its suggestion: is_valid refuses it", own.name)
            return None
        return Suggestion(point, self._values(point, recorded_config(own)), is_resumed=True)

    def _keys(self, suggestion: Suggestion, output: SuggestOutput) -> dict[str, Any]:
        return {**beliefs(output), **self._marks(suggestion.values)}

    def _values(self, point: ParamDict, recorded: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Make the run's configuration; what was recorded of it goes before a new transformation."""
        values = self._translation.configuration(point, self._run_id)
        return {**values, **{key: recorded[key] for key in values if key in recorded}} if recorded else values

    def _is_taken(
        self, own: RunRecord, suggestion: Suggestion, output: SuggestOutput, recorder: RunRecorder, waiting: set[str]
    ) -> bool:
        """Read what has changed: publish again if ours was overwritten, and say whether another has the same."""
        recent = self._reader.changed({record.id for record in self._others}, waiting)
        arrived = next((record for record in recent if record.id == own.id), None)
        if arrived is not None and arrived.summary.get(STATE_KEY) != recorder.state:
            # The SDK had an older summary under way, which has overwritten ours.
            recorder.start(suggestion.point, suggestion.values, self._keys(suggestion, output))
        others = self._judge([record for record in recent if record.id != own.id], own)
        if output.log.get("kind") == "resample":
            # It repeats a run that is over, on purpose; but two agents must not both repeat it at once.
            others = [run for run in others if run.verdict.standing is Standing.RUNNING]
        same = [
            run
            for run in others
            if run.suggestion is not None and are_equal(self._carbs, run.suggestion, suggestion.point)
        ]
        for run in same:
            self._remember(run)
        return bool(same)

    def _remember(self, run: JudgedRun) -> None:
        """Keep a run's configuration from being drawn again, whatever the run has come to meanwhile."""
        if run.suggestion is not None:
            self._carbs.remember_suggestion(run.suggestion, run.record.id)
