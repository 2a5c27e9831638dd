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

import numpy as np
from optimizers import OPTIMIZERS, Ours
from quality import Task, Trajectory, parser_of, problem_names, reference, run, score
from rich.console import Console
from rich.table import Table

from carbs.tuning import DEFAULT, Tuning

GAIN, LIMIT, MODEL = DEFAULT.gain, DEFAULT.limit, DEFAULT.model
LEAST_NOISE = math.log(1e-6)
# The ideas, and the values that switch each off.
IDEAS: dict[str, Tuning] = {
    "everything on": DEFAULT,
    "no bands of cost": replace(DEFAULT, gain=replace(GAIN, band_share=0.0)),
    "no limit to growth": replace(DEFAULT, limit=replace(LIMIT, growth=math.log(1e9))),
    "short horizon": replace(DEFAULT, gain=replace(GAIN, horizon=(1.0, 1.0))),
    "no refinement of candidates": replace(DEFAULT, gain=replace(GAIN, refine_steps=())),
    "no candidates over the space": replace(DEFAULT, gain=replace(GAIN, num_global=10)),
    "no candidates around the frontier": replace(DEFAULT, gain=replace(GAIN, num_local=10)),
    "no warps": replace(DEFAULT, model=replace(MODEL, warp_deviation=1e-6, saturation=0.0)),
    "no saturation": replace(DEFAULT, model=replace(MODEL, saturation=0.0)),
    "no pulling up of outliers": replace(DEFAULT, model=replace(MODEL, outlier_reach=math.inf)),
    "no noise": replace(
        DEFAULT, model=replace(MODEL, objective_noise=(LEAST_NOISE, 0.1), noise_bounds=(LEAST_NOISE, LEAST_NOISE))
    ),
}
OPTIMIZERS.update({idea: partial(Ours, tuning=tuning) for idea, tuning in IDEAS.items()})


def main() -> None:
    """Run every idea on every problem and print the mean hypervolumes."""
    args = parser_of(__doc__).parse_args()
    names = problem_names(args)
    tasks = [
        Task(idea, name, seed, args.runs, args.yahpo) for idea in IDEAS for name in names for seed in range(args.seeds)
    ]
    with ProcessPoolExecutor(args.jobs) as pool:
        trajectories: list[Trajectory] = list(pool.map(run, tasks))
    scales = {name: reference(name, args.yahpo, [t for t in trajectories if t.task.problem == name]) for name in names}
    marks = [number for number in (20, 40, 60) if number < args.runs] + [args.runs]
    table = Table(
        "idea", *(f"HV@{k}" for k in marks), "± standard error", title=f"{len(tasks) // len(IDEAS)} searches each"
    )
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
