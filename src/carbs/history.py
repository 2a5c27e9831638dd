"""Suggestions, observations, and the history that they form."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from carbs.errors import CarbsError, Problem, raise_problems, refuse
from carbs.spaces.search_space import SearchSpace
from carbs.spaces.values import SUGGESTION_ID_KEY, ParamDict
from carbs.values import as_float, is_dictionary, is_finite, is_flag, is_positive, plain, shown


@dataclass(frozen=True)
class ObservationInParam:
    """The outcome of one run.

    Attributes:
        input: The configuration; may hold the suggestion's identifier under "suggestion_uuid".
        output: The objective. A value that is not finite makes the observation a failure.
        cost: What the run cost, positive, in any unit (usually seconds). Not used for a failure.
        is_failure: Whether the run failed for reasons that lie in its hyperparameters (out of memory, divergence).
        is_old: Whether it is a run of an earlier search: it teaches the models, but its cost raises no limit of cost.
        points: Points of the same run on its way, each the result of another configuration: after 5 of 50 epochs that
            of 5 epochs, if the schedule does not depend on their number, or all runs are equally long. Each is a
            success without points of its own. They teach the models, which know that they share the run's noise; in all
            else the run is its end alone.
    """

    input: ParamDict
    output: float = math.nan
    cost: float = 1.0
    is_failure: bool = False
    is_old: bool = False
    points: Sequence[ObservationInParam] = ()


@dataclass(frozen=True)
class SuggestOutput:
    """A suggestion.

    Attributes:
        suggestion: The configuration, and its identifier under "suggestion_uuid" if it is remembered.
        log: The optimizer's predictions: `kind` ("initial", "random", "model" or "resample"); with a model also
            `predicted_objective`, `predicted_cost`, their standard deviations (`…_std`; that of the cost is a factor's
            logarithm), the noise of a single run that comes on top (`objective_noise`, `cost_noise`),
            `success_probability`, `expected_improvement` (the hypervolume that the run is expected to add if it
            succeeds: objective times natural log cost); `reason` where the model could not be used, or where its
            suggestions have brought nothing for a while, so that it is a draw over the whole space.
    """

    suggestion: ParamDict
    log: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ObserveOutput:
    """The state of the search after an observation.

    Attributes:
        logs: The numbers of successes and failures so far.
    """

    logs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Source:
    """What came from one source.

    Attributes:
        given: Observations as they were given, by identifier.
        kept: The same as they are kept, in that order.
        identifiers: Of all runs that the source spoke of, those without an observation among them.
    """

    given: Mapping[str, ObservationInParam] = field(default_factory=dict)
    kept: tuple[ObservationInParam, ...] = ()
    identifiers: frozenset[str] = frozenset()


class History:
    """All observations and outstanding suggestions, in the order in which they came.

    Attributes:
        successes: Observations with an objective and a cost.
        failures: Observations of failed runs.
        pending: Outstanding suggestions by identifier.
        revision: Grows with every change of the observations.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self.successes: list[ObservationInParam] = []
        self.failures: list[ObservationInParam] = []
        self.pending: dict[str, ParamDict] = {}
        self.revision = 0
        self._sources: dict[str, _Source] = {}

    @property
    def observations(self) -> tuple[ObservationInParam, ...]:
        """All observations, the successes first."""
        return (*self.successes, *self.failures)

    def add(self, observation: ObservationInParam) -> ObservationInParam:
        """Add an observation; its suggestion, if it names one, is outstanding no longer.

        Returns:
            The observation as it is kept.

        Raises:
            CarbsError: If it is no observation, its configuration is not in the search space, or its cost is not
                positive and finite. Nothing is changed then.
        """
        kept = self._checked(observation)
        self._append(kept)
        self.forget(observation.input)
        return kept

    def synchronize(
        self,
        source: str,
        observations: Mapping[str, ObservationInParam],
        outstanding: Mapping[str, ParamDict | None],
    ) -> None:
        """Make what is known from `source` exactly this; see `CARBS.synchronize`.

        Raises:
            CarbsError: If an observation or a suggestion is invalid; nothing is changed then.
        """
        known = self._sources.get(source, _Source())
        if known.given != dict(observations):
            fresh = _Source(dict(observations), tuple(self._checked(given) for given in observations.values()))
        else:
            fresh = known
        living = {id_: self._checked_suggestion(id_, values) for id_, values in outstanding.items() if values}
        if fresh is not known:
            gone = {id(observation) for observation in known.kept}
            self.successes[:] = [observation for observation in self.successes if id(observation) not in gone]
            self.failures[:] = [observation for observation in self.failures if id(observation) not in gone]
            self.revision += 1
            for observation in fresh.kept:
                self._append(observation)
        for suggestion_id in (*known.identifiers, *observations):
            self.pending.pop(suggestion_id, None)
        self.pending.update(living)
        self._sources[source] = replace(fresh, identifiers=frozenset((*observations, *outstanding)))

    @property
    def sources(self) -> dict[str, dict[str, ObservationInParam | None]]:
        """The runs that each source spoke of, by its name and theirs; None for a run without an observation."""
        return {
            name: {**dict.fromkeys(sorted(source.identifiers)), **dict(zip(source.given, source.kept, strict=True))}
            for name, source in self._sources.items()
        }

    def attribute(self, source: str, runs: Mapping[str, ObservationInParam | None]) -> None:
        """Note that observations which are here already came from a source; undoes `sources`.

        Args:
            source: Name of the source.
            runs: Its runs by identifier: objects of `successes` or `failures`, None for a run without an observation.
        """
        given = {identifier: run for identifier, run in runs.items() if run is not None}
        self._sources[source] = _Source(given, tuple(given.values()), frozenset(runs))

    def remember(self, suggestion_id: str, values: Mapping[str, Any]) -> None:
        """Add an outstanding suggestion; one of the same identifier is replaced.

        Raises:
            CarbsError: If the identifier is not a non-empty string, or the configuration is not in the search space.
        """
        self.pending[plain(suggestion_id)] = self._checked_suggestion(suggestion_id, values)

    def forget(self, values: Mapping[str, Any]) -> bool:
        """Remove the outstanding suggestion whose identifier `values` holds; say whether there was one.

        Raises:
            CarbsError: If `values` is not a dictionary.
        """
        if not is_dictionary(values):
            raise refuse(Problem("", "", values, "must be a dictionary", shown(values)), "suggestion to forget")
        suggestion_id = values.get(SUGGESTION_ID_KEY)
        return isinstance(suggestion_id, str) and self.pending.pop(suggestion_id, None) is not None

    def _append(self, observation: ObservationInParam) -> None:
        (self.failures if observation.is_failure else self.successes).append(observation)
        self.revision += 1

    def _checked_suggestion(self, suggestion_id: str, values: Mapping[str, Any]) -> ParamDict:
        check_suggestion_id(suggestion_id)
        raise_problems(f"invalid outstanding suggestion {suggestion_id!r}", self._space.problems_with(values))
        return self._space.select(values)

    def _checked(self, observation: Any) -> ObservationInParam:
        """Return an observation as it is kept: its cost a float, what failed marked as such."""
        if not isinstance(observation, ObservationInParam):
            problem = Problem("", "", observation, "must be an ObservationInParam", shown(observation))
            raise refuse(problem, "invalid observation")
        points, problems = observation.points, self._problems_with(observation)
        if isinstance(points, str) or not isinstance(points, Sequence):
            problems.append(Problem("", "points", points, "must be a list of ObservationInParam"))
            points = ()
        for number, point in enumerate(points):
            problems += self._problems_with_point(f"points[{number}]", point)
        raise_problems("invalid observation", problems)
        return replace(self._kept(observation), points=tuple(map(self._kept, points)))

    def _problems_with(self, observation: ObservationInParam) -> list[Problem]:
        """List why an observation is invalid, its points aside."""
        problems = self._space.problems_with(observation.input)
        output, is_failure = observation.output, observation.is_failure
        if not is_flag(is_failure):
            problems.append(Problem("", "is_failure", is_failure, "must be True or False"))
        if not is_flag(observation.is_old):
            problems.append(Problem("", "is_old", observation.is_old, "must be True or False"))
        has_failed = _has_failed(observation)
        if as_float(output) is None and output is not None and not (is_flag(is_failure) and is_failure):
            problems.append(Problem("", "output", output, "must be a number"))
        if not has_failed and not is_positive(observation.cost):
            problems.append(Problem("", "cost", observation.cost, "must be a positive, finite number"))
        return problems

    def _problems_with_point(self, place: str, point: Any) -> list[Problem]:
        """List why a point on a run's way is invalid."""
        if not isinstance(point, ObservationInParam):
            return [Problem(place, "", point, "must be an ObservationInParam", shown(point))]
        problems = self._problems_with(point)
        if _has_failed(point) and not problems:
            problems.append(Problem("", "output", point.output, "must be a finite number, and no failure"))
        if len(point.points):
            problems.append(Problem("", "points", point.points, "must be empty"))
        return [replace(one, place=f"{place}: {one.place}" if one.place else place) for one in problems]

    def _kept(self, valid: ObservationInParam) -> ObservationInParam:
        """Return a valid observation as it is kept, without its points."""
        values, is_old = self._space.select(valid.input), bool(valid.is_old)
        if _has_failed(valid):
            cost = float(valid.cost) if is_positive(valid.cost) else 1.0
            return ObservationInParam(values, math.nan, cost, is_failure=True, is_old=is_old)
        return ObservationInParam(values, float(valid.output), float(valid.cost), is_old=is_old)


