# ruff: noqa: I001 - threads must come before numpy
"""Compare the quality of suggestions: hypervolume after 20, 40 and 60 runs, and over spent cost.

    uv run --group bench benchmarks/quality.py                                # the simulator
    uv run --group bench benchmarks/quality.py --yahpo DIR --tasks 3945,168330   # and real training runs (LCBench)

The hypervolume is the area under the frontier of (log10 cost, objective), both scaled to 0..1 by 2000 random
configurations: the objective from their first decile to the best known, the log cost from the cheapest to the dearest.
Objectives are scored without the noise that the optimizers see.
"""

from __future__ import annotations

import threads  # noqa: F401 - sets the environment

import argparse
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lcbench import LCBench
from optimizers import OPTIMIZERS, Random
from problems import ScalingLaw
from rich.console import Console
from rich.table import Table

from carbs.pareto import hypervolume

NUM_REFERENCE = 2000


@dataclass(frozen=True)
class Task:
    """One optimizer on one problem with one seed."""

    optimizer: str
    problem: str
    seed: int
    runs: int
    yahpo: str


@dataclass(frozen=True)
class Trajectory:
    """What came of it: true objectives, costs and seconds for each suggestion, in order."""

    task: Task
    objective: list[float]
    cost: list[float]
    seconds: list[float]


def problem_of(name: str, yahpo: str) -> tuple[Any, float]:
    """Return the problem called `name`, and the noise to add to its objective."""
    prefix, _, base = name.rpartition(":")
    problem = ScalingLaw() if base == "scaling-law" else LCBench(Path(yahpo), base)
    return problem, problem.noise if prefix == "noisy" else 0.0


def run(task: Task) -> Trajectory:
    """Run a task."""
    problem, noise = problem_of(task.problem, task.yahpo)
    rng = np.random.default_rng(task.seed + 1000)
    optimizer = OPTIMIZERS[task.optimizer](problem.params, task.seed)
    objectives, costs, seconds = [], [], []
    for _ in range(task.runs):
        start = time.perf_counter()
        handle, config = optimizer.ask()
        seconds.append(time.perf_counter() - start)
        objective, cost = problem.evaluate(config)
        optimizer.tell(handle, objective + noise * rng.standard_normal(), cost)
        objectives.append(objective)
        costs.append(cost)
    return Trajectory(task, objectives, costs, seconds)


def reference(problem: str, yahpo: str, trajectories: list[Trajectory]) -> tuple[float, float, float, float]:
    """Return what scales a problem: objective from and to, log10 cost from and to."""
    simulated, _ = problem_of(problem, yahpo)
    sampler = Random(simulated.params, 0)
    sample = np.array([simulated.evaluate(sampler.ask()[1]) for _ in range(NUM_REFERENCE)])
    best = max(sample[:, 0].max(), *(max(t.objective) for t in trajectories))
    log_cost = np.log10(sample[:, 1])
    return float(np.quantile(sample[:, 0], 0.1)), float(best), float(log_cost.min()), float(log_cost.max())


def score(trajectory: Trajectory, scale: tuple[float, float, float, float], number: int) -> float:
    """Return the scaled hypervolume after the first `number` runs."""
    low, high, first, last = scale
    y = (np.array(trajectory.objective[:number]) - low) / (high - low)
    c = np.clip((np.log10(trajectory.cost[:number]) - first) / (last - first), 0, 1)
    return hypervolume(np.minimum(y, 1), c, 0.0, 1.0)


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of the options that name problems, seeds and runs."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default="3945,168330,126026", help="OpenML tasks of LCBench")
    parser.add_argument(
        "--yahpo", default="", metavar="DIR", help="folder of yahpo_data; without it the simulator only"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser


def problem_names(args: argparse.Namespace) -> list[str]:
    """Return the names of the problems that the options ask for."""
    bases = ["scaling-law", *(args.tasks.split(",") if args.yahpo else [])]
    return [f"{prefix}{base}" for base in bases for prefix in ("", "noisy:")]


def main() -> None:
    """Run the tasks, print a table for each problem and the means over problems, write all trajectories."""
    parser = parser_of(__doc__)
    parser.add_argument("--optimizers", default=",".join(OPTIMIZERS))
    parser.add_argument("--out", type=Path, help="write the trajectories as JSON")
    args = parser.parse_args()
    names = problem_names(args)
    tasks = [
        Task(optimizer, name, seed, args.runs, args.yahpo)
        for name in names
        for optimizer in args.optimizers.split(",")
        for seed in range(args.seeds)
    ]
    with ProcessPoolExecutor(args.jobs) as pool:
        trajectories = list(pool.map(run, tasks))
    marks = [number for number in (20, 40, 60, 100) if number < args.runs] + [args.runs]
    console = Console()
    overall: dict[str, list[np.ndarray]] = {}
    for name in names:
        mine = [t for t in trajectories if t.task.problem == name]
        scale = reference(name, args.yahpo, mine)
        rows = {}
        for optimizer in args.optimizers.split(","):
            group = [t for t in mine if t.task.optimizer == optimizer]
            values = [[*(score(t, scale, k) for k in marks), sum(t.cost), float(np.median(t.seconds))] for t in group]
            rows[optimizer] = np.mean(values, axis=0)
            overall.setdefault(optimizer, []).append(rows[optimizer])
        show(console, f"{name}, {args.seeds} seeds", rows, marks)
    show(console, "mean over problems", {key: np.mean(rows, axis=0) for key, rows in overall.items()}, marks)
    if args.out:
        args.out.write_text(json.dumps([asdict(t) for t in trajectories]))


def show(console: Console, title: str, rows: dict[str, np.ndarray], marks: list[int]) -> None:
    """Print one table, the best hypervolume first."""
    heads = ["optimizer", *(f"HV@{k}" for k in marks), "spent", "s/suggest"]
    table = Table(*heads, title=title, title_justify="left")
    for name, values in sorted(rows.items(), key=lambda item: -item[1][len(marks) - 1]):
        table.add_row(name, *(f"{value:.4g}" for value in values))
    console.print(table)


if __name__ == "__main__":
    main()
