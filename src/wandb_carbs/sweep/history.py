"""A sweep's runs as the history of an optimizer."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from carbs import CARBS, ObservationInParam, ParamDict, SearchSpace
from wandb_carbs.clock import server_time
from wandb_carbs.plain import plural
from wandb_carbs.record import (
    ABANDONED,
    COST_KEY,
    CURVE_KEY,
    OBJECTIVE_KEY,
    RUNNING,
    STALE_SECONDS,
    STATE_KEY,
    RunRecord,
    Standing,
    Verdict,
    classify,
    recorded_suggestion,
)
from wandb_carbs.retry import INTERACTIVE_SECONDS
from wandb_carbs.sweep.definition import SweepDefinition, SweepLabels, load_labelled
from wandb_carbs.sweep.path import SweepPath
from wandb_carbs.sweep.progress import points_in
from wandb_carbs.sweep.runs import RunReader

logger = logging.getLogger("wandb_carbs")

# So many of the runs that are skipped for one reason are named.
_NAMED = 5

_ENDED = (Standing.OBSERVATION, Standing.FAILURE)
_WITH_SUGGESTION = (*_ENDED, Standing.RUNNING)


FromRun = Callable[[Any], Mapping[str, Any]]


class RunView:
    """A run as `_suggestion_from_run` gets it: like the public API's, but its values are plain dictionaries."""

    def __init__(self, record: RunRecord) -> None:
        self._record = record
        self.id = record.id
        self.name = record.name
        self.state = record.state
        self.config = dict(record.config)
        self.summary = dict(record.summary)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._record.source, name)