def _has_failed(observation: ObservationInParam) -> bool:
    """Say whether an observation counts as a failure: it says so, or its objective is not finite."""
    return (is_flag(observation.is_failure) and bool(observation.is_failure)) or not is_finite(observation.output)


def gather(space: SearchSpace, observations: Iterable[ObservationInParam]) -> History:
    """Put observations into a history of their own.

    Args:
        space: The search space.
        observations: Successes and failures, in any order.

    Returns:
        The history.

    Raises:
        CarbsError: If they are not a list of observations, or one is invalid; names its place, from 0.
    """
    if not isinstance(observations, Iterable):
        raise refuse(Problem("", "observations", observations, "must be a list of ObservationInParam"))
    history = History(space)
    for place, observation in enumerate(observations):
        try:
            history.add(observation)
        except CarbsError as error:  # noqa: PERF203 - the error names the place
            where = f"observations[{place}]"
            problems = [replace(problem, place=where) for problem in error.problems]
            raise CarbsError(f"{where}: {error}", problems) from error
    return history


def check_suggestion_id(suggestion_id: Any) -> None:
    """Refuse what cannot be found again under the identifier that a configuration holds.

    Raises:
        CarbsError: If it is not a non-empty string.
    """
    if not isinstance(suggestion_id, str) or not suggestion_id:
        raise refuse(Problem("", "suggestion_id", suggestion_id, "must be a non-empty string"))


def copies(observations: Sequence[ObservationInParam]) -> list[ObservationInParam]:
    """Return copies that the caller may change."""
    # First the whole list at once: another thread may be adding to it.
    return [
        replace(observation, input=dict(observation.input), points=tuple(copies(observation.points)))
        for observation in list(observations)
    ]
