# ruff: noqa: I001 - threads must come before numpy
"""Compare the quality of suggestions: hypervolume after 20, 40 and 60 runs, or at shares of a budget.

    uv run --group bench benchmarks/quality.py                                # the simulator
    uv run --group bench benchmarks/quality.py --yahpo DIR --tasks 3945,168330   # and real training runs (LCBench)
    uv run --group bench benchmarks/quality.py --yahpo DIR --budget 40 --runs 300   # what 40 random runs cost

The hypervolume is the area under the frontier of (log10 cost, objective), both scaled to 0..1 by 2000 random
configurations: the objective from their first decile to the best known, the log cost from the cheapest to the dearest.
Objectives are scored without the noise that the optimizers see. The regret is the distance to the best known objective,
in the same scale.
"""

from __future__ import annotations

import threads  # noqa: F401 - sets the environment

import argparse
import json
import math
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
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
SHARES = (0.1, 0.3, 1.0)


@dataclass(frozen=True)
class Task:
    """One optimizer on one problem with one seed: at most so many runs, at most as dear as `budget` random ones."""

    optimizer: str
    problem: str
    seed: int
    runs: int
    yahpo: str
    budget: float | None = None


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
    objectives: list[float] = []
    costs: list[float] = []
    seconds: list[float] = []
    budget = math.inf if task.budget is None else affordable(task.problem, task.yahpo, task.budget)
    while len(costs) < task.runs and sum(costs) < budget:
        start = time.perf_counter()
        handle, config = optimizer.ask()
        seconds.append(time.perf_counter() - start)
        objective, cost = problem.evaluate(config)
        optimizer.tell(handle, objective + noise * rng.standard_normal(), cost)
        objectives.append(objective)
        costs.append(cost)
    return Trajectory(task, objectives, costs, seconds)


@cache
def random_sample(problem: str, yahpo: str) -> np.ndarray:
    """Return objective and cost of 2000 random configurations, shape (2000, 2)."""
    simulated, _ = problem_of(problem, yahpo)
    sampler = Random(simulated.params, 0)
    return np.array([simulated.evaluate(sampler.ask()[1]) for _ in range(NUM_REFERENCE)])


def affordable(problem: str, yahpo: str, number: float) -> float:
    """Return what `number` random configurations cost on average."""
    return number * float(np.mean(random_sample(problem, yahpo)[:, 1]))


def reference(problem: str, yahpo: str, trajectories: list[Trajectory]) -> tuple[float, float, float, float]:
    """Return what scales a problem: objective from and to, log10 cost from and to."""
    sample = random_sample(problem, yahpo)
    best = max(sample[:, 0].max(), *(max(t.objective) for t in trajectories))
    log_cost = np.log10(sample[:, 1])
    return float(np.quantile(sample[:, 0], 0.1)), float(best), float(log_cost.min()), float(log_cost.max())


def score(trajectory: Trajectory, scale: tuple[float, float, float, float], number: int) -> float:
    """Return the scaled hypervolume after the first `number` runs."""
    low, high, first, last = scale
    y = (np.array(trajectory.objective[:number]) - low) / (high - low)
    c = np.clip((np.log10(trajectory.cost[:number]) - first) / (last - first), 0, 1)
    return hypervolume(np.minimum(y, 1), c, 0.0, 1.0)


def score_budget(trajectory: Trajectory, scale: tuple[float, float, float, float], budget: float) -> list[float]:
    """Return hypervolume, then regret, with each of `SHARES` of the budget spent; a run counts once it is paid."""
    low, high, *_ = scale
    numbers = [int(np.sum(np.cumsum(trajectory.cost) <= share * budget)) for share in SHARES]
    best = [max(trajectory.objective[:number], default=low) for number in numbers]
    return [*(score(trajectory, scale, k) for k in numbers), *((high - y) / (high - low) for y in best)]


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
    parser.add_argument("--budget", type=float, help="what to spend, in random runs; --runs should be many then")
    parser.add_argument("--out", type=Path, help="write the trajectories as JSON")
    args = parser.parse_args()
    names = problem_names(args)
    tasks = [
        Task(optimizer, name, seed, args.runs, args.yahpo, args.budget)
        for name in names
        for optimizer in args.optimizers.split(",")
        for seed in range(args.seeds)
    ]
    with ProcessPoolExecutor(args.jobs) as pool:
        trajectories = list(pool.map(run, tasks))
    marks = [number for number in (20, 40, 60, 100) if number < args.runs] + [args.runs]
    heads = [f"HV@{number}" for number in marks]
    if args.budget is not None:
        heads = [f"{what}@{share:.0%}" for what in ("HV", "regret") for share in SHARES]
    # A table that is cut off is of no use: where it is too wide for the terminal, let the lines run over.
    console = Console(width=max(Console().width, 120))
    overall: dict[str, list[np.ndarray]] = {}  # for each problem an array of shape (seeds, columns)
    for name in names:
        mine = [t for t in trajectories if t.task.problem == name]
        scale = reference(name, args.yahpo, mine)
        rows = {}
        for optimizer in args.optimizers.split(","):
            group = [t for t in mine if t.task.optimizer == optimizer]
            values = []
            for t in group:
                if args.budget is None:
                    scores = [score(t, scale, number) for number in marks]
                else:
                    scores = score_budget(t, scale, affordable(name, args.yahpo, args.budget))
                values.append([*scores, sum(t.cost), len(t.cost), float(np.median(t.seconds))])
            rows[optimizer] = np.mean(values, axis=0)
            overall.setdefault(optimizer, []).append(np.array(values))
        show(console, f"{name}, {args.seeds} seeds", rows, heads)
    show(console, "mean over problems", {key: np.mean(values, axis=(0, 1)) for key, values in overall.items()}, heads)
    show_lead(console, {key: np.mean(values, axis=0)[:, : len(heads)] for key, values in overall.items()}, heads)
    if args.out:
        args.out.write_text(json.dumps([asdict(t) for t in trajectories]))


def show_lead(console: Console, by_seed: dict[str, np.ndarray], heads: list[str]) -> None:
    """Print how far the first optimizer is ahead of the others, with standard errors.

    Searches of one seed share their first draws on all problems, so that seeds, not searches, are independent.

    Args:
        console: Where to print.
        by_seed: Scores of each optimizer, means over problems, shape (seeds, columns).
        heads: What the columns are.
    """
    (first, mine), *others = by_seed.items()
    if len(mine) < 2 or not others:
        return
    table = Table(f"{first} minus", *heads, title="ahead by, ± standard error", title_justify="left")
    for name, theirs in others:
        lead = mine - theirs
        errors = np.std(lead, axis=0, ddof=1) / math.sqrt(len(lead))
        table.add_row(name, *(f"{m:+.3f} ± {e:.3f}" for m, e in zip(np.mean(lead, axis=0), errors, strict=True)))
    console.print(table)


def show(console: Console, title: str, rows: dict[str, np.ndarray], heads: list[str]) -> None:
    """Print one table, the best hypervolume at the end first."""
    last = max(place for place, head in enumerate(heads) if head.startswith("HV"))
    table = Table("optimizer", *heads, "spent", "runs", "s/suggest", title=title, title_justify="left")
    for name, values in sorted(rows.items(), key=lambda item: -item[1][last]):
        table.add_row(name, *(f"{value:.3g}" for value in values))
    console.print(table)


if __name__ == "__main__":
    main()
