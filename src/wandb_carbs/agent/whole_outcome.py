"""The whole outcome of a run whose program has ended: how it went, the points on its way, and when it was stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from wandb_carbs.agent.curve import chosen, curve_keys
from wandb_carbs.agent.early_stop import stopped_at
from wandb_carbs.agent.logged_curve import LoggedCurve, read_curve
from wandb_carbs.agent.outcome import STOPPED, Ending, Outcome, judge_outcome
from wandb_carbs.agent.program_values import values_for
from wandb_carbs.agent.publisher import suggestion_keys
from wandb_carbs.agent.ran import NO_BELIEFS
from wandb_carbs.agent.runnable_sweep import RunnableSweep, values_of
from wandb_carbs.plain import to_json
from wandb_carbs.record import (
    CONFIG_KEY,
    COST_KEY,
    OBJECTIVE_KEY,
    REASON_KEY,
    STATE_KEY,
    STOPPED_KEY,
    SUCCESS,
    SUGGESTED_KEY,
    RunRecord,
    recorded_suggestion,
)
from wandb_carbs.sweep.progress import Point, is_before


def whole_outcome(
    sweep: RunnableSweep,
    record: RunRecord,
    ending: Ending,
    seconds: float,
    *,
    is_joined: bool,
    spent: float = 0.0,
    begun: float | None = None,
    advised: str = "",
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
        advised: Why this agent has stopped it, as the models advised; empty if it has not.

    Raises:
        WandbConnectionError: If the run's history is needed, and cannot be read.
    """
    values = values_of(sweep, record, spent + seconds, is_joined=is_joined)
    outcome = judge_outcome(ending, values)
    is_whole = outcome.keys[STATE_KEY] == SUCCESS
    curve = LoggedCurve()
    if values.has_joined:
        curve = read_curve(sweep, record, is_whole=is_whole, seconds=seconds, spent=spent, begun=begun)
    keys = {**outcome.keys, **curve_keys(curve.points, is_whole=is_whole)}
    if advised and outcome.keys[REASON_KEY] == STOPPED and curve.points:
        suggestion, parameter = _planned(sweep, record)
        if ending.exit_code == 0 and not is_before(curve.furthest, suggestion[parameter]):
            by_itself = replace(ending, asked="")
            ended = whole_outcome(sweep, record, by_itself, seconds, is_joined=is_joined, spent=spent, begun=begun)
            if ended.keys[STATE_KEY] == SUCCESS:  # it came to its end all the same
                return ended
        return replace(outcome, keys=_as_shorter(sweep, record, curve.points, advised), note=curve.note)
    if outcome.keys[REASON_KEY] == STOPPED:
        keys.update(stopped_keys(spent + seconds, curve.furthest, advised))
    return replace(outcome, keys=keys, note=curve.note)


def stopped_keys(seconds: float, furthest: float = 0.0, advised: str = "") -> dict[str, str]:
    """Return the flat keys of a run that was stopped: the reason, and why and when it was.

    Args:
        seconds: How long its program ran.
        furthest: How far it was, in the unit of the sweep's progress; 0 if that is not known.
        advised: Why this agent has stopped it, as the models advised; empty if it was stopped in W&B.
    """
    come = {"progress": furthest} if furthest else {}
    why = advised or "stopped in W&B"
    return {REASON_KEY: STOPPED, STOPPED_KEY: to_json({"why": why, "seconds": round(seconds, 3), **come})}


def _planned(sweep: RunnableSweep, record: RunRecord) -> tuple[dict[str, Any], str]:
    """Return the suggestion of a run that has points on its way, and the hyperparameter that it passes through."""
    suggestion, parameter = recorded_suggestion(record), sweep.definition.progress_parameter
    assert suggestion is not None
    assert parameter is not None
    return suggestion, parameter


def _as_shorter(sweep: RunnableSweep, record: RunRecord, points: Sequence[Point], why: str) -> dict[str, Any]:
    """Return the flat keys of a run that was stopped as advised: it counts as the shorter one that it was."""
    suggestion, parameter = _planned(sweep, record)
    *before, last = chosen(points, is_whole=False)
    ran = {**suggestion, parameter: last.progress}
    values = values_for(sweep.parameters, ran)
    return {
        STATE_KEY: SUCCESS,
        OBJECTIVE_KEY: last.objective,
        COST_KEY: last.cost,
        REASON_KEY: "",
        **NO_BELIEFS,
        **suggestion_keys(ran, values, is_apart=CONFIG_KEY in record.summary),
        **curve_keys(before, is_whole=True),
        **stopped_at(why, last.progress),
        SUGGESTED_KEY: to_json(suggestion),
    }
