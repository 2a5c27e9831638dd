"""Members of the old package's `WandbCarbs` that programs use: each works, and warns of its replacement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from carbs.legacy import warn_of
from wandb_carbs.agent.publisher import RunPublisher
from wandb_carbs.agent.recorder import RunRecorder
from wandb_carbs.record import Standing
from wandb_carbs.sweep.path import SweepPath
from wandb_carbs.sweep.runs import RunReader


class LegacyNames:
    """Members of `WandbCarbs` that only old programs use."""

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
