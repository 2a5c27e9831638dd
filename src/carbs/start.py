"""How a search starts: configurations that are wanted first, and the knowledge of an earlier search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from carbs.config import CARBSParams
from carbs.errors import Problem, raise_problems, refuse
from carbs.history import ObservationInParam
from carbs.models.groups import group_successes
from carbs.pareto import frontier
from carbs.search.first_draws import MIN_FOR_MODEL
from carbs.search.situation import OwnRuns
from carbs.spaces.identity import are_among, keys
from carbs.spaces.search_space import SearchSpace
from carbs.spaces.values import SUGGESTION_ID_KEY, ParamDict
from carbs.values import shown

# Members of another task's frontier that are run first: four gave +0.10 hypervolume after 5 runs, +0.03 after 25.
_NUM_MEMBERS = 4


def without(space: SearchSpace, initial: Sequence[ParamDict], answered: Sequence[ParamDict]) -> list[ParamDict]:
    """Return the configurations to run first without those that have had their run, be it of another in their place."""
    if not (initial and answered):
        return list(initial)
    is_answered = are_among(space.encode(initial), frozenset(keys(space.encode(answered))))
    return [values for values, had in zip(initial, is_answered, strict=True) if not had]


def wanted(space: SearchSpace, given: Any, obeys: Callable[[ParamDict], bool]) -> list[ParamDict]:
    """Check configurations to run first; parameters that one leaves out take the search centre.

    Args:
        space: The search space.
        given: The configurations.
        obeys: The user's rule.

    Returns:
        Whole configurations, in the same order.

    Raises:
        CarbsError: If one is not in the search space, or refused by the rule; names every problem and its place.
    """
    if isinstance(given, (str, Mapping)) or not isinstance(given, Sequence):
        raise refuse(Problem("", "initial", given, "must be a list of configurations"))
    found: list[ParamDict] = []
    problems: list[Problem] = []
    for number, part in enumerate(given):
        place = f"initial[{number}]"
        if not isinstance(part, Mapping):
            problems.append(Problem(place, "", part, "must be a dictionary of parameters' values", shown(part)))
            continue
        unknown = [name for name in part if name not in space.names and name != SUGGESTION_ID_KEY]
        mistakes = [space.unknown(name, part[name], place) for name in unknown]
        values = {**_centers(space), **part}
        mistakes += [
            replace(mistake, place=f"{place}: {mistake.place}" if mistake.place else place)
            for mistake in space.problems_with(values)
        ]
        mistakes += [
            Problem(place, name, values[name], f"must be {shown(value)}, as in every run")
            for name, value in space.missed(values).items()
        ]
        if not mistakes:
            found.append(space.select(values))
            if not obeys(found[-1]):
                mistakes.append(Problem(place, "", part, "is refused by is_valid", shown(dict(part))))
        problems += mistakes
    raise_problems("invalid configurations to run first", problems)
    return found


def doubt_of_cap(space: SearchSpace, config: CARBSParams, num_known: int) -> str:
    """Say if the first runs may exceed the cap on costs, since they are drawn before any cost is known.

    Args:
        space: The search space.
        config: The options.
        num_known: How many runs, or configurations to run first, the search starts with.

    Returns:
        A sentence, with the remedy; empty where there is no cap, or the search has a place to start from.
    """
    cap = config.max_suggestion_cost
    if cap is None or space.has_given_center or num_known >= MIN_FOR_MODEL:
        return ""
    return (
        f"the first runs are drawn before any cost is known, and may exceed max_suggestion_cost={cap:g} until "
        f"{MIN_FOR_MODEL} have succeeded: give the hyperparameters that drive the cost a cheap search_center, where "
        "the search then starts"
    )


def check_direction(others: CARBSParams, own: CARBSParams) -> None:
    """Refuse a search to start from that optimises in the other direction than this one.

    Raises:
        CarbsError: If it does.
    """
    if others.better_direction_sign != own.better_direction_sign:
        rule = f"of the search to start from must be this one's, {own.better_direction_sign}"
        raise refuse(Problem("", "better_direction_sign", others.better_direction_sign, rule))


def fresh(
    space: SearchSpace,
    other: SearchSpace,
    earlier: Iterable[ObservationInParam],
    known: Iterable[ObservationInParam],
) -> list[ObservationInParam]:
    """Return the observations of an earlier search that are new to this one, marked as old.

    Parameters that the earlier search did not have take the search centre, and those that this one does not have are
    left out, as are observations out of bounds, and where all runs are equally long those that were planned for
    another length.

    Args:
        space: This search's space.
        other: The earlier search's space.
        earlier: The earlier search's observations.
        known: This search's own. Those of earlier warm starts are not new; of equal ones, as many are as there are
            more of.
    """
    known_times = Counter(_identity(space, seen) for seen in known if seen.is_old)
    found = []
    for seen in earlier:
        moved = _moved(space, seen)
        if moved is None or not space.is_whole({**seen.input, **other.fixed}):
            continue
        identity = _identity(space, moved)
        if known_times[identity]:
            known_times[identity] -= 1
        else:
            found.append(moved)
    return found


def _moved(space: SearchSpace, seen: ObservationInParam) -> ObservationInParam | None:
    """Return an observation of an earlier search in this one's space; None if it is out of bounds.

    The points on its way that are within bounds count, unless they are the same as its end here. Where only they are
    within bounds, the furthest is the end.
    """

    def move(seen: ObservationInParam) -> ObservationInParam:
        return replace(seen, input={**_centers(space), **seen.input}, is_old=True, points=())

    end = move(seen)
    points = [point for point in map(move, seen.points) if not space.problems_with(point.input)]
    if not space.problems_with(end.input):
        own = space.select(end.input)
        return replace(end, points=tuple(point for point in points if space.select(point.input) != own))
    if not points:
        return None
    *before, last = points
    return replace(last, points=tuple(before))


def _identity(space: SearchSpace, seen: ObservationInParam) -> str:
    outcome = None if seen.is_failure else (float(seen.output), float(seen.cost))
    return repr((space.select(seen.input), outcome))


def frontier_members(
    space: SearchSpace, other: SearchSpace, successes: Sequence[ObservationInParam], sign: int
) -> list[ParamDict]:
    """Return members of another search's frontier that lie in this one's space, from the cheapest to the best.

    Args:
        space: This search's space.
        other: The other search's space.
        successes: Its successful runs; where all are equally long, the whole ones count.
        sign: 1 if it maximised, -1 if it minimised.
    """
    groups = group_successes(other, [run for run in successes if other.is_whole(run.input)], sign)
    members = frontier(groups.y, groups.log_cost)
    if len(members) > _NUM_MEMBERS:
        members = members[np.linspace(0, len(members) - 1, _NUM_MEMBERS).round().astype(int)]
    values = [{**_centers(space), **member, **space.fixed} for member in other.decode(groups.X[members])]
    found = [space.select(member) for member in values if not space.problems_with(member)]
    return [member for place, member in enumerate(found) if member not in found[:place]]


def own_runs(space: SearchSpace, successes: Sequence[ObservationInParam]) -> OwnRuns | None:
    """Return the runs of this search alone, by which the limits of cost count; None if all are its own, and whole.

    A search without a run of its own grows from its given centre, or from the cheapest old run.
    """
    own = [run for run in successes if not run.is_old]
    if len(own) == len(successes) and all(space.is_whole(run.input) for run in own):
        return None
    if own:
        return OwnRuns(space.encode([{**run.input, **space.fixed} for run in own]), np.log([run.cost for run in own]))
    cheapest = min(successes, key=lambda run: run.cost)
    start = space.center[None] if space.has_given_center else space.encode([cheapest.input])
    return OwnRuns(start, np.empty(0))


def _centers(space: SearchSpace) -> ParamDict:
    return {param.name: param.center for param in space.params}
