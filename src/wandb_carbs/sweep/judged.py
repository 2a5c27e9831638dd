"""What each run of a sweep counts as for the search, and what it has observed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from carbs import ObservationInParam, ParamDict, SearchSpace
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
    replaced_suggestion,
)
from wandb_carbs.sweep.progress import points_in

logger = logging.getLogger("wandb_carbs")

# So many of the runs that are skipped for one reason are named.
_NAMED = 5

# Runs that have a result.
ENDED = (Standing.OBSERVATION, Standing.FAILURE)
_WITH_SUGGESTION = (*ENDED, Standing.RUNNING)

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
    judged = [
        judge_run(record, space, now, suggestion_from_run, stale_seconds=stale_seconds, progress=progress)
        for record in records
    ]
    skipped = [(run.record, run.verdict.reason) for run in judged if run.verdict.standing is Standing.SKIPPED]
    _warn_of_skipped("run", skipped, warned)
    _warn_of_skipped("points on the way of run", [(run.record, run.problem) for run in judged if run.problem], warned)
    return judged


def judge_run(
    record: RunRecord,
    space: SearchSpace,
    now: datetime,
    suggestion_from_run: FromRun = config_of_run,
    *,
    stale_seconds: float = STALE_SECONDS,
    progress: str | None = None,
) -> JudgedRun:
    """Judge what a run counts as; see `judge`."""
    verdict, suggestion = classify(record, now, stale_seconds), None
    if verdict.standing in _WITH_SUGGESTION:
        suggestion, problem = read_suggestion(record, space, suggestion_from_run)
        verdict = Verdict(Standing.SKIPPED, problem) if suggestion is None else verdict
    if progress is None or CURVE_KEY not in record.summary or verdict.standing is Standing.SKIPPED:
        return JudgedRun(record, verdict, suggestion)
    values = suggestion or read_suggestion(record, space, suggestion_from_run)[0]
    points, problem = points_in(record.summary[CURVE_KEY], progress, space, values)
    return JudgedRun(record, verdict, suggestion, points, problem)


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


def replaced_suggestions(runs: Sequence[JudgedRun], space: SearchSpace) -> dict[str, ParamDict]:
    """Read the suggestions of the runs that count as other configurations, by the run's id.

    Args:
        runs: Runs.
        space: The search space; configurations outside are left out.
    """
    read = {run.record.id: replaced_suggestion(run.record) for run in runs if run.verdict.standing in ENDED}
    return {id_: space.select(values) for id_, values in read.items() if values and not space.problems_with(values)}


def count(runs: Sequence[JudgedRun]) -> dict[str, int]:
    """Count runs by what they count as."""
    counts = Counter(run.verdict.standing for run in runs)
    return {standing.value: counts[standing] for standing in Standing}


def result_of(run: JudgedRun) -> ObservationInParam | None:
    """Return a run as an observation or a failure, with the points on its way; None if it is neither."""
    standing, summary = run.verdict.standing, run.record.summary
    if standing not in ENDED or run.suggestion is None:
        return None
    if standing is Standing.FAILURE:
        return ObservationInParam(run.suggestion, is_failure=True, points=run.points)
    return ObservationInParam(run.suggestion, summary[OBJECTIVE_KEY], summary[COST_KEY], points=run.points)


def way_of(run: JudgedRun) -> ObservationInParam | None:
    """Return the way of a run without a result: its furthest point is the end of what was seen. None if it has none."""
    if run.verdict.standing in ENDED or not run.points:
        return None
    *before, last = run.points
    return replace(last, points=tuple(before))


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
