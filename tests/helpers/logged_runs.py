"""A run whose program has logged its way, and its sweep."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from carbs import CARBSParams, LogSpace, Param
from wandb_carbs.agent.runnable_sweep import RunnableSweep
from wandb_carbs.record import BEGUN_KEY, SUGGESTION_KEY, RunRecord
from wandb_carbs.sweep.definition import SweepDefinition
from wandb_carbs.sweep.path import SweepPath
from wandb_carbs.sweep.progress import Progress
from wandb_carbs.sweep.reading import Reading

BEGUN = 1000.0
PROGRESS = Progress("epochs", "epoch")
_PARAMS = (Param("lr", LogSpace(1e-4, 1e-1)), Param("epochs", LogSpace(1, 100, is_integer=True)))


def rows_of(*losses: Any, start: float = BEGUN, step: int = 0, first: int = 1) -> list[dict[str, Any]]:
    """Return what a program logs, an epoch every ten seconds."""
    return [
        {"loss": loss, "epoch": first + place, "_step": step + place, "_timestamp": start + 10 * (place + 1)}
        for place, loss in enumerate(losses)
    ]


def logged_run(rows: list[dict[str, Any]], *, epochs: int = 4, **summary: Any) -> RunRecord:
    """Return the run that has logged these rows, started at `BEGUN`."""

    def scan_history(keys: list[str], _: int) -> list[dict[str, Any]]:
        needed = [key for key in keys if not key.startswith("_")]
        return [{key: row[key] for key in keys if key in row} for row in rows if all(key in row for key in needed)]

    losses = [row["loss"] for row in rows if "loss" in row]
    last = {"loss": losses[-1]} if losses else {}
    kept = {BEGUN_KEY: BEGUN, SUGGESTION_KEY: json.dumps({"lr": 0.01, "epochs": epochs}), **last, **summary}
    source = SimpleNamespace(scan_history=scan_history, rawconfig={})
    return RunRecord("r", "r", "running", None, None, {}, kept, source)


def sweep_of_losses(progress: Progress | None = PROGRESS, cost: str = "") -> RunnableSweep:
    """Return a sweep that minimizes the loss; a run costs seconds, or a metric."""
    definition = SweepDefinition(_PARAMS, CARBSParams(better_direction_sign=-1), progress=progress)
    reading = Reading(cost) if cost else None
    return RunnableSweep(SweepPath("e", "p", "s"), definition, (), None, {}, Reading("loss"), reading)
