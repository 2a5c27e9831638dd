# ruff: noqa: I001 - threads must come before numpy
"""Measure the latency of `suggest` over the number of runs and of hyperparameters, against Optuna's GP sampler.

    uv run --group bench benchmarks/speed.py

One process, one BLAS thread, medians. Objective and cost are a smooth function of the hyperparameters with noise.
"""

from __future__ import annotations

import threads  # noqa: F401 - sets the environment

import argparse
import resource
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from optimizers import OPTIMIZERS, Random
from rich.console import Console
from rich.table import Table

from carbs import LinearSpace, Param

CASES = ((60, 8), (300, 8), (300, 44), (1000, 20), (5000, 8))


def measure(optimizer: str, number: int, dimension: int, repeats: int) -> float:
    """Return the median seconds of a suggestion after `number` observations of `dimension` hyperparameters."""
    params = [Param(f"p{i}", LinearSpace(min=-1, max=1)) for i in range(dimension)]
    asked = OPTIMIZERS[optimizer](params, 0)
    fill(asked, params, number)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        handle, config = asked.ask()
        seconds.append(time.perf_counter() - start)
        asked.tell(handle, *evaluate(config))
    return float(np.median(seconds))


def fill(asked: Any, params: Sequence[Param], number: int) -> None:
    """Tell an optimizer about `number` random runs."""
    sampler = Random(params, 1)
    for _ in range(number):
        _, config = sampler.ask()
        if hasattr(asked, "carbs"):
            asked.tell(config, *evaluate(config))
        else:
            import optuna  # noqa: PLC0415 - a peer of the benchmarks, installed only for them

            spaces = {p.name: optuna.distributions.FloatDistribution(p.space.min, p.space.max) for p in params}
            objective, cost = evaluate(config)
            asked.study.add_trial(
                optuna.trial.create_trial(params=config, distributions=spaces, values=[objective, np.log(cost)])
            )


def evaluate(config: Any) -> tuple[float, float]:
    """Return objective and cost of a configuration."""
    x = np.array([value for name, value in config.items() if name != "suggestion_uuid"])
    noise = float(np.sin(1e4 * x.sum()))
    return float(-np.sum(x[:4] ** 2) + 0.05 * noise), float(np.exp(2 * x[0] + x[1] + 0.05 * noise))


def main() -> None:
    """Measure every case and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--optimizers", default="carbs,optuna-gp")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    names = args.optimizers.split(",")
    table = Table("runs", "hyperparameters", *(f"{name} (s)" for name in names))
    for number, dimension in CASES:
        cells = []
        for name in names:
            if name != "carbs" and number > 300:
                cells.append("-")  # minutes
                continue
            cells.append(f"{measure(name, number, dimension, args.repeats):.3f}")
        table.add_row(str(number), str(dimension), *cells)
    Console().print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Console().print(f"peak memory of the process: {peak:.0f} MiB")


if __name__ == "__main__":
    main()
