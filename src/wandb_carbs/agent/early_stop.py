"""The end of a run before its own: whether the models advise it, and what is recorded of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from carbs import CARBS, ObservationInParam, ParamDict, Prospect
from carbs.spaces.values import SUGGESTION_ID_KEY
from wandb_carbs.agent.logged_curve import read_curve
from wandb_carbs.agent.reported_curve import ReportedCurve
from wandb_carbs.agent.runnable_sweep import RunnableSweep
from wandb_carbs.plain import to_json
from wandb_carbs.record import STATE_KEY, STOPPED_KEY, SUCCESS
from wandb_carbs.retry import INTERACTIVE_SECONDS
from wandb_carbs.sweep.progress import Point
from wandb_carbs.sweep.runs import RunReader

# An agent asks W&B for the points of a run that its program logs so often, in seconds, or after this share of the time
# that the program has run, whichever is more: a day's run is asked about once an hour.
_LEAST_PAUSE = 30.0
_PAUSE_SHARE = 0.05


@dataclass(frozen=True)
class StoppedRun:
    """A run that was advised to end.

    Attributes:
        ran: The searched value that it has reached, by its name.
        keys: The flat keys of the run's record: why, and when.
    """

    ran: Mapping[str, float]
    keys: Mapping[str, str]


class EarlyStop:
    """Ask the models about a run whose program reports the points on its way.

    Args:
        carbs: The optimizer, which knows of the sweep's other runs.
        run_id: The run.
        configuration: Its configuration of the search space.
        parameter: The hyperparameter whose values it passes through.
        curve: The points on its way.
    """

    def __init__(
        self, carbs: CARBS, run_id: str, configuration: ParamDict, parameter: str, curve: ReportedCurve
    ) -> None:
        self._carbs = carbs
        self._run_id = run_id
        self._configuration = configuration
        self._parameter = parameter
        self._curve = curve
        self._advised: tuple[float, str] | None = None

    def is_advised(self) -> bool:
        """Return whether the run should end where its last report was."""
        here = self._curve.here
        self._advised = None
        if here is not None:
            prospect = prospect_of_run(
                self._carbs, self._run_id, self._configuration, self._parameter, self._curve.points
            )
            self._advised = (here, prospect.reason) if prospect.stop else None
        return self._advised is not None

    @property
    def stopped(self) -> StoppedRun | None:
        """What was run, if the run was advised to end and has reported nothing since; else None."""
        if self._advised is None or self._advised[0] != self._curve.here:
            return None
        place, why = self._advised
        return StoppedRun({self._parameter: place}, stopped_at(why, place))


class LoggedStop:
    """Ask the models from time to time about a run whose program logs the points on its way.

    Args:
        sweep: Its sweep.
        carbs: The optimizer, which knows of the sweep's other runs.
        run_id: The run.
        configuration: Its configuration of the search space.
        spent: Seconds of its earlier starts.

    Attributes:
        advised: Why the run should end; empty as long as it should go on.
    """

    def __init__(
        self, sweep: RunnableSweep, carbs: CARBS, run_id: str, configuration: ParamDict, *, spent: float
    ) -> None:
        self.advised = ""
        self._sweep = sweep
        self._carbs = carbs
        self._run_id = run_id
        self._configuration = configuration
        self._spent = spent
        self._next = _LEAST_PAUSE

    def why(self, seconds: float, begun: float) -> str:
        """Return why the run should end now; empty if it should go on, or it is not yet the time to ask again.

        Args:
            seconds: For how long its program has run.
            begun: When it was started, in seconds.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        progress = self._sweep.definition.progress
        if progress is None or not progress.stop or seconds < self._next:
            return ""
        self._next = seconds + max(_LEAST_PAUSE, _PAUSE_SHARE * seconds)
        record = RunReader(self._sweep.path, INTERACTIVE_SECONDS).one(self._run_id)
        curve = read_curve(
            self._sweep, record, is_whole=False, spent=self._spent, begun=begun, limit=INTERACTIVE_SECONDS
        )
        known = (self._carbs, self._run_id, self._configuration, progress.parameter)
        prospect = prospect_of_run(*known, curve.points)
        self.advised = prospect.reason if prospect.stop else ""
        return self.advised


def stopped_at(why: str, place: float) -> dict[str, str]:
    """Return the flat key of the record of a run that was stopped as the models advised.

    Args:
        why: Their reason.
        place: How far the run was.
    """
    return {STOPPED_KEY: to_json({"why": why, "progress": place})}


def shorter_run(keys: Mapping[str, Any], parameter: str | None) -> str:
    """Return what a run was stopped as, such as "epochs=12"; empty if it was not stopped as advised.

    Args:
        keys: The flat keys of its record.
        parameter: The hyperparameter whose values it passes through.
    """
    stopped = keys.get(STOPPED_KEY)
    return f"{parameter}={json.loads(stopped)['progress']:g}" if stopped and keys[STATE_KEY] == SUCCESS else ""


def prospect_of_run(
    carbs: CARBS, run_id: str, configuration: ParamDict, parameter: str, points: Sequence[Point]
) -> Prospect:
    """Return whether a run should end, by the points on its way.

    Args:
        carbs: The optimizer, which knows of the sweep's other runs.
        run_id: The run.
        configuration: Its configuration of the search space.
        parameter: The hyperparameter whose values it passes through.
        points: The points on its way, before its own value.
    """
    seen = [
        ObservationInParam({**configuration, parameter: point.progress}, point.objective, point.cost)
        for point in points
    ]
    suggestion: dict[str, Any] = {**configuration, SUGGESTION_ID_KEY: run_id}
    return carbs.judge(suggestion, seen, parameter)
