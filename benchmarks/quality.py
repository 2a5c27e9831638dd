# ruff: noqa: I001 - threads must come before numpy
"""Compare the quality of searches on many problems: means and tails, by the count of runs and by spent cost.

    uv run --group bench benchmarks/quality.py                                # the simulators
    uv run --group bench benchmarks/quality.py --yahpo DIR --curves DIR       # and real training runs
    uv run --group bench benchmarks/quality.py --half aside …                 # the problems that nobody tunes on
    uv run --group bench benchmarks/quality.py --problems basins,noisy:rl …   # just these
    uv run --group bench benchmarks/quality.py --with peers.json …            # beside searches recorded with --out

Objectives are scored without the noise that the optimizers see; the scores are those of scores.py. "Equal cost" means
shares of what the cheapest of the compared searches of the same problem and seed spent in all.
"""

from __future__ import annotations

import threads  # noqa: F401 - sets the environment

import argparse
import math
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from optimizers import OPTIMIZERS
from rich.console import Console
from rich.table import Table
from scores import SHARES, STUCK, Scale, by_cost, by_count, coverage, on_bounds, scale_of
from trajectories import Task, Trajectory, read, run, write
from worlds import HALVES, Folders

MARKS = (20, 40, 60, 100)


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of the options that name problems, seeds and runs."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=sorted(HALVES), default="picked", help="half of the problems")
    parser.add_argument("--problems", metavar="NAMES", help="problems by name, in place of a half; see worlds.py")
    parser.add_argument("--yahpo", metavar="DIR", help="folder of yahpo_data; without it no LCBench")
    parser.add_argument("--curves", metavar="DIR", help="folder of taskset_*.npz tables; without it none of them")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--workers", type=int, default=1, help="runs at a time; each takes as long as it costs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser


def folders_of(args: argparse.Namespace) -> Folders:
    """Return the folders of data that the options name."""
    return Folders(args.yahpo, args.curves)


def problem_names(args: argparse.Namespace) -> list[str]:
    """Return the names of the problems that the options ask for, and whose data are at hand."""
    if args.problems:
        return str(args.problems).split(",")
    return [name for name in HALVES[args.half] if folders_of(args).hold(name)]


def marks_of(runs: int) -> list[int]:
    """Return after how many runs the hypervolume is taken."""
    return [number for number in MARKS if number < runs] + [runs]


def rows_of(group: Sequence[Trajectory], scales: dict[str, Scale], marks: Sequence[int]) -> np.ndarray:
    """Return the scores by count of each search, shape (searches, marks + 1)."""
    return np.array([by_count(t, scales[t.task.problem], marks) for t in group])


def main() -> None:
    """Run the searches and print the tables."""
    parser = parser_of(__doc__)
    parser.add_argument("--optimizers", default="carbs,random", help=f"of {', '.join(OPTIMIZERS)}; may be empty")
    parser.add_argument("--with", dest="recorded", type=Path, action="append", default=[], help="what --out wrote")
    parser.add_argument("--out", type=Path, help="write the searches that were run as JSON")
    parser.add_argument("--each", action="store_true", help="print every problem, too")
    args = parser.parse_args()
    folders, names = folders_of(args), problem_names(args)
    tasks = [
        Task(optimizer, name, seed, args.runs, args.workers)
        for name in names
        for optimizer in filter(None, args.optimizers.split(","))
        for seed in range(args.seeds)
    ]
    with ProcessPoolExecutor(args.jobs) as pool:
        trajectories = list(pool.map(partial(run, folders=folders), tasks))
    if args.out:
        write(args.out, trajectories)
    trajectories += [t for file in args.recorded for t in read(file) if t.task.problem in names]
    scales = {name: scale_of(name, folders, [t for t in trajectories if t.task.problem == name]) for name in names}
    groups = compared(trajectories)
    # A table that is cut off is of no use: where it is too wide for the terminal, let the lines run over.
    console = Console(width=max(Console().width, 120))
    show_count(console, groups, scales, marks_of(args.runs))
    show_cost(console, groups, scales)
    show_beliefs(console, groups, scales)
    if args.each:
        for name in names:
            mine = {key: [t for t in group if t.task.problem == name] for key, group in groups.items()}
            show_count(console, mine, scales, marks_of(args.runs), name)


def compared(trajectories: Sequence[Trajectory]) -> dict[str, list[Trajectory]]:
    """Return the searches of each optimizer whose problem and seed all optimizers have, in one order."""
    groups: dict[str, dict[tuple[str, int], Trajectory]] = {}
    for t in trajectories:
        name = t.task.optimizer + (f" x{t.task.workers}" if t.task.workers > 1 else "")
        groups.setdefault(name, {})[t.task.problem, t.task.seed] = t
    shared = [key for key in next(iter(groups.values()), {}) if all(key in group for group in groups.values())]
    return {name: [group[key] for key in shared] for name, group in groups.items()}


