"""Sources of old runs: a sweep, chosen runs of a project, or a file."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import wandb

from carbs import CarbsError, CARBSParams, ObservationInParam, SearchSpace
from carbs.errors import Problem, refuse
from wandb_carbs import metrics
from wandb_carbs.record import FINISHED, RunRecord, Standing
from wandb_carbs.retry import INTERACTIVE_SECONDS, with_retries
from wandb_carbs.sweep.cells import rows_of
from wandb_carbs.sweep.history import SweepReader
from wandb_carbs.sweep.judged import JudgedRun, result_of
from wandb_carbs.sweep.logged import read_number
from wandb_carbs.sweep.path import SweepPath
from wandb_carbs.sweep.reading import RUNTIME, Reading
from wandb_carbs.sweep.rows import Row
from wandb_carbs.sweep.runs import RunReader, to_record

# The SDK's own key for the seconds that a run took.
_RUNTIME_KEY = "_runtime"
_PAGE = 1000
_ENDINGS = (".csv", ".json")
# The prefix of hyperparameters in the tables that `wandb-carbs export` writes.
_CONFIG = "config."
_RUNS_OWN = frozenset(column.name for column in fields(Row))
_OUTCOME = frozenset({"objective", "cost"})
_RULE = (
    "must be 'entity/project/sweep', a .csv or .json file, or a mapping with 'sweep', 'project' or 'file': "
    "{'project': 'entity/project', 'filters': {…}, 'metric': 'val_loss', 'cost': 'runtime'}"
)
_KEYS = ("sweep", "project", "file", "filters", "metric", "cost")


@dataclass(frozen=True)
class OldRun:
    """A run as its source has it.

    Attributes:
        values: Its hyperparameters, nested ones by their names with dots; cells of a table of text are not yet read.
        objective: None if the run failed.
        cost: What it cost.
        is_text: Whether the values are such cells.
        left_out: What keeps it from being used, after "with": "no cost"; empty if it can be used.
        points: Points on its way, each an observation of its own hyperparameters; they count even if it cannot be used.
        parameter: The hyperparameter whose values it passed through; empty if it has no points.
        planned: Its value of that for the whole run, where all runs of its sweep are equally long; else None.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    objective: float | None = None
    cost: Any = None
    is_text: bool = False
    left_out: str = ""
    points: tuple[ObservationInParam, ...] = ()
    parameter: str = ""
    planned: Any = None


@dataclass(frozen=True)
class OldSource:
    """The runs of a source.

    Attributes:
        runs: The runs.
        judged_by: What their objectives and their costs are, in words; empty where the user named it, or nobody knows.
    """

    runs: list[OldRun]
    judged_by: tuple[str, str] = ("", "")


def reader_of(source: Any, name: str) -> Callable[[CARBSParams], OldSource]:
    """Return the function that reads a source.

    Raises:
        CarbsError: If it cannot be understood.
    """
    if isinstance(source, os.PathLike) or (isinstance(source, str) and source.lower().endswith(_ENDINGS)):
        source = {"file": os.fspath(source)}
    elif isinstance(source, str):
        source = {"sweep": source}
    kinds = [kind for kind in ("sweep", "project", "file") if isinstance(source, Mapping) and kind in source]
    if len(kinds) != 1 or not set(source) <= set(_KEYS) or not isinstance(source[kinds[0]], str):
        raise refuse(Problem("", name, source, _RULE))
    metric, cost, where = source.get("metric"), source.get("cost"), source[kinds[0]]
    if kinds[0] == "file":
        return lambda _: OldSource(_of_file(Path(where), metric or "objective", cost or "cost"))
    if kinds[0] == "sweep" and where.count("/") != 2:
        raise refuse(Problem("", name, where, "must be 'entity/project/sweep', or end in .csv or .json"))
    if kinds[0] == "sweep":
        return lambda config: _of_sweep(SweepPath.parse(where), metric, cost, config)
    if metric is None or where.count("/") != 1:
        rule = "needs 'project': 'entity/project', and the name of a 'metric' that its runs logged"
        raise refuse(Problem("", name, source, rule))
    return lambda config: OldSource(
        _of_project(where, source.get("filters") or {}, metric, cost or RUNTIME, config), ("", "" if cost else RUNTIME)
    )


def _of_sweep(path: SweepPath, metric: str | None, cost: str | None, config: CARBSParams) -> OldSource:
    """Read a sweep: as the search recorded it, or by metric and cost that its programs logged."""
    history = SweepReader(path).read()
    by_metric, by_cost = "", "" if cost else RUNTIME
    if metric is None:
        if history.definition.config.better_direction_sign != config.better_direction_sign:
            raise CarbsError(f"sweep {path} optimises in the other direction: its goal must be this sweep's")
        parameter = history.definition.progress_parameter or ""
        planned = SearchSpace(history.definition.params).fixed.get(parameter)
        constants = history.constants
        found = [replace(_recorded(run, parameter, constants), planned=planned) for run in history.runs]
        judged_by = history.definition.judged_by(history.labels.metric)
        if any(run.points or not run.left_out for run in found):
            return OldSource(found, judged_by)
        metric, by_metric = history.labels.metric, judged_by[0]
    records = RunReader(path, INTERACTIVE_SECONDS).all()
    return OldSource([_logged(record, metric, cost or RUNTIME, config) for record in records], (by_metric, by_cost))


