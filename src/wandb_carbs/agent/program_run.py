"""One run of the sweep that a program trains: its suggestion before, its outcome afterwards."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from carbs import CarbsError
from wandb_carbs.agent.command_line import fill_in
from wandb_carbs.agent.early_stop import LoggedStop
from wandb_carbs.agent.logged_curve import unreported_note
from wandb_carbs.agent.orphans import settle, spent_by
from wandb_carbs.agent.outcome import STOPPED, Ending, Outcome, failure_behind
from wandb_carbs.agent.own_names import other_values
from wandb_carbs.agent.program import environment_for
from wandb_carbs.agent.program_values import values_for, write_parameters
from wandb_carbs.agent.publisher import RunPublisher
from wandb_carbs.agent.recorder import RunRecorder
from wandb_carbs.agent.registration import Registration
from wandb_carbs.agent.runnable_sweep import RunnableSweep, words_of_sdk
from wandb_carbs.agent.suggestion import Suggestion, SuggestionTaker, Translation
from wandb_carbs.agent.whole_outcome import whole_outcome
from wandb_carbs.errors import WandbConnectionError
from wandb_carbs.metrics import without
from wandb_carbs.plain import is_number, to_json
from wandb_carbs.record import (
    ABANDONED,
    BEFORE_KEY,
    BEGUN_KEY,
    CHANGES_KEY,
    COST_KEY,
    FAILURE,
    OBJECTIVE_KEY,
    OUTCOMES,
    REASON_KEY,
    SECONDS_KEY,
    SETTLED_KEY,
    STATE_KEY,
    STOPPED_KEY,
    SUCCESS,
    RunRecord,
)
from wandb_carbs.retry import INTERACTIVE_SECONDS
from wandb_carbs.sweep.runs import RunReader

logger = logging.getLogger("wandb_carbs")

# A run not heard of for 300 s counts as lost (120 s on the local server): until the program calls wandb.init(), which
# may be after it has loaded its data, this agent is heard of in its place.
_ALIVE_SECONDS = 60.0
_LAST_SECONDS = 5.0
# Of a run that has recorded its outcome itself: how it went.
_SHOWN_KEYS = (STATE_KEY, OBJECTIVE_KEY, COST_KEY, REASON_KEY, STOPPED_KEY)


class ProgramRun:
    """A run that another process trains, and this one records.

    Args:
        sweep: Its sweep.
        run_id: The run.
        reader: Reads the sweep's runs.
        registration: The agent that was given the run.
        warned: Ids of skipped runs that the agent has warned of.

    Attributes:
        suggestion: The values to train with; None before it has begun.
        settled: Outcomes of runs that had ended without their agents, which this one recorded as it began.
        other_values: Values that its program's own configuration held instead of the suggestion, once it has ended.
    """

    def __init__(
        self,
        sweep: RunnableSweep,
        run_id: str,
        reader: RunReader,
        registration: Registration,
        warned: set[str] | None = None,
    ) -> None:
        self._warned = warned
        self.id = run_id
        self.suggestion: Suggestion | None = None
        self.settled: Mapping[str, Outcome] = {}
        self.other_values: Mapping[str, Any] = {}
        self._sweep = sweep
        self._reader = reader
        self._registration = registration
        self._publisher: RunPublisher | None = None
        self._recorder: RunRecorder | None = None
        self._spent = 0.0
        self._begun: float | None = None
        self._stop: LoggedStop | None = None
        self._marks: Mapping[str, Any] = {}
        self._has_joined = False
        self._folder: Path | None = None
        # Traces that an earlier start of the run has left.
        self._old_words: Mapping[str, Any] = {}
        self._old_folders: frozenset[Path] = frozenset()
        self._heard_of = time.monotonic()

    @property
    def num_joined(self) -> int:
        """How many folders the program's SDK has made for the run: one for each `wandb.init()`."""
        return len(self._folders() - self._old_folders)

    def begin(self) -> Suggestion:
        """Take the run's suggestion, or take up the one that it had; everybody can see it when this returns.

        Raises:
            CarbsError: If W&B cannot be reached, or the sweep is gone.
        """
        self._registration.announce(self.id)
        carbs = self._sweep.definition.optimizer(is_valid=self._sweep.is_valid)
        taker = SuggestionTaker(
            carbs,
            self._reader,
            self.id,
            translation=Translation(to_config=lambda point: values_for(self._sweep.parameters, point)),
            progress=self._sweep.definition.progress_parameter,
            marks=lambda _: self._marks,
            warned=self._warned,
        )
        own = taker.read()
        self.settled = settle(self._sweep, self._reader, taker.others)
        own = _without_old_metrics(taker.read() if self.settled else own, self._sweep)
        self._spent = spent_by(own.summary)
        self._publisher = RunPublisher(own, self._reader)
        self._recorder = RunRecorder(self._publisher)
        # This process ends its programs before it ends itself, and records them then.
        self._recorder.unwatch()
        self._marks = _marks_of(own)
        self._old_words = words_of_sdk(own)
        self.suggestion = taker.take(own, self._recorder)
        self._stop = LoggedStop(self._sweep, carbs, self.id, self.suggestion.point, spent=self._spent)
        self._heard_of = time.monotonic()
        return self.suggestion

    def command(self, environment: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        """Write the run's files, and return the command that trains it and its environment.

        Args:
            environment: The agent's own variables.
        """
        assert self.suggestion is not None
        assert self._publisher is not None
        sweep, path = self._sweep, self._sweep.path
        # Absolute: the program may change its folder before it calls wandb.init().
        self._folder = Path(environment.get("WANDB_DIR") or Path.cwd()).absolute() / "wandb"
        self._old_folders = self._folders()
        parameters = self._folder / f"sweep-{path.sweep_id}" / f"config-{self.id}.yaml"
        write_parameters(parameters, self.suggestion.values, self._publisher.published)
        self._begun = time.time()
        line = fill_in(
            sweep.command, sweep.program, self.suggestion.values, parameters.with_suffix(".json"), environment
        )
        return line, environment_for(
            environment,
            entity=path.entity,
            project=path.project,
            sweep_id=path.sweep_id,
            run_id=self.id,
            parameters=parameters,
        )

    def keep_alive(self) -> None:
        """Let W&B hear of the run while its program has not called wandb.init() yet."""
        now = time.monotonic()
        if self._has_joined or now < self._heard_of + _ALIVE_SECONDS:
            return
        self._heard_of = now
        try:
            reader = RunReader(self._reader.sweep, INTERACTIVE_SECONDS)
            self._has_joined = self._has_folder() or self._has_words(reader.one(self.id))
            if not self._has_joined:
                self._registration.announce(self.id, INTERACTIVE_SECONDS)
        except WandbConnectionError as error:
            logger.info("Run %s: %s", self.id, error)

    def why_stop(self, seconds: float) -> str:
        """Return why the run should be stopped now, as its models advise; empty if it should go on.

        Args:
            seconds: How long its program has run.
        """
        if self._stop is None or self._begun is None:
            return ""
        try:
            return self._stop.why(seconds, self._begun)
        except CarbsError as error:
            logger.info("Run %s is not judged: %s", self.id, error)
            return ""

    def _has_folder(self) -> bool:
        """Return whether the program's SDK has made a folder for the run, be it one of another project."""
        return self.num_joined > 0

    def _has_words(self, record: RunRecord) -> bool:
        """Return whether the program's SDK has written into the run: it may write what an earlier start has written."""
        words = words_of_sdk(record)
        return bool(words) and (words != self._old_words or self._has_folder())

    def _folders(self) -> frozenset[Path]:
        """Return the folders in which the SDK has put the run's files; a program may have them elsewhere."""
        if self._folder is None:
            return frozenset()
        name = re.compile(rf"run-\d+_\d+-{re.escape(self.id)}(?:-\d+)?")
        return frozenset(path for path in self._folder.glob(f"run-*-{self.id}*") if name.fullmatch(path.name))

    def end(self, ending: Ending, seconds: float) -> Outcome:
        """Record how the run went, unless its program has done so.

        Args:
            ending: How the program ended.
            seconds: How long it ran.

        Raises:
            RunDeletedError: If somebody has deleted the run.
            WandbConnectionError: If W&B cannot be reached; it may be called again.
        """
        assert self._publisher is not None
        assert self._recorder is not None
        record = self._publisher.read()
        is_joined = self._has_words(record)
        may_be_whole = is_joined and ending.exit_code == 0 and ending.asked in ("", STOPPED)
        if may_be_whole and record.summary.get(STATE_KEY) not in OUTCOMES:
            record = self._publisher.read_end()
        is_settled = record.summary.get(SETTLED_KEY) is True
        advised = "" if self._stop is None else self._stop.advised
        state = record.summary.get(STATE_KEY)
        # A program that records its outcome itself has seen SIGTERM only.
        is_told = ending.asked == STOPPED and state == ABANDONED
        if state in OUTCOMES and not (is_settled or is_told):
            keys = {key: record.summary.get(key) for key in _SHOWN_KEYS}
            if why := failure_behind(ending, keys[STATE_KEY], keys[REASON_KEY]):
                keys.update({STATE_KEY: FAILURE, REASON_KEY: why})
                self._recorder.outcome({key: keys[key] for key in (STATE_KEY, REASON_KEY)})
            return Outcome(keys, note=unreported_note(self._sweep, record) if keys[STATE_KEY] == SUCCESS else "")
        outcome = whole_outcome(
            self._sweep,
            record,
            ending,
            seconds,
            is_joined=is_joined,
            spent=self._spent,
            begun=self._begun,
            advised=advised,
        )
        corrected = {SETTLED_KEY: False} if is_settled else {}
        if self.suggestion is not None and not is_told:
            self.other_values = other_values(record.config, self.suggestion.point, self.suggestion.values)
        changed = {CHANGES_KEY: to_json(self.other_values)} if self.other_values else {}
        self._recorder.outcome({**outcome.keys, SECONDS_KEY: self._spent + seconds, **corrected, **changed})
        return outcome

    def give_back(self, reason: str) -> None:
        """Say that the run is abandoned, if that is possible at once, while an exception is under way."""
        try:
            if self._publisher is not None:
                self._publisher.last_words({STATE_KEY: ABANDONED, REASON_KEY: reason}, _LAST_SECONDS)
        except Exception as error:  # noqa: BLE001 - the exception that is under way matters more
            logger.warning("Run %s could not be given back: %s", self.id, error)

    def abandon(self, reason: str) -> None:
        """Record that the run ended before its program was started.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        if self._recorder is not None:
            self._recorder.abandoned(reason)


def _without_old_metrics(own: RunRecord, sweep: RunnableSweep) -> RunRecord:
    """Return the run without the values of an earlier start that would be taken for its outcome.

    They stay in its history. A program that goes on where it was logs its own before it ends.
    """
    if own.summary.get(STATE_KEY) == SUCCESS:
        return own
    summary = own.summary
    for reading in (sweep.metric, sweep.cost):
        if reading is not None:
            summary = without(summary, reading.name)
    return replace(own, summary=summary)


def _marks_of(own: RunRecord) -> dict[str, Any]:
    """Return the keys that say when the program is started, and when an earlier one logged its last point."""
    last: Any = own.summary.get("_timestamp")
    return {BEGUN_KEY: time.time(), **({BEFORE_KEY: float(last)} if is_number(last) else {})}
