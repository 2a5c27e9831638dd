"""Points on a run's way: how a sweep's definition speaks of them, and how a run's record keeps them.

Where the schedule of a training does not depend on its length, a run of 50 epochs is the result of 5 epochs on its way.
Where all runs are equally long, their points are compared with one another, whatever the schedule.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from carbs import CarbsError, LogSpace, ObservationInParam, Param, ParamDict, SearchSpace, Space
from carbs.errors import Problem, did_you_mean, raise_problems, refuse
from carbs.unfinished import PASSED_THROUGH, is_passed_through
from wandb_carbs.plain import is_number
from wandb_carbs.record import OBJECTIVE_KEY

# So many points of a run at most: they are in its summary, which every agent reads.
MOST_POINTS = 8
# By so much, of itself, a number may differ from a run's own and still be it: sums of fractions do.
HAIR = 1e-9
_KNOWN = ("parameter", "metric", "first", "stop")
# Of a length that is no whole number, such a share is the first that counts.
_LEAST_SHARE = 1e-3
_FORMS = "the name of a hyperparameter, or {'parameter': 'epochs', 'metric': 'epoch'}"


@dataclass(frozen=True)
class Progress:
    """The hyperparameter whose values a run passes through on its way, or the constant that is every run's length.

    Attributes:
        parameter: Its name.
        metric: The metric that says how far a run is; empty where the program reports points itself.
        first: Its value when the first unit is done, 0 or 1; None for 1, unless the values of a run leave that unclear.
        stop: Whether `wandb-carbs agent` stops runs that will hardly improve the frontier any more.

    Raises:
        CarbsError: If a value is invalid; names every problem.
    """

    parameter: str
    metric: str = ""
    first: int | None = None
    stop: bool = False

    def __post_init__(self) -> None:
        problems = []
        if not isinstance(self.parameter, str) or not self.parameter:
            problems.append(Problem("", "parameter", self.parameter, "must be the name of a hyperparameter"))
        if not isinstance(self.metric, str) or (self.metric and not self.metric.strip()):
            problems.append(Problem("", "metric", self.metric, "must be the name of a metric that the program logs"))
        if self.first is not None and (type(self.first) is not int or self.first not in (0, 1)):
            rule = "must be 0 or 1: the value that the metric has when the first unit is done"
            problems.append(Problem("", "first", self.first, rule))
        if not isinstance(self.stop, bool):
            problems.append(Problem("", "stop", self.stop, "must be true or false"))
        elif self.stop and not self.metric:
            rule = "needs a 'metric'; a program that reports points itself asks trial.should_stop()"
            problems.append(Problem("", "stop", self.stop, rule))
        raise_problems("invalid progress", problems)

    @classmethod
    def parse(cls, given: Any) -> Progress:
        """Read what people write: "epochs", or {"parameter": "epochs", "metric": "epoch", "first": 0, "stop": True}.

        Raises:
            CarbsError: If it is anything else; names every problem.
        """
        if isinstance(given, str) and given.strip():
            return cls(given)
        if not isinstance(given, Mapping):
            raise refuse(Problem("", "", given, f"must be {_FORMS}", f"{given!r}"))
        problems = [
            Problem("", key, given[key], f"is unknown; known are {', '.join(_KNOWN)}", f"key {key!r}")
            for key in given
            if key not in _KNOWN
        ]
        if given.get("parameter") is None:
            problems.append(Problem("", "parameter", None, "is missing: the hyperparameter's name", "'parameter'"))
        if given.get("metric") in (None, ""):
            rule = "is missing; if the program reports points itself, write only the hyperparameter's name"
            problems.append(Problem("", "metric", None, rule, "'metric'"))
        try:
            # Where they are missing, that has been said.
            made = cls(
                given.get("parameter") or "-",
                given.get("metric") or "-",
                given.get("first"),
                given.get("stop", False),
            )
        except CarbsError as error:
            problems += error.problems
        raise_problems("invalid progress", problems)
        return made

    def length(self, constants: Mapping[str, Any]) -> Param | None:
        """Return the length that all runs have, as a fixed hyperparameter; None where the sweep searches it.

        Args:
            constants: The sweep's constants.
        """
        value: Any = constants.get(self.parameter)
        if not _is_length(value):
            return None
        is_whole = isinstance(value, int)
        space = LogSpace(min=1 if is_whole else value * _LEAST_SHARE, max=value, is_integer=is_whole)
        return Param(self.parameter, space, fixed=value)

    def problems(
        self, params: Sequence[Param], objective: str | None, constants: Mapping[str, Any] | None = None
    ) -> list[Problem]:
        """List why it does not fit a sweep; empty if it does.

        Args:
            params: The sweep's hyperparameters.
            objective: The metric that is the objective; None where programs record it.
            constants: The sweep's constants.
        """
        constants = constants or {}
        found, names = [], [param.name for param in params]
        if self.parameter in constants:
            value = constants[self.parameter]
            if not _is_length(value):
                rule = (
                    f"is a constant of the sweep, {value!r}, and must be a number above 1; or a fraction such as 1.0, "
                    "if a run passes through parts of it"
                )
                found.append(Problem("", "parameter", self.parameter, rule))
        elif self.parameter not in names:
            known = [*names, *constants]
            rule = f"must be the name of a hyperparameter{did_you_mean(self.parameter, known)}"
            found.append(Problem("", "parameter", self.parameter, rule))
        elif not is_passed_through(params[names.index(self.parameter)].space):
            found.append(Problem("", "parameter", self.parameter, f"must be {PASSED_THROUGH}"))
        if self.metric and objective in (None, OBJECTIVE_KEY):
            rule = "needs the name of the sweep's metric, which the program logs in the same rows"
            found.append(Problem("", "metric", self.metric, rule))
        if self.metric and self.metric == objective:
            found.append(Problem("", "metric", self.metric, "must be another metric than the objective"))
        return found

    def words(self, constants: Mapping[str, Any]) -> str:
        """Say how it was understood, in a sentence.

        Args:
            constants: The sweep's constants.
        """
        way = f"a run passes through the values of {self.parameter!r}"
        if self.parameter in constants:
            way += f", and every run is {constants[self.parameter]!r} long"
        if not self.metric:
            return f"{way}: its program reports the points with trial.report(objective, progress)"
        first = 1 if self.first is None else self.first
        counted = (
            f"{self.metric!r} says how far it is in the rows of the objective, and is {first} when the first is done"
        )
        hint = "; if it is 0 then, write `first: 0`" if self.first is None else ""
        stops = "; wandb-carbs agent stops runs that will hardly improve the frontier any more" if self.stop else ""
        return f"{way}: {counted}{stops}{hint}"

    @property
    def described(self) -> str | dict[str, Any]:
        """What `parse` reads, as JSON can hold it."""
        if not self.metric:
            return self.parameter
        counted = {} if self.first is None else {"first": self.first}
        stops = {"stop": True} if self.stop else {}
        return {"parameter": self.parameter, "metric": self.metric, **counted, **stops}


@dataclass(frozen=True)
class Point:
    """A point on a run's way.

    Attributes:
        progress: How far the run was, a value of the hyperparameter that it passes through.
        objective: The objective then.
        cost: The cost of the run until then.
    """

    progress: float
    objective: float
    cost: float


def to_text(points: Sequence[Point]) -> str:
    """Return points as a run's record keeps them."""
    return json.dumps([[point.progress, point.objective, point.cost] for point in points])