@dataclass(frozen=True)
class JudgedRun:
    """A run and what it counts as.

    Attributes:
        record: The run.
        verdict: Its standing for the search, and why.
        suggestion: Its configuration in the search space; None if it has not taken one, or was abandoned.
        points: Points on its way, each an observation of its own configuration.
        problem: Why its record of these points is skipped; empty if it is not.
    """

    record: RunRecord
    verdict: Verdict
    suggestion: ParamDict | None = None
    points: tuple[ObservationInParam, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class SweepHistory:
    """A sweep: what it searches, and its runs.

    Attributes:
        path: Where it is.
        definition: What it searches.
        runs: Its runs in the order of their creation.
        labels: How it is shown to people.
    """

    path: SweepPath
    definition: SweepDefinition
    runs: tuple[JudgedRun, ...]
    labels: SweepLabels = field(default_factory=SweepLabels)

    @property
    def counts(self) -> dict[str, int]:
        """How many runs count as what."""
        return count(self.runs)

    @property
    def ended(self) -> SweepHistory:
        """The sweep with the runs alone that have a result, an observation or a failure."""
        return replace(self, runs=tuple(run for run in self.runs if run.verdict.standing in _ENDED))


class SweepReader:
    """Read a sweep again and again; each reading shows what W&B says then, and warns only of runs that are new to it.

    Args:
        sweep: "entity/project/sweep".
        stale_seconds: A run not heard of for longer is gone.

    Raises:
        WandbCarbsError: If `sweep` does not name a sweep.
    """

    def __init__(self, sweep: str | SweepPath, *, stale_seconds: float = STALE_SECONDS) -> None:
        self.path = sweep if isinstance(sweep, SweepPath) else SweepPath.parse(sweep)
        self._stale_seconds = stale_seconds
        self._reader = RunReader(self.path, INTERACTIVE_SECONDS)
        self._warned: set[str] = set()

    def read(self) -> SweepHistory:
        """Read the sweep and all its runs: one request for each 1000, and one for the sweep.

        Raises:
            WandbCarbsError: If `create_sweep` did not create it.
            WandbConnectionError: If it cannot be read.
        """
        definition, labels = load_labelled(str(self.path))
        records = self._reader.all()
        runs = judge(
            records,
            SearchSpace(definition.params),
            server_time(records, datetime.now(timezone.utc)),
            stale_seconds=self._stale_seconds,
            warned=self._warned,
            progress=definition.progress_parameter,
        )
        return SweepHistory(self.path, definition, tuple(runs), labels)


def load_sweep(sweep: str | SweepPath, *, stale_seconds: float = STALE_SECONDS) -> SweepHistory:
    """Read a sweep that `create_sweep` created.

    Args:
        sweep: "entity/project/sweep".
        stale_seconds: A run not heard of for longer is gone.

    Raises:
        WandbCarbsError: If `create_sweep` did not create it.
        WandbConnectionError: If it cannot be read.
    """
    return SweepReader(sweep, stale_seconds=stale_seconds).read()


def carbs_from_sweep(sweep: str | SweepPath | SweepHistory) -> CARBS:
    """Return an optimizer that knows all that a sweep has observed.

    Args:
        sweep: "entity/project/sweep", or what `load_sweep` returned.

    Raises:
        WandbCarbsError: If it is no sweep of `create_sweep`.
        WandbConnectionError: If it cannot be read.
    """
    history = sweep if isinstance(sweep, SweepHistory) else load_sweep(sweep)
    carbs = history.definition.optimizer()
    feed(carbs, history.path, history.runs)
    return carbs


def config_of_run(run: Any) -> Mapping[str, Any]:
    """Return a run's configuration as it is."""
    config: Mapping[str, Any] = run.config
    return config


def judge(
    records: Sequence[RunRecord],
    space: SearchSpace,
    now: datetime,
    *,
    suggestion_from_run: FromRun = config_of_run,
    stale_seconds: float = STALE_SECONDS,
    warned: set[str] | None = None,
    progress: str | None = None,
) -> list[JudgedRun]:
    """Judge what each run counts as; one that cannot be used is skipped, with one warning for each reason.

    Args:
        records: The runs.
        space: The search space that their configurations must lie in.
        now: The present, by W&B's clock.
        suggestion_from_run: Reads a configuration of the search space from a run that has recorded none.
        stale_seconds: A run not heard of for longer is gone.
        warned: Ids of runs that there has been a warning of; this reading's are added.
        progress: The hyperparameter whose values a run passes through; None where only the ends of runs count.
    """
    warned = set() if warned is None else warned
    judged = []
    for record in records:
        run = JudgedRun(record, classify(record, now, stale_seconds))
        if run.verdict.standing in _WITH_SUGGESTION:
            suggestion, problem = read_suggestion(record, space, suggestion_from_run)
            verdict = Verdict(Standing.SKIPPED, problem) if suggestion is None else run.verdict
            run = JudgedRun(record, verdict, suggestion)
        if progress is not None and CURVE_KEY in record.summary and run.verdict.standing is not Standing.SKIPPED:
            values = run.suggestion or read_suggestion(record, space, suggestion_from_run)[0]
            points, problem = points_in(record.summary[CURVE_KEY], progress, space, values)
            run = replace(run, points=points, problem=problem)
        judged.append(run)
    skipped = [(run.record, run.verdict.reason) for run in judged if run.verdict.standing is Standing.SKIPPED]
    _warn_of_skipped("run", skipped, warned)
    _warn_of_skipped("points on the way of run", [(run.record, run.problem) for run in judged if run.problem], warned)
    return judged


def _warn_of_skipped(what: str, skipped: Sequence[tuple[RunRecord, str]], warned: set[str]) -> None:
    named: dict[str, list[str]] = {}
    for record, reason in skipped:
        if record.id not in warned:
            warned.add(record.id)
            named.setdefault(reason, []).append(f"{record.name} ({record.id})")
    for reason, names in named.items():
        others = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        logger.warning("Skipping %s %s%s: %s", plural(what, len(names)), ", ".join(names[:_NAMED]), others, reason)


def lost_suggestions(
    runs: Sequence[JudgedRun], space: SearchSpace, suggestion_from_run: FromRun = config_of_run
) -> dict[str, ParamDict]:
    """Read the configurations of the abandoned runs that had taken a suggestion, by the run's id.

    Args:
        runs: Runs.
        space: The search space; configurations outside are left out.
        suggestion_from_run: Reads a configuration of the search space from a run that has recorded none.
    """
    gone = [run.record for run in runs if run.verdict.standing is Standing.ABANDONED]
    took = [record for record in gone if record.summary.get(STATE_KEY) in (RUNNING, ABANDONED)]
    read = {record.id: read_suggestion(record, space, suggestion_from_run)[0] for record in took}
    return {id_: values for id_, values in read.items() if values is not None}


def count(runs: Sequence[JudgedRun]) -> dict[str, int]:
    """Count runs by what they count as."""
    counts = Counter(run.verdict.standing for run in runs)
    return {standing.value: counts[standing] for standing in Standing}


def feed(
    carbs: CARBS, sweep: SweepPath, runs: Sequence[JudgedRun], own_id: str = "", *, with_running: bool = True
) -> None:
    """Make an optimizer know of a sweep exactly what its runs say now.

    Observations that were deleted or corrected in W&B since the last time go; those from elsewhere stay.

    Args:
        carbs: The optimizer.
        sweep: The sweep.
        runs: All its runs, but for the agent's own.
        own_id: Id of the agent's own run; its suggestion from the last time goes, too.
        with_running: Whether the suggestions of running runs are given to it.
    """
    observations: dict[str, ObservationInParam] = {}
    others: dict[str, ParamDict | None] = {own_id: None} if own_id else {}
    for run in runs:
        if (result := result_of(run)) is not None:
            observations[run.record.id] = result
            continue
        others[run.record.id] = run.suggestion if with_running else None
        if run.points:  # the furthest is the end of what was seen
            *before, last = run.points
            observations[f"{run.record.id}/way"] = replace(last, points=tuple(before))
    carbs.synchronize(str(sweep), observations, others)


def result_of(run: JudgedRun) -> ObservationInParam | None:
    """Return a run as an observation or a failure, with the points on its way; None if it is neither."""
    standing, summary = run.verdict.standing, run.record.summary
    if standing not in _ENDED or run.suggestion is None:
        return None
    if standing is Standing.FAILURE:
        return ObservationInParam(run.suggestion, is_failure=True, points=run.points)
    return ObservationInParam(run.suggestion, summary[OBJECTIVE_KEY], summary[COST_KEY], points=run.points)


def read_suggestion(
    record: RunRecord, space: SearchSpace, suggestion_from_run: FromRun = config_of_run
) -> tuple[ParamDict | None, str]:
    """Read a run's suggestion: the point that it recorded, or for runs of older packages what its configuration says.

    Args:
        record: A run that has taken a suggestion. The configuration of one that has not is W&B's own draw.
        space: The search space.
        suggestion_from_run: Reads a configuration of the search space from a run that has recorded none.

    Returns:
        The configuration of the search space, or None; and in that case the reason.
    """
    try:
        recorded = recorded_suggestion(record)
        values = suggestion_from_run(RunView(record)) if recorded is None else recorded
        problems = space.problems_with(values)
    except Exception as error:  # noqa: BLE001 - a subclass's reading of a foreign run may fail in any way
        return None, f"its configuration cannot be read: {error!r}"
    if problems:
        return None, "; ".join(map(str, problems))
    return space.select(values), ""