def _recorded(run: JudgedRun, parameter: str, constants: Mapping[str, Any]) -> OldRun:
    """Return a run as the search recorded it; what it did not search is as the run's own configuration has it."""
    others = _of_every_level({**constants, **run.record.config})
    seen = result_of(run)
    points = tuple(replace(point, input={**others, **point.input}) for point in run.points)
    if seen is None:
        reached = points[-1].input if points else {}
        left_out = f"state {run.verdict.standing.value!r}"
        return OldRun(reached, left_out=left_out, points=points, parameter=parameter)
    objective = None if seen.is_failure else float(seen.output)
    return OldRun({**others, **seen.input}, objective, seen.cost, points=points, parameter=parameter)


def _of_project(project: str, filters: Mapping[str, Any], metric: str, cost: str, config: CARBSParams) -> list[OldRun]:
    def read() -> list[RunRecord]:
        api: Any = wandb.Api()
        runs = api.runs(project, filters=dict(filters), order="+created_at", per_page=_PAGE)
        return [to_record(run) for run in runs]

    records = with_retries(f"read runs of {project}", read, limit=INTERACTIVE_SECONDS)
    return [_logged(record, metric, cost, config) for record in records]


def _logged(record: RunRecord, metric: str, cost: str, config: CARBSParams) -> OldRun:
    """Return a run by what its program logged; it counts if it finished."""
    if record.state != FINISHED:
        return OldRun(left_out=f"state {record.state!r}")
    maximize = config.better_direction_sign > 0
    objective = metrics.number_of(record.summary, metric, maximize=maximize)
    if objective is not None:
        objective = read_number(Reading(metric), record, maximize=maximize, limit=INTERACTIVE_SECONDS)
    spent = metrics.value_of(record.summary, _RUNTIME_KEY if cost == RUNTIME else cost)
    return _judged(OldRun(_of_every_level(record.config), objective, spent), metric)


def _judged(run: OldRun, metric: str) -> OldRun:
    """Return a run with what its metric means: one that is NaN or infinite is a failure, a missing one says nothing."""
    if run.objective is None:
        return OldRun(left_out=f"no number as {metric!r}")
    return run if math.isfinite(run.objective) else replace(run, objective=None)


def _of_file(path: Path, metric: str, cost: str) -> list[OldRun]:
    """Read a table with one run a line, such as `wandb-carbs export` writes."""
    is_text = path.suffix.lower() != ".json"
    try:
        text = path.read_bytes().decode("utf-8-sig")
        rows = rows_of(text) if is_text else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise CarbsError(f"{path} cannot be read: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CarbsError(f"{path} must hold a list of runs, each an object")
    missing = [name for name in (metric, cost) if rows and not any(name in row for row in rows)]
    if missing:
        known = ", ".join(dict.fromkeys(key for row in rows for key in row))
        raise CarbsError(
            f"{path} has no {' and no '.join(map(repr, missing))}; name 'metric' and 'cost': it has {known}"
        )
    # In a table without the prefix any column may be a hyperparameter, except for an outcome under its usual name.
    is_exported = any(name.startswith(_CONFIG) for row in rows for name in row)
    of_run = _RUNS_OWN if is_exported else {metric, cost} & _OUTCOME
    return [_of_row(row, metric, cost, of_run, is_text=is_text) for row in rows]


def _of_row(row: Mapping[str, Any], metric: str, cost: str, of_run: Collection[str], *, is_text: bool) -> OldRun:
    inner = row.get("config")
    values = _of_every_level(inner) if isinstance(inner, Mapping) else _values_of(row, of_run)
    run = OldRun(values, _as_float(row.get(metric)), _as_float(row.get(cost)), is_text)
    return replace(run, objective=None) if row.get("state") == Standing.FAILURE.value else _judged(run, metric)


def _values_of(row: Mapping[str, Any], of_run: Collection[str]) -> dict[str, Any]:
    """Return a row's hyperparameters: all but the columns that are the run's own; those with the prefix come first."""
    plain = {name: value for name, value in row.items() if name not in of_run}
    named = {name.removeprefix(_CONFIG): value for name, value in row.items() if name.startswith(_CONFIG)}
    return {**plain, **named}


def _of_every_level(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of all levels by names with dots, those that nest others, too: a constant may be a mapping."""
    found = dict(config)
    for name, value in config.items():
        if isinstance(value, Mapping):
            found.update({f"{name}.{inner}": item for inner, item in _of_every_level(value).items()})
    return found


def _as_float(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, str) else metrics.to_float(value)
    except ValueError:
        return None
