# ruff: noqa: I001 - threads must come before numpy
"""Measure the latency of `suggest` over the number of runs and of hyperparameters, against Optuna's GP sampler.

    uv run --group bench benchmarks/speed.py

One process, one BLAS thread, medians. Objective and cost are a smooth function of the hyperparameters with noise. And
the memory of `carbs` with a thousand runs, in a process of its own, above what importing it takes.
"""

from __future__ import annotations

import threads  # noqa: F401 - sets the environment

import argparse
import json
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from optimizers import OPTIMIZERS, Random
from rich.console import Console
from rich.table import Table

from carbs import LinearSpace, Param

CASES = ((20, 8), (60, 8), (150, 8), (300, 8), (1000, 8), (5000, 8), (300, 44), (1000, 20))
MEMORY_CASE = (1000, 20)


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


def memory(number: int, dimension: int) -> float:
    """Return by how many MiB a suggestion raises the peak memory of this process, which must be a fresh one."""

    def peak() -> float:  # Linux; getrusage would count what the parent had
        return next(
            int(line.split()[1]) / 1024
            for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
            if line.startswith("VmHWM")
        )

    before = peak()
    measure("carbs", number, dimension, 3)
    return peak() - before


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
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    args = parser.parse_args()
    names = args.optimizers.split(",")
    table = Table("runs", "hyperparameters", *(f"{name} (s)" for name in names))
    results = []
    for number, dimension in CASES:
        cells = []
        for name in names:
            if name == "optuna-gp" and number > 300:
                cells.append("-")  # minutes
                continue
            seconds = measure(name, number, dimension, args.repeats)
            results.append({"optimizer": name, "runs": number, "dimension": dimension, "seconds": seconds})
            cells.append(f"{seconds:.3f}")
        table.add_row(str(number), str(dimension), *cells)
    console = Console()
    console.print(table)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        mib = pool.submit(memory, *MEMORY_CASE).result()
    console.print(f"memory of carbs with {MEMORY_CASE[0]} runs of {MEMORY_CASE[1]} hyperparameters: {mib:.0f} MiB")
    if args.out:
        args.out.write_text(json.dumps(results))


if __name__ == "__main__":
    main()
