"""The run of this process: what it must be, and its configuration and summary as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from carbs import CarbsError
from wandb_carbs.errors import WandbCarbsError
from wandb_carbs.sweep.path import SweepPath

# numpy's kinds of booleans, text, dates and periods.
_NO_NUMBERS = "bSUmM"


def check_run(run: Any) -> Any:
    """Return the run if it is one that can be written to.

    Raises:
        WandbCarbsError: If it is not.
    """
    if run is None:
        raise WandbCarbsError("there is no run: call wandb.init() before WandbCarbs, or pass wandb_run=")
    if not hasattr(run, "config") or not hasattr(run.config, "update_locked"):
        raise WandbCarbsError(f"wandb_run={run!r} must be a run of this process, as wandb.init() returns it")
    if getattr(run, "offline", False) or getattr(run, "disabled", False):
        raise WandbCarbsError(
            "the run is offline or disabled, but the search needs W&B's sweep: unset WANDB_MODE, or where there is no "
            "internet run the local server (wandb-carbs server)"
        )
    return run


def check_sweep(run: Any, sweep_id: str | None) -> str:
    """Return the id of the sweep that the run is in.

    Raises:
        WandbCarbsError: If it is in none, or in another.
    """
    actual: str | None = run.sweep_id
    if not actual:
        raise WandbCarbsError(
            f"run {run.name or run.id} is not part of a sweep: start it with wandb.agent(sweep_id, function=…) or "
            "`wandb agent <sweep>`, with a sweep made by create_sweep"
        )
    if sweep_id is not None and sweep_id.split("/")[-1] != actual:
        raise WandbCarbsError(
            f"sweep_id={sweep_id!r} is not the sweep of run {run.name or run.id}, which is {actual!r}"
        )
    return actual


def wrong_project(run_id: str, sweep: SweepPath, error: Exception) -> WandbCarbsError:
    """Return the error of a run that is in another project than its sweep."""
    return WandbCarbsError(
        f"run {run_id} is in project {sweep.entity}/{sweep.project}, where there is no sweep {sweep.sweep_id}: set "
        "WANDB_ENTITY and WANDB_PROJECT to the sweep's; entity and project of wandb.init() are ignored inside a sweep "
        f"({error})"
    )


def check_names(names: Iterable[str]) -> None:
    """Refuse parameters that a program would not find in `wandb.config`.

    Raises:
        WandbCarbsError: If a name begins with `_`.
    """
    hidden = [name for name in names if name.startswith("_")]
    if hidden:
        raise WandbCarbsError(
            f"parameter names {hidden} must not begin with '_': W&B keeps such names for itself, and wandb.config does "
            "not list them"
        )


def is_open(run: Any) -> bool:
    """Return whether the SDK holds the run: it is one of this process, and not finished."""
    return run is not None and not getattr(run, "_is_finished", False)


def update_config(run: Any, values: Mapping[str, Any]) -> None:
    """Put values into the run's configuration, over those that the sweep has locked."""
    # The one way past the lock that leaves no warning.
    run.config.update_locked(dict(values), user="carbs", _allow_val_change=True)


def config_of(run: Any) -> dict[str, Any]:
    """Return the run's whole configuration."""
    return {key: value for key, value in dict(run.config).items() if key != "_wandb"}


def logged_with(run: Any) -> dict[str, Any]:
    """Return the configuration with which this start of the run has logged; empty if it has logged nothing yet."""
    try:
        has_logged = run.step > run.starting_step
    except Exception:  # noqa: BLE001 - newer SDKs know no step of a run that several processes share
        has_logged = False
    return config_of(run) if has_logged else {}


def update_summary(run: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Write flat keys to the run's summary, and return the whole summary with them."""
    run.summary.update(dict(values))
    # Reading it back waits for the SDK's process, which has then taken the new values in.
    return {**run.summary._as_dict(), **values}  # noqa: SLF001 - the public way asks that process once for each key


def as_float(name: str, value: Any) -> float:
    """Return a number, a numpy scalar or a tensor with one element as a float.

    Raises:
        CarbsError: If it is not a number: text, a boolean, a date, a masked or an empty array.
    """
    number = _as_number(value)
    if number is None:
        raise CarbsError(f"{name}={value!r} must be a number")
    return number


def _as_number(value: Any) -> float | None:
    # float() of a masked value is NaN, which would be taken for a diverged run; numpy makes numbers of dates and text.
    if np.ma.is_masked(value) or getattr(getattr(value, "dtype", None), "kind", "") in tuple(_NO_NUMBERS):
        return None
    try:
        item = getattr(value, "item", None)
        plain = item() if callable(item) else value
        # float() of an array is refused unless it has no dimension; of text it is not.
        return None if plain is None or isinstance(plain, (bool, str, bytes, bytearray)) else float(plain)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None
