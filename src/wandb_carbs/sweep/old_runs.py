"""Runs of earlier times, for a new sweep to start from."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from carbs import CARBS, CarbsError, CARBSParams, ObservationInParam, ParamDict, SearchSpace, start
from carbs.errors import Problem, refuse
from carbs.spaces.values import identity_of
from carbs.values import is_positive, shown
from wandb_carbs.sweep.cells import readings
from wandb_carbs.sweep.sources import OldRun, reader_of


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
        if run.left_out:
            self.left_out[run.left_out] += 1
            return None
        values: ParamDict = {}
        for name, value in self.constants.items():
            if name in run.values and not _is_same(_readings_of(run, name), value):
                self.left_out[f"another value of the constant {name!r}"] += 1
                return None
        for param, space in zip(self.space.params, self.space.spaces, strict=True):
            if param.name not in run.values:
                values[param.name] = param.center
                continue
            fitting = [value for value in _readings_of(run, param.name) if space.problem_with(value) is None]
            if not fitting:
                self.left_out[f"{param.name!r} outside its space"] += 1
                return None
            values[param.name] = fitting[0]
        if run.objective is None:
            return ObservationInParam(self.space.select(values), is_failure=True, is_old=True)
        if not is_positive(run.cost):
            self.left_out["no positive cost"] += 1
            return None
        return ObservationInParam(self.space.select(values), run.objective, float(run.cost), is_old=True)


def read_old_runs(
    sources: Any, space: SearchSpace, config: CARBSParams, constants: Mapping[str, Any] | None = None
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
        runs = read(config)
        fit = _Fit(space, constants or {})
        used = [(run, seen) for run in runs if (seen := fit.observation(run)) is not None]
        reasons = "; ".join(f"{number} with {reason}" for reason, number in fit.left_out.most_common())
        if not used:
            raise CarbsError(
                f"{name}: none of the {len(runs)} runs of {shown(source)} can be used: {reasons or 'none'}"
            )
        notes.append(
            f"{name}: {len(used)} of {len(runs)} runs are used" + (f"; left out: {reasons}" if reasons else "")
        )
        notes += [
            f"{name}: {param.name!r} is unknown of {number} of {len(used)} runs, so its search centre is taken for it"
            for param in space.params
            if (number := sum(param.name not in run.values for run, _ in used))
        ]
        observations += [seen for _, seen in used]
    return OldRuns(tuple(observations), tuple(notes))


def members_of(observations: Iterable[ObservationInParam], space: SearchSpace, config: CARBSParams) -> list[ParamDict]:
    """Return members of the frontier of another task's runs, from the cheapest to the best."""
    carbs = CARBS(config, space.params)
    carbs.initialize_from_observations(list(observations))
    return start.frontier_members(space, carbs.space, carbs.success_observations, config.better_direction_sign)


def _readings_of(run: OldRun, name: str) -> list[Any]:
    """Return what a run's value may mean, the likeliest first: texts may be numbers, flags, lists or nothing."""
    value = run.values[name]
    if not isinstance(value, str):
        return [value]
    return readings(value) if run.is_text else [value, *readings(value)]


def _is_same(found: Iterable[Any], constant: Any) -> bool:
    return any(_are_equal(value, constant) for value in found)


def _are_equal(value: Any, constant: Any) -> bool:
    try:
        return identity_of(value) == identity_of(constant)
    except TypeError:
        return bool(value == constant)
