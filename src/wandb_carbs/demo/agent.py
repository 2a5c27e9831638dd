"""A demo agent: `wandb.agent` in a process of its own, which reports to the demo on its standard output.

Run as `python -m wandb_carbs.demo.agent SWEEP SEED NUMBER`; one JSON object a line. When the sweep has ended, random
search trains for as many seconds as this agent's runs have: what the search is compared with. The agent ends when its
standard input does, so that no agent outlives the demo, however that ends.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO

import numpy as np
import wandb
from wandb.agents.pyagent import Agent

from carbs import CARBS, SuggestOutput
from wandb_carbs import WandbCarbs
from wandb_carbs.demo import random_search, training
from wandb_carbs.demo.problem import ENTITY, PARAMS, PROJECT, optimizer_options

Tell = Callable[[dict[str, Any]], None]


def main(sweep_id: str, seed: int, number: int) -> None:
    """Work on the sweep until there is nothing left to do, then search at random with the same budget."""
    tell = _take_over_standard_streams()
    # The SDK asks for the next run only every 5 s, longer than most runs here take. Older SDKs, which have no such
    # attribute, are just slower.
    Agent.HEARTBEAT_SLEEP_SECONDS = 0.25  # type: ignore[assignment]
    data = training.load_data()
    tell({"event": "ready"})
    costs: list[float] = []
    wandb.agent(sweep_id, function=lambda: costs.append(_run(data, seed, tell)), entity=ENTITY, project=PROJECT)
    configurations = random_search.draw(np.random.default_rng([seed, number]))
    for loss, cost in random_search.outcomes(data, configurations, sum(costs), seed):
        tell({"event": "random", "objective": loss, "cost": cost})
    tell({"event": "compared"})


class _TimedCARBS(CARBS):
    """An optimizer that knows how long its last suggestion took."""

    suggest_seconds = 0.0

    def suggest(self, *arguments: Any, **options: Any) -> SuggestOutput:
        start = time.perf_counter()
        output = super().suggest(*arguments, **options)
        self.suggest_seconds = time.perf_counter() - start
        return output


def _run(data: training.Digits, seed: int, tell: Tell) -> float:
    run = wandb.init()
    try:
        loss, cost = _trial(run, data, seed, tell)
    except Exception as error:
        tell({"event": "failed", "run": run.id, "error": f"{type(error).__name__}: {error}"})
        raise
    run.finish()
    tell({"event": "done", "run": run.id, "objective": loss, "cost": cost})
    return cost


def _trial(run: wandb.Run, data: training.Digits, seed: int, tell: Tell) -> tuple[float, float]:
    carbs = _TimedCARBS(optimizer_options(seed), PARAMS)
    with WandbCarbs(carbs, any_rank=True) as trial:
        suggestion = carbs.space.select(trial.suggest())
        seconds = carbs.suggest_seconds
        tell({"event": "suggested", "run": run.id, "suggestion": suggestion, "suggest_seconds": seconds})

        def report(epoch: int, loss: float) -> None:
            run.log({"epoch": epoch, "loss": loss})
            tell({"event": "progress", "epoch": epoch, "loss": loss})

        loss, cost = training.train(data, dict(run.config), seed, report)
        trial.record_observation(objective=loss, cost=cost)
    return loss, cost


def _take_over_standard_streams() -> Tell:
    """Keep the two pipes to the demo for this module, and give everybody else the log file that is standard error."""
    orders = os.fdopen(os.dup(0), encoding="utf-8")
    messages = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    threading.Thread(target=_end_with, args=(orders,), daemon=True).start()

    def tell(message: dict[str, Any]) -> None:
        messages.write(json.dumps(message) + "\n")

    return tell


def _end_with(orders: TextIO) -> None:
    orders.read()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