def read_points(text: Any) -> tuple[Point, ...]:
    """Read what `to_text` returned.

    Raises:
        CarbsError: If it is anything else.
    """
    try:
        values = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        values = None
    if not (isinstance(values, list) and len(values) <= MOST_POINTS and all(map(_is_point, values))):
        rule = f"is no list of at most {MOST_POINTS} points [progress, objective, cost]"
        raise refuse(Problem("", "", text, rule, f"{text!r:.100}"))
    return tuple(Point(*value) for value in values)


def points_in(
    text: Any, parameter: str, space: SearchSpace, suggestion: ParamDict | None
) -> tuple[tuple[ObservationInParam, ...], str]:
    """Read the points in a run's record as observations of their own configurations.

    Args:
        text: The record of the points.
        parameter: The hyperparameter that the run passes through.
        space: The search space.
        suggestion: The run's configuration; None if it cannot be read.

    Returns:
        The observations in the order of their progress, and why the record is skipped where it is.
    """
    if suggestion is None:
        return (), "the run's configuration cannot be read"
    end: Any = suggestion[parameter]
    found = []
    try:
        for point in sorted(read_points(text), key=lambda point: point.progress):
            values = {**suggestion, parameter: point.progress}
            problems = space.problems_with(values)
            if not problems and not is_before(point.progress, end):
                rule = f"must be before the run's own, {end!r}"
                problems.append(Problem("", parameter, point.progress, rule))
            raise_problems(f"point at {point.progress!r}", problems)
            found.append(ObservationInParam(space.select(values), point.objective, point.cost))
    except CarbsError as error:
        return (), str(error)
    return tuple(found), ""


def value_at(space: Space, done: float) -> float | None:
    """Return how far a run is as a value of the hyperparameter's space; None if it has no such value.

    Args:
        space: The space.
        done: How far the run is.
    """
    if not (math.isfinite(done) and done > 0):
        return None
    exact = float(f"{done:.12g}")  # 3, where thirds were added
    both: list[float] = [int(exact), exact] if exact.is_integer() else [exact]
    return next((value for value in both if space.problem_with(value) is None), None)


def is_before(place: float, end: float) -> bool:
    """Tell whether a place is before a run's own end, and not that end but for rounding."""
    return place < end * (1 - HAIR)


def _is_length(value: Any) -> bool:
    return is_number(value) and value > (1 if isinstance(value, int) else 0)


def _is_point(value: Any) -> bool:
    match value:
        case [progress, _, cost]:
            return all(map(is_number, value)) and progress > 0 and cost > 0
    return False