def show_count(
    console: Console,
    groups: dict[str, list[Trajectory]],
    scales: dict[str, Scale],
    marks: Sequence[int],
    title: str = "by the count of runs",
) -> None:
    """Print hypervolumes, regret and tails after equal numbers of runs, and the lead of the first optimizer."""
    heads = [*(f"HV@{mark}" for mark in marks), "regret"]
    tails = [f"regret > {STUCK}", "10th percentile of HV", "failures", "median s/suggest"]
    table = Table("optimizer", *heads, *tails, title=title, title_justify="left")
    scores = {name: rows_of(group, scales, marks) for name, group in groups.items()}
    for name, rows in scores.items():
        failures = np.mean([t.failures for t in groups[name]])
        seconds = np.median([second for t in groups[name] for second in t.seconds])
        tail = [np.mean(rows[:, -1] > STUCK), np.quantile(rows[:, -2], 0.1), failures, seconds]
        table.add_row(name, *(f"{value:.3f}" for value in [*rows.mean(axis=0), *tail]))
    console.print(table)
    show_lead(console, groups, scores, heads)


def show_cost(console: Console, groups: dict[str, list[Trajectory]], scales: dict[str, Scale]) -> None:
    """Print hypervolume and regret at equal spent cost."""
    heads = [f"{what}@{share:.0%}" for what in ("HV", "regret") for share in SHARES]
    budgets = [min(sum(t.cost) for t in alike) for alike in zip(*groups.values(), strict=True)]
    scores = {
        name: np.array([by_cost(t, scales[t.task.problem], b) for t, b in zip(group, budgets, strict=True)])
        for name, group in groups.items()
    }
    tails = [f"regret > {STUCK}", "all runs cost"]
    table = Table("optimizer", *heads, *tails, title="by spent cost", title_justify="left")
    totals = {name: np.log([sum(t.cost) for t in group]) for name, group in groups.items()}
    first = next(iter(totals.values()), None)
    for name, rows in scores.items():
        # The geometric mean of what all runs of a search cost, in those of the first optimizer.
        values = [*rows.mean(axis=0), np.mean(rows[:, -1] > STUCK), np.exp(np.mean(totals[name] - first))]
        table.add_row(name, *(f"{value:.3f}" for value in values))
    console.print(table)
    show_lead(console, groups, scores, heads)


def show_lead(
    console: Console, groups: dict[str, list[Trajectory]], scores: dict[str, np.ndarray], heads: Sequence[str]
) -> None:
    """Print how far the first optimizer is ahead of each other one, with the standard errors of paired problems.

    The searches of one problem are averaged first: problems, not searches, are independent.
    """
    (first, mine), *others = scores.items()
    problems = [t.task.problem for t in groups[first]]
    if len(set(problems)) < 2 or not others:
        return
    table = Table(f"{first} minus", *heads, title="ahead by, ± standard error", title_justify="left")
    for name, theirs in others:
        lead = mine - theirs
        means = np.array([lead[[p == one for p in problems]].mean(axis=0) for one in dict.fromkeys(problems)])
        errors = np.std(means, axis=0, ddof=1) / math.sqrt(len(means))
        table.add_row(name, *(f"{m:+.3f} ± {e:.3f}" for m, e in zip(means.mean(axis=0), errors, strict=True)))
    console.print(table)


def show_beliefs(console: Console, groups: dict[str, list[Trajectory]], scales: dict[str, Scale]) -> None:
    """Print how often the 90 % intervals held what was seen next, and what share of coordinates is on a bound."""
    heads = ("intervals hold", "in the worst search", "those of the cost", "on a bound", "on the true frontier")
    table = Table("optimizer", *heads, title="one step ahead", title_justify="left")
    for name, group in groups.items():
        held = np.array([coverage(t) for t in group])
        is_known = np.isfinite(held[:, 0])
        of_objective, of_cost = held[is_known].T if np.any(is_known) else (np.array([math.nan]),) * 2
        bounds = np.array([on_bounds(t) for t in group])
        true = np.mean([scales[t.task.problem].frontier_edges for t in group])
        values = [np.mean(of_objective), np.min(of_objective), np.mean(of_cost), np.mean(bounds), true]
        table.add_row(name, *("-" if math.isnan(value) else f"{value:.3f}" for value in values))
    console.print(table)


if __name__ == "__main__":
    main()
