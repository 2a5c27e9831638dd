# ruff: noqa: I001 - threads must come before numpy
"""Switch off one idea of the optimizer at a time, and see what it bought.

uv run --group bench benchmarks/ablation.py                                # the simulator
uv run --group bench benchmarks/ablation.py --yahpo DIR --tasks 3945,168330   # and real training runs (LCBench)

The hypervolumes are those of quality.py.
"""

from __future__ import annotations

import threads  # noqa: F401 - sets the environment

import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from quality import Task, Trajectory, parser_of, problem_names, reference, run, score
from rich.console import Console
from rich.table import Table

from carbs.models import gaussian_process as gp, priors, surrogate
from carbs.search import cost_limit as limits, maximise, most_gain as proposal

# What each idea is, and the constants that switch it off.
IDEAS: dict[str, list[tuple[ModuleType, str, Any]]] = {
    "everything on": [],
    "no bands of cost": [(proposal, "_BAND_SHARE", 0.0)],
    "no limit to growth": [(limits, "_GROWTH", math.log(1e9))],
    "short horizon": [(proposal, "_HORIZON", (1.0, 1.0))],
    "no refinement of candidates": [(maximise, "_REFINE_STEPS", ())],
    "no candidates over the space": [(proposal, "NUM_GLOBAL", 10)],
    "no candidates around the frontier": [(maximise, "_NUM_LOCAL", 10)],
    "no warps": [(priors, "_WARP_DEVIATION", None)],
    "no saturation": [(priors, "_SATURATION", 0.0)],
    "no pulling up of outliers": [(surrogate, "_OUTLIER_REACH", math.inf)],
    "no noise": [(priors, "_NOISE_PRIOR", (math.log(1e-6), 0.1)), (gp, "_NOISE_BOUNDS", (math.log(1e-6),) * 2)],
}


def run_without(idea: str, task: Task) -> Trajectory:
    """Run a task with an idea switched off, in a process of its own."""
    for module, name, value in IDEAS[idea]:
        setattr(module, name, value)
    return replace(run(task), task=replace(task, optimizer=idea))


def main() -> None:
    """Run every idea on every problem and print the mean hypervolumes."""
    args = parser_of(__doc__).parse_args()
    names = problem_names(args)
    tasks = [Task("carbs", name, seed, args.runs, args.yahpo) for name in names for seed in range(args.seeds)]
    trajectories: list[Trajectory] = []
    for idea in IDEAS:  # a pool for each: what is switched off in one must not be off in the next
        with ProcessPoolExecutor(args.jobs) as pool:
            trajectories += pool.map(partial(run_without, idea), tasks)
    scales = {name: reference(name, args.yahpo, [t for t in trajectories if t.task.problem == name]) for name in names}
    marks = [number for number in (20, 40, 60) if number < args.runs] + [args.runs]
    table = Table("idea", *(f"HV@{k}" for k in marks), "± standard error", title=f"{len(tasks)} searches each")
    for idea in IDEAS:
        mine = [t for t in trajectories if t.task.optimizer == idea]
        values = np.array([[score(t, scales[t.task.problem], k) for k in marks] for t in mine])
        # The problems differ more than the ideas: the error of the mean is that within problems.
        by_problem = {n: [v[-1] for t, v in zip(mine, values, strict=True) if t.task.problem == n] for n in names}
        within = [np.var(v, ddof=1) for v in by_problem.values() if len(v) > 1]
        error = math.sqrt(np.mean(within) / len(mine)) if within else math.nan
        table.add_row(idea, *(f"{value:.3f}" for value in values.mean(axis=0)), f"{error:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
