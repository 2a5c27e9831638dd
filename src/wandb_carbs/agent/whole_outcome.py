"""The whole outcome of a run whose program has ended: how it went, the points on its way, and when it was stopped."""

from __future__ import annotations

from dataclasses import replace

from wandb_carbs.agent.curve import curve_keys
from wandb_carbs.agent.logged_curve import LoggedCurve, read_curve
from wandb_carbs.agent.outcome import STOPPED, Ending, Outcome, judge_outcome
from wandb_carbs.agent.runnable_sweep import RunnableSweep, values_of
from wandb_carbs.plain import to_json
from wandb_carbs.record import REASON_KEY, STATE_KEY, STOPPED_KEY, SUCCESS, RunRecord


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
    curve = LoggedCurve()
    if values.has_joined:
        curve = read_curve(sweep, record, is_whole=is_whole, spent=spent, begun=begun)
    keys = {**outcome.keys, **curve_keys(curve.points, is_whole=is_whole)}
    if outcome.keys[REASON_KEY] == STOPPED:
        keys.update(stopped_keys(spent + seconds, curve.furthest))
    return replace(outcome, keys=keys, note=curve.note)


def stopped_keys(seconds: float, furthest: float = 0.0) -> dict[str, str]:
    """Return the flat keys of a run that was stopped in W&B: the reason, and why and when it was.

    Args:
        seconds: How long its program ran.
        furthest: How far it was, in the unit of the sweep's progress; 0 if that is not known.
    """
    come = {"progress": furthest} if furthest else {}
    return {REASON_KEY: STOPPED, STOPPED_KEY: to_json({"why": "stopped in W&B", "seconds": round(seconds, 3), **come})}
