"""The points on a run's way, read from what its program has logged."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from carbs import SearchSpace
from carbs.values import is_positive
from wandb_carbs.agent.curve import earlier_points, falling, spread
from wandb_carbs.agent.passage import passage_of, smallest
from wandb_carbs.agent.runnable_sweep import RunnableSweep
from wandb_carbs.plain import is_number
from wandb_carbs.record import BEGUN_KEY, CURVE_KEY, RunRecord, recorded_suggestion
from wandb_carbs.retry import RETRY_SECONDS
from wandb_carbs.sweep.logged import LoggedWay
from wandb_carbs.sweep.progress import Point, is_before

_UNSEEN = "the sweep's progress: no row of a run holds both {!r} and {!r}: log them in the same wandb.log()"
_UNNAMED = (
    "the sweep's progress: the program reports no points itself, so that nothing is learnt from its way: write "
    "`progress: {{parameter: {}, metric: …}}`, with the metric that says how far a run is, in a new sweep"
)
_UNPAID = "the sweep's progress: points on the way of a run have no cost, as {!r} is logged later: log it with them"
_UNREPORTED = (
    "the sweep's progress: the program records its outcome itself and has reported no points, so that nothing is "
    "learnt from its way: call trial.report(objective, progress) in its loop, and let a new sweep say "
    "`progress: {}`, as the agent reads what a program logs only where it records the outcome, too"
)
_FALLING = (
    "the sweep's progress: the cost falls on the way of a run, so that nothing is learnt from it: let {!r} be what the "
    "run has cost so far, with what its earlier starts had spent"
)
# The Trainer of Hugging Face writes its arguments into the run's configuration. Without this one it is linear.
_SCHEDULE = "lr_scheduler_type"
_PLANNED = ("linear", "cosine", "polynomial", "warmup_stable_decay")
_SHRINKING = (
    "the sweep's progress: {}={} plans the learning rate over the whole length of a run, so that on its way it is "
    "worse than a shorter run would have been: give the program a schedule that does not depend on the length, such as "
    "constant_with_warmup, or leave `progress` out of a new sweep"
)


@dataclass(frozen=True)
class LoggedCurve:
    """The points on a run's way.

    Attributes:
        points: Those that are learnt.
        furthest: How far the run came, in the unit of the sweep's progress; 0 if that is not known.
        note: Why nothing is learnt from its way, or what may be wrong with it, for the user; empty if all is well.
    """

    points: tuple[Point, ...] = ()
    furthest: float = 0.0
    note: str = ""


def read_curve(
    sweep: RunnableSweep,
    record: RunRecord,
    *,
    is_whole: bool,
    seconds: float = 0.0,
    spent: float = 0.0,
    begun: float | None = None,
    limit: float = RETRY_SECONDS,
) -> LoggedCurve:
    """Read the points on a run's way where the sweep's definition asks for them.

    Args:
        sweep: Its sweep.
        record: The run.
        is_whole: Whether the run has come to its end.
        seconds: How long its program ran, this time.
        spent: Seconds of its earlier starts.
        begun: When its program was started, in seconds; None where only the run's record says it.
        limit: Seconds after which no new attempt to read is begun.

    Raises:
        WandbConnectionError: If the run's history cannot be read.
    """
    progress, metric = sweep.definition.progress, sweep.metric
    if progress is None or metric is None:
        return LoggedCurve()
    if not progress.metric:
        return LoggedCurve(note=_UNNAMED.format(progress.parameter) if is_whole else "")
    end: Any = (recorded_suggestion(record) or {}).get(progress.parameter)
    if not is_number(end):
        return LoggedCurve()
    maximize = sweep.definition.config.better_direction_sign > 0
    space = SearchSpace(sweep.definition.params)
    settled = space.spaces[space.names.index(progress.parameter)]
    logged = LoggedWay(record, progress.metric, metric, sweep.cost, maximize=maximize, limit=limit)
    times = logged.course.times
    if not times and is_whole:
        return LoggedCurve(note=_UNSEEN.format(metric.name, progress.metric))
    passage = passage_of(logged.course, progress, settled, end, is_whole=is_whole)
    places = dict(passage.places)
    start: Any = record.summary.get(BEGUN_KEY) if begun is None else begun
    if sweep.cost is None:
        # Rows from before a new start have no cost by this clock; the record of the earlier start has it.
        places = {place: value for place, value in places.items() if is_number(start) and times[value] > start}
    elif passage.earliest is not None and logged.at(passage.earliest).cost is None:
        # If it comes after each row of the objective, then at each row there is only that of the row before.
        return LoggedCurve(earlier_points(record), passage.furthest, _UNPAID.format(sweep.cost.name))
    came_to_end = is_whole and not is_before(passage.furthest, end)
    ending = _seconds_after(times.values(), start, seconds) if came_to_end else 0.0
    points = []
    for place in spread(places, is_whole=is_whole):
        passed = logged.at(places[place])
        cost = passed.cost if sweep.cost is not None else spent + times[places[place]] - start + ending
        if cost is not None and is_positive(cost) and is_number(passed.objective):
            points.append(Point(place, passed.objective, cost))
    earlier = earlier_points(record)
    # An earlier start that had come there had spent less.
    whole = (*points, *earlier)
    if sweep.cost is not None and falling(whole):
        return LoggedCurve(earlier, passage.furthest, _FALLING.format(sweep.cost.name))
    # Where all runs are equally long, so are their schedules.
    may_be_planned = bool(whole) and not sweep.definition.is_length_fixed
    return LoggedCurve(whole, passage.furthest, passage.note or (_schedule_note(record) if may_be_planned else ""))


def unreported_note(sweep: RunnableSweep, record: RunRecord) -> str:
    """Say if a program that records its outcome itself has left out the points that its sweep asks for; else empty.

    The agent does not read them: their costs are by another clock than the one that the program has recorded.

    Args:
        sweep: The run's sweep.
        record: The run, which has come to its end.
    """
    progress = sweep.definition.progress
    if progress is None or not progress.metric or record.summary.get(CURVE_KEY):
        return ""
    space = SearchSpace(sweep.definition.params)
    end: Any = (recorded_suggestion(record) or {}).get(progress.parameter)
    least = smallest(space.spaces[space.names.index(progress.parameter)])
    return _UNREPORTED.format(progress.parameter) if is_number(end) and is_before(least, end) else ""


def _seconds_after(times: Iterable[float], start: Any, seconds: float) -> float:
    """Return what a run took after its last row: checks, uploads, the end of the interpreter; a shorter one does, too.

    Args:
        times: Those of its rows; NaN where one is not known.
        start: When its program was started; anything but a number where that is not known.
        seconds: How long its program ran.
    """
    last = max(filter(math.isfinite, times), default=math.inf)
    return max(seconds - (last - start), 0.0) if is_number(start) else 0.0


def _schedule_note(record: RunRecord) -> str:
    """Say if the program's own configuration has a schedule that depends on its length; empty if it has none."""
    schedule = record.config.get(_SCHEDULE)
    is_planned = isinstance(schedule, str) and schedule.startswith(_PLANNED)
    return _SHRINKING.format(_SCHEDULE, schedule) if is_planned else ""
