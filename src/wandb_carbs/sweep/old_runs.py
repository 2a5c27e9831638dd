"""Runs of earlier times, for a new sweep to start from."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from carbs import CARBS, CarbsError, CARBSParams, ObservationInParam, ParamDict, SearchSpace, start
from carbs.errors import Problem, refuse
from carbs.spaces.values import identity_of
from carbs.values import is_positive, shown
from wandb_carbs.plain import plural
from wandb_carbs.sweep.cells import readings
from wandb_carbs.sweep.sources import OldRun, reader_of

_OTHER_CONSTANT = "another value of the constant"


@dataclass(frozen=True)
class OldRuns:
    """The old runs that a new search can use.

    Attributes:
        observations: Their outcomes in the new search space.
        notes: Sentences on how many were left out, and why.
    """

    observations: tuple[ObservationInParam, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Fit:
    """Fits old runs into a search space, and counts what does not fit."""

    space: SearchSpace
    constants: Mapping[str, Any]
    left_out: Counter[str] = field(default_factory=Counter)

    def observation(self, run: OldRun) -> ObservationInParam | None:
        """Return a run with the points on its way that fit; if its end does not, the furthest of them is its end."""
        constants = self._constants_of(run)
        values, problem = self._fitted(run.values, constants, is_text=run.is_text)
        points = self._points(run, constants)
        problem = run.left_out or problem
        if not problem and run.objective is not None and not is_positive(run.cost):
            problem = "no positive cost"
        if values is not None and not problem:
            if run.objective is None:
                return ObservationInParam(values, is_failure=True, is_old=True, points=points)
            return ObservationInParam(values, run.objective, float(run.cost), is_old=True, points=points)
        if points:
            *before, last = points
            return replace(last, points=tuple(before))
        self.left_out[problem] += 1
        return None

    def _points(self, run: OldRun, constants: Mapping[str, Any]) -> tuple[ObservationInParam, ...]:
        """Return the points on a run's way that fit.

        Without the hyperparameter that the run passed through, they would be the same as its end.
        """
        if run.parameter not in (*self.space.names, *self.constants):
            return ()
        fitted = [(point, self._fitted(point.input, constants)[0]) for point in run.points]
        return tuple(
            ObservationInParam(values, point.output, point.cost, is_old=True)
            for point, values in fitted
            if values is not None
        )

    def _constants_of(self, run: OldRun) -> Mapping[str, Any]:
        """Return the constants that a run's values must have: not its length, if it was planned to be that of all."""
        fixed = self.space.fixed.get(run.parameter)
        planned = run.values.get(run.parameter) if run.planned is None else run.planned
        if fixed is None or not _is_same(_meanings(planned, is_text=run.is_text), fixed):
            return self.constants
        return {name: value for name, value in self.constants.items() if name != run.parameter}

    def _fitted(
        self, old: Mapping[str, Any], constants: Mapping[str, Any], *, is_text: bool = False
    ) -> tuple[ParamDict | None, str]:
        """Return hyperparameters in the new space; or None, and why they do not fit."""
        values: ParamDict = {}
        for name, value in constants.items():
            if name in old and not _is_same(_meanings(old[name], is_text=is_text), value):
                return None, f"{_OTHER_CONSTANT} {name!r}"
        for param, space in zip(self.space.params, self.space.spaces, strict=True):
            if param.name not in old:
                values[param.name] = param.center
                continue
            meanings = _meanings(old[param.name], is_text=is_text)
            fitting = [value for value in meanings if space.problem_with(value) is None]
            if not fitting:
                return None, f"{param.name!r} outside its space"
            values[param.name] = fitting[0]
        return self.space.select(values), ""


