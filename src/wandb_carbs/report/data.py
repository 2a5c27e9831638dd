"""The contents of a report, computed from a sweep's history."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from carbs import CARBS, CarbsError
from carbs.arrays import Array
from carbs.doubts import doubts
from carbs.insight import Calibration, Insight
from carbs.pareto import frontier, hypervolume
from carbs.scaling import ScalingLaws, SizeLaws, scaling_laws
from wandb_carbs.clock import server_time
from wandb_carbs.figures.frontier import spans_a_decade
from wandb_carbs.plain import is_number
from wandb_carbs.record import (
    ARGUMENTS_KEY,
    CHANGES_KEY,
    COST_KEY,
    OBJECTIVE_KEY,
    PREDICTED_COST_KEY,
    PREDICTED_OBJECTIVE_KEY,
    STATE_KEY,
    SUGGESTION_KEY,
    Standing,
)
from wandb_carbs.sweep.history import SweepHistory, carbs_from_sweep
from wandb_carbs.sweep.judged import JudgedRun, result_of
from wandb_carbs.sweep.reading import RUNTIME
from wandb_carbs.sweep.runs import is_orphan

_T = TypeVar("_T")

logger = logging.getLogger("wandb_carbs")

# What numpy and plotting raise for numbers at the ends of what a float can hold. (A CarbsError is a ValueError, too.)
EXTREMES = (np.linalg.LinAlgError, ArithmeticError, ValueError)
TOO_EXTREME = "the sweep's objectives or costs are too large, too small or too far apart to compute with"

# So many runs of different lengths without points on their ways are no chance.
_MANY_ENDS = 3


@dataclass(frozen=True)
class Progress:
    """How a search went on, one entry for each observation in the order of their ends.

    Attributes:
        spent: Cost of all observations so far, shape (n,).
        hours: Hours since the first run was created, shape (n,); NaN where W&B gives no date.
        best: Best objective so far, shape (n,).
        hypervolume: Area of (log10 cost, objective) that the frontier so far dominates, shape (n,).
    """

    spent: Array
    hours: Array
    best: Array
    hypervolume: Array


class ReportData:
    """A sweep, and what is computed from it when it is asked for.

    Args:
        history: The sweep.
        scale: Names of the hyperparameters that are sizes, for laws over them; empty for none.

    Attributes:
        history: The sweep.
        scale: Names of the hyperparameters that are sizes.
        carbs: An optimizer that knows all that was observed.
    """

    def __init__(self, history: SweepHistory, scale: Sequence[str] = ()) -> None:
        self.history = history
        self.scale = tuple(scale)
        self.carbs: CARBS = carbs_from_sweep(history)

    @property
    def sign(self) -> int:
        """1 if the objective is maximised, -1 if it is minimised."""
        return self.carbs.config.better_direction_sign

    @property
    def objective_title(self) -> str:
        """The name of the objective: the metric that it is read from, if that is known."""
        reading, metric = self.history.definition.metric, self.history.labels.metric
        name = reading.name if reading is not None else metric
        return name if name and name != OBJECTIVE_KEY else "objective"

    @cached_property
    def is_log(self) -> bool:
        """Whether figures show objectives by their logarithms, as that of the frontier does."""
        runs = self.carbs.success_observations
        outputs, costs = (np.array([getattr(run, key) for run in runs]) for key in ("output", "cost"))
        best = outputs[frontier(self.sign * outputs, costs)] if runs else outputs
        return bool(runs) and spans_a_decade(outputs.tolist(), best.tolist())

    @property
    def cost_title(self) -> str:
        """The name of the cost: the metric that it is read from, if that is known."""
        reading = self.history.definition.cost
        if reading is None:
            return "cost"
        return "cost (seconds)" if reading.name == RUNTIME else f"cost ({reading.name})"

    def runs(self, standing: Standing) -> list[JudgedRun]:
        """Return the runs that count as `standing`."""
        return [run for run in self.history.runs if run.verdict.standing is standing]

    @cached_property
    def insight(self) -> Insight | str:
        """The models, or why there are none."""
        observations = [*self.carbs.success_observations, *self.carbs.failure_observations]
        return or_reason(lambda: Insight(self.carbs.space, observations, self.carbs.config))

    @cached_property
    def laws(self) -> ScalingLaws | str:
        """The scaling laws, or why there are none."""
        return or_reason(lambda: scaling_laws(self.carbs.space, self.carbs.success_observations, self.carbs.config))

    @cached_property
    def size_laws(self) -> SizeLaws | str:
        """The scaling laws over the sizes, or why there are none."""
        carbs = self.carbs
        return or_reason(
            lambda: scaling_laws(carbs.space, carbs.success_observations, carbs.config, scale=list(self.scale))
        )

    @cached_property
    def progress(self) -> Progress:
        """How the search went on."""
        ended = sorted(self.runs(Standing.OBSERVATION), key=lambda run: _time(run.record.last_seen))
        objective = self.sign * np.array([float(run.record.summary[OBJECTIVE_KEY]) for run in ended])
        cost = np.array([float(run.record.summary[COST_KEY]) for run in ended])
        log_cost = np.log10(cost)
        reference_cost = float(np.max(log_cost, initial=-np.inf))
        reference = float(np.median(objective)) if ended else 0.0
        areas, members = [], np.zeros(0, int)
        for newest in range(len(ended)):
            members = np.append(members, newest)
            members = members[frontier(objective[members], log_cost[members])]
            areas.append(hypervolume(objective[members], log_cost[members], reference, reference_cost))
        starts = [run.record.created_at for run in self.history.runs if run.record.created_at is not None]
        return Progress(
            spent=np.cumsum(cost),
            hours=_hours(ended, min(starts, default=None)),
            best=self.sign * np.maximum.accumulate(objective),
            hypervolume=np.array(areas),
        )

    @cached_property
    def doubts(self) -> list[str]:
        """Sentences on what a user should know of the search; see `carbs.doubts`."""
        ended = sorted(self.history.ended.runs, key=lambda run: _time(run.record.last_seen))
        results = [result for run in ended if (result := result_of(run)) is not None]
        found = self.calibration(PREDICTED_OBJECTIVE_KEY)
        intervals = (found.predicted, found.deviation, found.seen)
        made = or_reason(lambda: doubts(self.carbs.space, results, self.sign, intervals))
        return [
            *self._doubts_of_orphans(),
            *self._doubts_of_strangers(),
            *self._doubts_of_arguments(),
            *self._doubts_of_changes(),
            *self._doubts_of_points(),
            *([] if isinstance(made, str) else made),
        ]

    @property
    def drawn(self) -> list[JudgedRun]:
        """The runs whose program's arguments said other values than their suggestion."""
        return [run for run in self.history.runs if ARGUMENTS_KEY in run.record.summary]

    def _doubts_of_orphans(self) -> list[str]:
        records = [run.record for run in self.history.runs]
        now = server_time(records, datetime.now(timezone.utc))
        number = sum(is_orphan(record, now) for record in records)
        doubt = (
            f"{number} of {len(records)} runs ended without their agents, and count as abandoned until an agent "
            "records them: start `wandb-carbs agent`, even if the sweep is over"
        )
        return [doubt] if number else []

    def _doubts_of_strangers(self) -> list[str]:
        strangers = [
            run
            for run in self.runs(Standing.SKIPPED)
            if run.record.summary.get(STATE_KEY) is None and run.record.summary.get(SUGGESTION_KEY) is None
        ]
        doubt = (
            f"{len(strangers)} of {len(self.history.runs)} runs took no suggestion: they trained with W&B's own draw, "
            "and the search learns nothing from them. Start programs by `wandb-carbs agent`, in place of `wandb "
            "agent`; a function takes its suggestion with WandbCarbs.from_sweep(run)"
        )
        return [doubt] if strangers else []

    def _doubts_of_arguments(self) -> list[str]:
        if not self.drawn:
            return []
        doubt = (
            f"{len(self.drawn)} of {len(self.history.runs)} runs were started with arguments that say other values "
            "than their suggestions, or had logged before these were there: if the program trains with such values, "
            "they are W&B's own draw (use `wandb-carbs agent`, or a `command` without ${args}; take the suggestion "
            "right after wandb.init())"
        )
        return [doubt]

    @property
    def changed(self) -> list[JudgedRun]:
        """The runs whose programs wrote other values of searched parameters into `wandb.config`, or tried to."""
        return [run for run in self.history.runs if run.record.summary.get(CHANGES_KEY)]

    def _doubts_of_changes(self) -> list[str]:
        doubt = (
            f"the programs of {len(self.changed)} of {len(self.history.runs)} runs wrote other values of searched "
            "parameters into wandb.config than the suggestion: if they trained with these, they were recorded for "
            "others (train with the suggestion, or say what was run by record_observation(…, ran=…))"
        )
        return [doubt] if self.changed else []

    def _doubts_of_points(self) -> list[str]:
        runs, name = self.history.runs, self.history.definition.progress_parameter
        if name is None:
            return []
        if number := sum(bool(run.problem) for run in runs):
            doubt = f"the points on the way of {number} of {len(runs)} runs are malformed, and are skipped"
            return [f"{doubt}: something else has written carbs.curve"]
        ends: list[Any] = [(run.suggestion or {})[name] for run in self.runs(Standing.OBSERVATION)]
        if len(ends) < _MANY_ENDS or any(run.points for run in runs):
            return []
        if min(ends) == max(ends) and not self.history.definition.is_length_fixed:
            return []  # it may be the smallest value, which nothing comes before
        doubt = (
            f"none of {len(ends)} runs has left points on its way, though the sweep's progress is {name}: "
            "wandb-carbs agent says why, or the program has to call WandbCarbs.report"
        )
        return [doubt]

    def calibration(self, key: str) -> Calibration:
        """Compare what was predicted with what was seen.

        A run's own noise, which the prediction leaves out, is taken from today's models.

        Args:
            key: `PREDICTED_OBJECTIVE_KEY`, or `PREDICTED_COST_KEY`, which is compared in natural logarithms.
        """
        is_cost = key == PREDICTED_COST_KEY
        rows = []
        for run in self.runs(Standing.OBSERVATION):
            summary = run.record.summary
            row = [summary.get(name) for name in (key, f"{key}_std", COST_KEY if is_cost else OBJECTIVE_KEY)]
            if all(is_number(value) for value in row) and not (is_cost and summary[key] <= 0):
                rows.append(row)
        table = np.array(rows, float).reshape(-1, 3)
        noise = 0.0
        if isinstance(self.insight, Insight):
            noise = self.insight.log_cost_noise if is_cost else self.insight.objective_noise
        deviation = np.hypot(table[:, 1], noise)
        if is_cost:
            return Calibration(np.log(table[:, 0]), deviation, np.log(table[:, 2]))
        return Calibration(table[:, 0], deviation, table[:, 2])


def or_reason(compute: Callable[[], _T]) -> _T | str:
    """Return what `compute` does, or why it cannot be computed."""
    try:
        return compute()
    except CarbsError as error:
        return str(error)
    except EXTREMES:
        logger.debug("too extreme to compute with", exc_info=True)
        return TOO_EXTREME


def _time(time: datetime | None) -> float:
    return time.timestamp() if time is not None else 0.0


def _hours(runs: Sequence[JudgedRun], start: datetime | None) -> Array:
    return np.array(
        [
            (run.record.last_seen - start).total_seconds() / 3600
            if start is not None and run.record.last_seen is not None
            else np.nan
            for run in runs
        ]
    )
