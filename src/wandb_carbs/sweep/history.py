"""A sweep's runs as the history of an optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

from carbs import CARBS, ObservationInParam, ParamDict, SearchSpace
from wandb_carbs.clock import server_time
from wandb_carbs.record import STALE_SECONDS
from wandb_carbs.retry import INTERACTIVE_SECONDS
from wandb_carbs.sweep.definition import SweepDefinition, SweepLabels, load_whole
from wandb_carbs.sweep.distributions import constants_of
from wandb_carbs.sweep.judged import ENDED, JudgedRun, count, judge, result_of, way_of
from wandb_carbs.sweep.path import SweepPath
from wandb_carbs.sweep.runs import RunReader


@dataclass(frozen=True)
class SweepHistory:
    """A sweep: what it searches, and its runs.

    Attributes:
        path: Where it is.
        definition: What it searches.
        runs: Its runs in the order of their creation.
        labels: How it is shown to people.
        configuration: W&B's configuration of it.
    """

    path: SweepPath
    definition: SweepDefinition
    runs: tuple[JudgedRun, ...]
    labels: SweepLabels = field(default_factory=SweepLabels)
    configuration: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def constants(self) -> dict[str, Any]:
        """What every run gets and the search does not choose, by names with dots."""
        return constants_of(self.configuration, {param.name for param in self.definition.params})

    @property
    def counts(self) -> dict[str, int]:
        """How many runs count as what."""
        return count(self.runs)

    @property
    def ended(self) -> SweepHistory:
        """The sweep with the runs alone that have a result, an observation or a failure."""
        return replace(self, runs=tuple(run for run in self.runs if run.verdict.standing in ENDED))


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
        definition, labels, configuration = load_whole(str(self.path))
        records = self._reader.all()
        runs = judge(
            records,
            SearchSpace(definition.params),
            server_time(records, datetime.now(timezone.utc)),
            stale_seconds=self._stale_seconds,
            warned=self._warned,
            progress=definition.progress_parameter,
        )
        return SweepHistory(self.path, definition, tuple(runs), labels, configuration)


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
        if (way := way_of(run)) is not None:
            observations[f"{run.record.id}/way"] = way
    carbs.synchronize(str(sweep), observations, others)