def read_old_runs(
    sources: Any,
    space: SearchSpace,
    config: CARBSParams,
    constants: Mapping[str, Any] | None = None,
    judged_by: tuple[str, str] | None = None,
) -> OldRuns:
    """Read old runs: one request for each 1000.

    Parameters that a run does not have are taken to have been at the search centre, those that the new search does not
    have are left out, and so are runs outside its bounds or with other constants.

    Args:
        sources: A list of them: "entity/project/sweep", the path of a .csv or .json file, or a mapping with `sweep`,
            `project` or `file`; of a project `filters` choose the runs. `metric` and `cost` name what was logged, or
            a table's columns; the cost is by default the run's seconds, or the column `cost`.
        space: The new search space.
        config: The new search's options.
        constants: Its constants.
        judged_by: What objective and cost of its runs are, in words, if those of the old runs must mean the same.

    Returns:
        The observations, marked as old, and notes.

    Raises:
        CarbsError: If a source cannot be understood, optimises in the other direction, or has no run that fits.
        WandbConnectionError: If W&B cannot be reached.
    """
    listed = [sources] if isinstance(sources, (str, os.PathLike, Mapping)) else sources
    if not isinstance(listed, Sequence):
        raise refuse(Problem("", "start_from", sources, "must be a list of sources"))
    observations: list[ObservationInParam] = []
    notes: list[str] = []
    for place, source in enumerate(listed):
        name = f"start_from[{place}]"
        read = reader_of(source, name)
        found = read(config)
        runs = found.runs
        fit = _Fit(space, constants or {})
        used = [(run, seen) for run in runs if (seen := fit.observation(run)) is not None]
        reasons = "; ".join(f"{number} with {reason}" for reason, number in fit.left_out.most_common())
        if not used:
            raise CarbsError(
                f"{name}: none of the {len(runs)} runs of {shown(source)} can be used: {reasons or 'none'}"
                f"{_ways_out(fit.left_out)}"
            )
        points = sum(len(seen.points) for _, seen in used)
        on_the_way = f", with {points} {plural('point', points)} on their way" if points else ""
        left_out = f"; left out: {reasons}" if reasons else ""
        notes.append(f"{name}: {len(used)} of {len(runs)} runs are used{on_the_way}{left_out}")
        notes += [
            f"{name}: {param.name!r} is unknown of {number} of {len(used)} runs, so its search centre is taken for it"
            for param in space.params
            if (number := sum(param.name not in run.values for run, _ in used))
        ]
        notes += [
            f"{name}: the {what} of its runs is {old!r}, and that of the new ones {new!r}; if these differ, name "
            "'metric' and 'cost' of the old runs, or write `same_task: false`"
            for what, old, new in zip(("objective", "cost"), found.judged_by, judged_by or ("", ""), strict=True)
            if old and new and old != new
        ]
        observations += [seen for _, seen in used]
    return OldRuns(tuple(observations), tuple(notes))


def _ways_out(reasons: Iterable[str]) -> str:
    """Return what to write where runs have another value of a constant, which may mean nothing (a path, a device)."""
    if not any(reason.startswith(_OTHER_CONSTANT) for reason in reasons):
        return ""
    return (
        ". If that makes no difference to the objective and the cost, give the value to the program in another way, as "
        "in the sweep's command; if it does, `same_task: false` takes the frontier alone over"
    )


def members_of(observations: Iterable[ObservationInParam], space: SearchSpace, config: CARBSParams) -> list[ParamDict]:
    """Return members of the frontier of another task's runs, from the cheapest to the best."""
    carbs = CARBS(config, space.params)
    carbs.initialize_from_observations(list(observations))
    return start.frontier_members(space, carbs.space, carbs.success_observations, config.better_direction_sign)


def _meanings(value: Any, *, is_text: bool) -> list[Any]:
    """Return what a run's value may mean, the likeliest first: texts may be numbers, flags, lists or nothing."""
    if not isinstance(value, str):
        return [value]
    return readings(value) if is_text else [value, *readings(value)]


def _is_same(found: Iterable[Any], constant: Any) -> bool:
    return any(_are_equal(value, constant) for value in found)


def _are_equal(value: Any, constant: Any) -> bool:
    try:
        return identity_of(value) == identity_of(constant)
    except TypeError:
        return bool(value == constant)
