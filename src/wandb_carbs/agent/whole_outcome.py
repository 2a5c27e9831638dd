"""The whole outcome of a run whose program has ended: how it went, the points on its way, and when it was stopped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from carbs import SearchSpace
from carbs.values import is_positive
from wandb_carbs.agent.curve import curve_keys, earlier_points, spread
from wandb_carbs.agent.outcome import STOPPED, Ending, Outcome, judge_outcome
from wandb_carbs.agent.passage import passage_of
from wandb_carbs.agent.runnable_sweep import RunnableSweep, values_of
from wandb_carbs.plain import is_number, to_json
from wandb_carbs.record import (
    BEGUN_KEY,
    REASON_KEY,
    STATE_KEY,
    STOPPED_KEY,
    SUCCESS,
    RunRecord,
    recorded_suggestion,
)
from wandb_carbs.sweep.logged import LoggedWay
from wandb_carbs.sweep.progress import Point

_UNSEEN = "the sweep's progress: no row of a run holds both {!r} and {!r}: log them in the same wandb.log()"
_UNNAMED = (
    "the sweep's progress: the program reports no points itself, so that nothing is learnt from its way: write "
    "`progress: {{parameter: {}, metric: …}}`, with the metric that says how far a run is, in a new sweep"
)
_UNPAID = "the sweep's progress: points on the way of a run have no cost, as {!r} is logged later: log it with them"
_FALLING = (
    "the sweep's progress: the cost falls on the way of a run, so that nothing is learnt from it: let {!r} be what the "
    "run has cost so far, with what its earlier starts had spent"
)


@dataclass(frozen=True)
class _Way:
    """The points on a run's way, how far it came, and a note for the user."""

    points: tuple[Point, ...] = ()
    furthest: float = 0.0
    note: str = ""


def whole_outcome(
    sweep: RunnableSweep,
    record: RunRecord,
    ending: Ending,
    seconds: float,
    *,
    is_joined: bool,
    spent: float = 0.0,
    begun: float | None = None,
) -> Outcome:
    """Judge a run whose program has ended, and read the points on its way where the sweep's definition asks for them.

    Args:
        sweep: Its sweep.
        record: The run, after its program has ended.
        ending: How the program ended.
        seconds: How long it ran, this time.
        is_joined: Whether this start of its program shows in other ways than by the sweep's metric.
        spent: Seconds of its earlier starts.
        begun: When its program was started, in seconds; None where only the run's record says it.

    Raises:
        WandbConnectionError: If the run's history is needed, and cannot be read.
    """
    values = values_of(sweep, record, spent + seconds, is_joined=is_joined)
    outcome = judge_outcome(ending, values)
    is_whole = outcome.keys[STATE_KEY] == SUCCESS
    way = _way_of(sweep, record, spent, begun, is_whole=is_whole) if values.has_joined else _Way()
    keys = {**outcome.keys, **curve_keys(way.points, is_whole=is_whole)}
    if outcome.keys[REASON_KEY] == STOPPED:
        keys.update(stopped_keys(spent + seconds, way.furthest))
    return replace(outcome, keys=keys, note=way.note)


def stopped_keys(seconds: float, furthest: float = 0.0) -> dict[str, str]:
    """Return the flat keys of a run that was stopped in W&B: the reason, and why and when it was.

    Args:
        seconds: How long its program ran.
        furthest: How far it was, in the unit of the sweep's progress; 0 if that is not known.
    """
    come = {"progress": furthest} if furthest else {}
    return {REASON_KEY: STOPPED, STOPPED_KEY: to_json({"why": "stopped in W&B", "seconds": round(seconds, 3), **come})}


def _way_of(sweep: RunnableSweep, record: RunRecord, spent: float, begun: float | None, *, is_whole: bool) -> _Way:
    progress, metric = sweep.definition.progress, sweep.metric
    if progress is None or metric is None:
        return _Way()
    if not progress.metric:
        return _Way(note=_UNNAMED.format(progress.parameter) if is_whole else "")
    end: Any = (recorded_suggestion(record) or {}).get(progress.parameter)
    if not is_number(end):
        return _Way()
    maximize = sweep.definition.config.better_direction_sign > 0
    space = SearchSpace(sweep.definition.params)
    settled = space.spaces[space.names.index(progress.parameter)]
    logged = LoggedWay(record, progress.metric, metric, sweep.cost, maximize=maximize)
    times = logged.course.times
    if not times and is_whole:
        return _Way(note=_UNSEEN.format(metric.name, progress.metric))
    passage = passage_of(logged.course, progress, settled, end, is_whole=is_whole)
    places = dict(passage.places)
    start: Any = record.summary.get(BEGUN_KEY) if begun is None else begun
    if sweep.cost is None:
        # Rows from before a new start have no cost by this clock; the record of the earlier start has it.
        places = {place: value for place, value in places.items() if is_number(start) and times[value] > start}
    elif passage.earliest is not None and logged.at(passage.earliest).cost is None:
        # If it comes after each row of the objective, then at each row there is only that of the row before.
        return _Way(earlier_points(record), passage.furthest, _UNPAID.format(sweep.cost.name))
    points = []
    for place in spread(places, is_whole=is_whole):
        passed = logged.at(places[place])
        cost = passed.cost if sweep.cost is not None else spent + times[places[place]] - start
        if cost is not None and is_positive(cost) and is_number(passed.objective):
            points.append(Point(place, passed.objective, cost))
    earlier = earlier_points(record)
    # An earlier start that had come there had spent less.
    whole = {point.progress: point for point in (*points, *earlier)}
    costs = [whole[place].cost for place in sorted(whole)]
    if sweep.cost is not None and costs != sorted(costs):
        return _Way(earlier, passage.furthest, _FALLING.format(sweep.cost.name))
    return _Way(tuple(whole.values()), passage.furthest, passage.note)
