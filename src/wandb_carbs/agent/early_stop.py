"""The end of a run before its own: whether the models advise it, and what is recorded of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from carbs import CARBS, ObservationInParam, ParamDict, Prospect
from carbs.spaces.values import SUGGESTION_ID_KEY
from carbs.values import is_dictionary
from wandb_carbs.agent.curve import chosen
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
# The models are asked anew about a run that reports points when it is so much further: of 100,000 steps 230 times.
_LEAST_STEP = 1.01


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
        # The point at which the models were asked last, and why the run should end; empty if it should go on.
        self._asked: Point | None = None
        self._why = ""

    def is_advised(self) -> bool:
        """Return whether the run should end where its last report was."""
        last = self._curve.last
        if last is None:
            self._asked, self._why = None, ""
        elif self._asked is None or not _are_near(self._asked, last):
            known = (self._carbs, self._run_id, self._configuration, self._parameter)
            prospect = prospect_of_run(*known, self._curve.points)
            self._asked, self._why = last, prospect.reason if prospect.stop else ""
        return bool(self._why)

    def what_ran(self, ran: Any) -> tuple[Any, Mapping[str, str]]:
        """Return which searched values were run instead of the suggestion's, and the keys of the run's record for that.

        A run that was advised to end has ended where its last point is, unless it says that it came to its end or to
        another value.

        Args:
            ran: The values that the program says were run; None if it says nothing.
        """
        place = self._curve.place
        if not self._why or self._curve.is_at_end or place is None or not (ran is None or is_dictionary(ran)):
            return ran, {}
        values = {self._parameter: self._configuration[self._parameter], **(ran or {})}
        if values[self._parameter] == self._configuration[self._parameter]:  # which says nothing new
            values[self._parameter] = place
        return values, stopped_at(self._why, place) if values[self._parameter] == place else {}


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
    carbs: CARBS, run_id: str, configuration: ParamDict, parameter: str, points: Iterable[Point]
) -> Prospect:
    """Return whether a run should end, by those points on its way that would be recorded.

    Args:
        carbs: The optimizer, which knows of the sweep's other runs.
        run_id: The run.
        configuration: Its configuration of the search space.
        parameter: The hyperparameter whose values it passes through.
        points: The points on its way, before its own value.
    """
    seen = [
        ObservationInParam({**configuration, parameter: point.progress}, point.objective, point.cost)
        for point in chosen(points, is_whole=False)
    ]
    suggestion: dict[str, Any] = {**configuration, SUGGESTION_ID_KEY: run_id}
    return carbs.judge(suggestion, seen, parameter)


def _are_near(asked: Point, last: Point) -> bool:
    """Tell whether nothing new is to be expected of the models at a later point."""
    return asked == last or asked.progress < last.progress < _LEAST_STEP * asked.progress
