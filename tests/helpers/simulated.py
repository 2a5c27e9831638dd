"""A simulated sweep of the optimizer, as W&B would have recorded it, with a hostile name and failures."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

import numpy as np

from carbs import CARBS, CARBSParams, CategoricalSpace, LogSpace, ObservationInParam, Param
from wandb_carbs.record import RunRecord
from wandb_carbs.sweep.definition import SweepDefinition
from wandb_carbs.sweep.history import SweepHistory
from wandb_carbs.sweep.judged import judge
from wandb_carbs.sweep.path import SweepPath

HOSTILE = "</script><img src=x onerror=alert(1)>&"
START = datetime(2025, 1, 1, tzinfo=timezone.utc)
PARAMS = (
    Param("size", LogSpace(min=1e1, max=1e5), 1e2),
    Param("rate", LogSpace(min=1e-4, max=1e0), 1e-2),
    Param("kind<b>", CategoricalSpace(("a", "b", HOSTILE))),
)


def train(values: dict[str, Any], rng: np.random.Generator) -> tuple[float, float] | None:
    """Return loss and cost; the loss falls with the size, high rates fail."""
    if values["rate"] > 0.3:
        return None
    best = 0.3 * values["size"] ** -0.3
    loss = 1 + 5 * values["size"] ** -0.4 + 0.2 * math.log10(values["rate"] / best) ** 2
    loss += 0.1 * (values["kind<b>"] != "b") + 0.01 * rng.standard_normal()
    return loss, values["size"] ** 0.9 / 10


@cache
def simulate(number: int) -> SweepHistory:
    """Let the optimizer run a sweep of `number` runs, and record it as W&B would; it takes seconds, once a process."""
    config = CARBSParams(better_direction_sign=-1)
    carbs = CARBS(config, PARAMS)
    rng = np.random.default_rng(1)
    records = []
    for index in range(number):
        output = carbs.suggest()
        values = carbs.space.select(output.suggestion)
        outcome = train(values, rng)
        summary: dict[str, Any] = {f"carbs.{key}": value for key, value in output.log.items() if key != "reason"}
        if outcome is None:
            carbs.observe(ObservationInParam(output.suggestion, is_failure=True))
            summary |= {"carbs.state": "failure", "carbs.reason": HOSTILE}
        else:
            carbs.observe(ObservationInParam(output.suggestion, *outcome))
            summary |= {"carbs.state": "success", "carbs.objective": outcome[0], "carbs.cost": outcome[1]}
        start = START + timedelta(minutes=index)
        name = HOSTILE if index == 0 else f"run-{index}"
        record = RunRecord(f"id{index}", name, "finished", start, start + timedelta(minutes=1), values, summary)
        records.append(record)
    definition = SweepDefinition(PARAMS, config)
    return SweepHistory(
        SweepPath("team", "project", "s1"), definition, tuple(judge(records, carbs.space, START + timedelta(hours=1)))
    )
