"""Showing the other runs to an optimizer before it draws, so that agents that start together draw apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from carbs import CARBS, ParamDict, SuggestOutput
from carbs.spaces.identity import keys
from wandb_carbs.plain import is_number
from wandb_carbs.record import RunRecord, Standing
from wandb_carbs.sweep.history import feed
from wandb_carbs.sweep.judged import JudgedRun
from wandb_carbs.sweep.path import SweepPath

# Foreseeing costs a suggestion for each run; beyond this many the seeds alone keep agents apart.
_MAX_FORESEEN = 128
# More than this many abandoned configurations in a row are only drawn where there is hardly any other.
_MAX_AVOIDED = 5
_LIVING = (Standing.RUNNING, Standing.STARTING)


def seed_of(sweep_id: str, run_id: str, attempt: int = 0) -> str:
    """Return the seed of a run's suggestion, which any agent of the sweep can work out."""
    return f"{sweep_id}/{run_id}" + (f"/{attempt}" if attempt else "")


def look_around(
    carbs: CARBS, sweep: SweepPath, others: Sequence[JudgedRun], own: RunRecord
) -> tuple[int, list[JudgedRun]]:
    """Show the other runs to the optimizer, and draw for those that will draw before `own`.

    Living runs are gone through in the order of their creation, so that the foreseen ones see what they saw. A run that
    was created later but has published already is left out while the draws are a space-filling sequence: a run's place
    in it is the number of runs before it, and two agents must not take the same.

    Args:
        carbs: The optimizer.
        sweep: The sweep.
        others: The other runs.
        own: The run that is about to draw.

    Returns:
        How many runs were foreseen, and the runs left out, to be shown after the draw.
    """
    feed(carbs, sweep, others, own.id, with_running=False)
    living = [run for run in others if run.verdict.standing in _LIVING]
    foreseen: int = 0
    later: list[JudgedRun] = []
    for run in sorted(living, key=lambda run: run.record.order):
        if run.suggestion is not None:
            if run.record.order < own.order:
                carbs.remember_suggestion(run.suggestion, run.record.id)
            else:
                later.append(run)
        elif run.record.order < own.order and foreseen < _MAX_FORESEEN:
            foreseen += 1
            carbs.suggest(run.record.id, seed=seed_of(sweep.sweep_id, run.record.id))
    if not carbs.num_awaited:
        for run in later:
            carbs.remember_suggestion(run.suggestion or {}, run.record.id)
        later = []
    return foreseen, later


def draw(
    carbs: CARBS, run_id: str, seed: str, lost: Mapping[str, ParamDict], stopped: Collection[str] = ()
) -> SuggestOutput:
    """Draw a suggestion that no abandoned run has: an abandoned run may take up its own again.

    A configuration that is wanted first is run again, unless its run was stopped, or ran another one in its place: so
    would each.

    Args:
        carbs: The optimizer.
        run_id: The run that draws.
        seed: Seed of the draw.
        lost: Configurations of abandoned runs, by the run's id.
        stopped: Those of these runs that were stopped, or ran other configurations.
    """
    output = carbs.suggest(run_id, seed=seed)
    for _ in range(_MAX_AVOIDED + len(stopped)):
        kind = output.log.get("kind")
        if kind == "resample":
            break
        avoided = stopped if kind == "initial" else lost
        same = [id_ for id_ in avoided if are_equal(carbs, lost[id_], output.suggestion)]
        if not same:
            break
        # Outstanding, and only now: a run that is gone must not keep the search away from its neighbourhood.
        carbs.remember_suggestion(lost[same[0]], same[0])
        carbs.forget_suggestion(output.suggestion)
        output = carbs.suggest(run_id, seed=seed)
    return output


def are_equal(carbs: CARBS, one: ParamDict, other: ParamDict) -> bool:
    """Return whether two configurations are the same to the optimizer."""
    first, second = keys(carbs.space.encode([one, other]))
    return first == second


def beliefs(output: SuggestOutput) -> dict[str, Any]:
    """Return what the optimizer believed of its suggestion, as flat summary keys."""
    return {
        # Why the model was not used, or why this is a draw; `carbs.reason` is for how the run ended.
        "carbs.kind_reason" if key == "reason" else f"carbs.{key}": value
        for key, value in output.log.items()
        if isinstance(value, (str, bool)) or is_number(value)
    }
