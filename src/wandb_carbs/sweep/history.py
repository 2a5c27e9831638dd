"""A sweep's runs as the history of an optimizer."""

from __future__ import annotations

import logging
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from carbs import CARBS, ObservationInParam, ParamDict, SearchSpace
from carbs.spaces.values import SUGGESTION_ID_KEY
from wandb_carbs.clock import server_time
from wandb_carbs.record import (
    ABANDONED,
    COST_KEY,
    OBJECTIVE_KEY,
    RUNNING,
    STALE_SECONDS,
    STATE_KEY,
    RunRecord,
    Standing,
    Verdict,
    classify,
)
from wandb_carbs.retry import INTERACTIVE_SECONDS
from wandb_carbs.sweep.definition import SweepDefinition, load_definition
from wandb_carbs.sweep.path import SweepPath
from wandb_carbs.sweep.runs import RunReader

logger = logging.getLogger("wandb_carbs")

_WITH_SUGGESTION = (Standing.OBSERVATION, Standing.FAILURE, Standing.OUTSTANDING)
_warned: set[str] = set()
# Runs whose outcome an optimizer has seen: one that outlives a run must not see them twice.
_observed: weakref.WeakKeyDictionary[CARBS, set[str]] = weakref.WeakKeyDictionary()


class RunView:
    """A run as `_suggestion_from_run` gets it: the public API's, with its recorded suggestion in `config`."""

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
        verdict: What it counts as, and why.
        suggestion: Its configuration in the search space; None where there is none.
    """

    record: RunRecord
    verdict: Verdict
    suggestion: ParamDict | None = None


@dataclass(frozen=True)
class SweepHistory:
    """A sweep: what it searches, and its runs.

    Attributes:
        path: Where it is.
        definition: What it searches.
        runs: Its runs in the order of their creation.
    """

    path: SweepPath
    definition: SweepDefinition
    runs: tuple[JudgedRun, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many runs count as what."""
        return count(self.runs)


def load_sweep(sweep: str | SweepPath, *, stale_seconds: float = STALE_SECONDS) -> SweepHistory:
    """Read a sweep that `create_sweep` created.

    Args:
        sweep: "entity/project/sweep".
        stale_seconds: A run not heard of for longer is gone.

    Raises:
        WandbCarbsError: If it is no such sweep.
        WandbConnectionError: If it cannot be read.
    """
    path = sweep if isinstance(sweep, SweepPath) else SweepPath.parse(sweep)
    definition = load_definition(str(path))
    space = SearchSpace(definition.params)
    records = RunReader(path, INTERACTIVE_SECONDS).all()
    now = server_time(records, datetime.now(timezone.utc))
    return SweepHistory(path, definition, tuple(judge(records, space, now, stale_seconds=stale_seconds)))


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
    feed(carbs, history.runs)
    return carbs


def judge(
    records: Sequence[RunRecord],
    space: SearchSpace,
    now: datetime,
    *,
    suggestion_from_run: Callable[[Any], Mapping[str, Any]] = lambda run: run.config,
    stale_seconds: float = STALE_SECONDS,
) -> list[JudgedRun]:
    """Judge what each run counts as; one that is malformed is skipped, with one warning per process.

    Args:
        records: The runs.
        space: The search space that their configurations must lie in.
        now: The present, by W&B's clock.
        suggestion_from_run: Reads a configuration of the search space from a run.
        stale_seconds: A run not heard of for longer is gone.
    """
    judged = []
    for record in records:
        run = JudgedRun(record, classify(record, now, stale_seconds))
        if run.verdict.standing in _WITH_SUGGESTION:
            run = _with_suggestion(run, space, suggestion_from_run)
        if run.verdict.standing is Standing.SKIPPED and record.id not in _warned:
            _warned.add(record.id)
            logger.warning("Skipping run %s (%s): %s", record.name, record.id, run.verdict.reason)
        judged.append(run)
    return judged


def lost_suggestions(
    runs: Sequence[JudgedRun],
    space: SearchSpace,
    suggestion_from_run: Callable[[Any], Mapping[str, Any]] = lambda run: run.config,
) -> dict[str, ParamDict]:
    """Read the configurations of the abandoned runs that had taken a suggestion, by the run's id.

    Args:
        runs: Runs.
        space: The search space; configurations outside are left out.
        suggestion_from_run: Reads a configuration of the search space from a run.
    """
    gone = [run for run in runs if run.verdict.standing is Standing.ABANDONED]
    took = [run for run in gone if run.record.summary.get(STATE_KEY) in (RUNNING, ABANDONED)]
    read = {run.record.id: _with_suggestion(run, space, suggestion_from_run).suggestion for run in took}
    return {id_: values for id_, values in read.items() if values is not None}


def count(runs: Sequence[JudgedRun]) -> dict[str, int]:
    """Count runs by what they count as."""
    counts = Counter(run.verdict.standing for run in runs)
    return {standing.value: counts[standing] for standing in Standing}


def feed(carbs: CARBS, runs: Sequence[JudgedRun]) -> None:
    """Tell an optimizer of observations, failures and outstanding suggestions; what it knows already is left out."""
    observed = _observed.setdefault(carbs, set())
    for run in runs:
        record, standing = run.record, run.verdict.standing
        if record.id in observed:
            continue
        if run.suggestion is None:
            carbs.forget_suggestion({SUGGESTION_ID_KEY: record.id})
            continue
        values = {**run.suggestion, SUGGESTION_ID_KEY: record.id}
        if standing is Standing.OUTSTANDING:
            carbs.remember_suggestion(values, record.id)
            continue
        observed.add(record.id)
        if standing is Standing.FAILURE:
            carbs.observe(ObservationInParam(input=values, is_failure=True))
        else:
            carbs.observe(ObservationInParam(values, record.summary[OBJECTIVE_KEY], record.summary[COST_KEY]))


def _with_suggestion(
    run: JudgedRun, space: SearchSpace, suggestion_from_run: Callable[[Any], Mapping[str, Any]]
) -> JudgedRun:
    try:
        values = suggestion_from_run(RunView(run.record))
        problems = [str(problem) for problem in space.problems_with(values)]
    except Exception as error:  # noqa: BLE001 - a subclass's reading of a foreign run may fail in any way
        problems = [f"its configuration cannot be read: {error!r}"]
    if problems:
        return replace(run, verdict=Verdict(Standing.SKIPPED, "; ".join(problems)))
    return replace(run, suggestion=space.select(values))
