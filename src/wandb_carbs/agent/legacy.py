"""Members of the old package's `WandbCarbs` that programs use: each works, and warns of its replacement."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from carbs.legacy import warn_of
from wandb_carbs.agent.publisher import RunPublisher
from wandb_carbs.agent.recorder import RunRecorder
from wandb_carbs.record import Standing
from wandb_carbs.sweep.path import SweepPath
from wandb_carbs.sweep.runs import RunReader

# Methods that subclasses of the old package's class overrode, and what has taken their place.
_NOT_CALLED = {
    "_get_runs_from_wandb": "every run of the sweep is read; create a new sweep for runs that are not to count",
    "_load_runs": "every run of the sweep is read; give further observations to the CARBS before",
    "_update_carbs_from_run": "override _suggestion_from_run to read a run's configuration",
    "_generate_carbs_suggestion": "override _transform_suggestion to change a suggestion",
}


class LegacyNames:
    """Members of `WandbCarbs` that only old programs use."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in _NOT_CALLED.keys() & cls.__dict__.keys():
            message = f"{cls.__name__}.{name} is not called any more: {_NOT_CALLED[name]}"
            warnings.warn(message, DeprecationWarning, stacklevel=2)

    # How many other runs counted as what when the suggestion was taken.
    _counts: Mapping[str, int]

    @property
    def _num_observations(self) -> int:
        return self._count("_num_observations", Standing.OBSERVATION)

    @property
    def _num_failures(self) -> int:
        return self._count("_num_failures", Standing.FAILURE)

    @property
    def _num_running(self) -> int:
        return self._count("_num_running", Standing.RUNNING, Standing.STARTING)

    @property
    def _defunct(self) -> int:
        return self._count("_defunct", Standing.ABANDONED)

    @property
    def _invalid(self) -> int:
        return self._count("_invalid", Standing.SKIPPED)

    @staticmethod
    def _record_observation(run: Any, objective: float, cost: float, allow_update: bool = False) -> None:
        """Record an observation of a run that another process, or nobody, has a `WandbCarbs` of."""
        warn_of("WandbCarbs._record_observation", "WandbCarbs(…).record_observation")
        recorder = _recorder_of(run)
        try:
            recorder.observation(objective, cost, allow_update=allow_update)
        finally:
            recorder.unwatch()

    @staticmethod
    def _record_failure(run: Any) -> None:
        """Record a failure of a run that another process, or nobody, has a `WandbCarbs` of."""
        warn_of("WandbCarbs._record_failure", "WandbCarbs(…).record_failure")
        recorder = _recorder_of(run)
        try:
            recorder.failure()
        finally:
            recorder.unwatch()

    def _count(self, name: str, *standings: Standing) -> int:
        warn_of(f"WandbCarbs.{name}", "load_sweep(…).counts", stacklevel=4)
        return sum(self._counts[standing.value] for standing in standings)


def _recorder_of(run: Any) -> RunRecorder:
    """Go on with a run's record as the server has it; the run may be one of this process or the public API's."""
    reader = RunReader(SweepPath(run.entity, run.project, getattr(run, "sweep_id", None) or ""))
    held = run if hasattr(run.config, "update_locked") else None
    recorder = RunRecorder(RunPublisher(reader.one(run.id), reader, held))
    recorder.go_on()
    return recorder
