# ruff: noqa: I001 - threads must come before numpy
"""Switch off one idea of the optimizer at a time, and see what it bought.

uv run --group bench benchmarks/ablation.py                                # the simulators
uv run --group bench benchmarks/ablation.py --yahpo DIR --curves DIR --ideas "everything on,no warps"

The tables are those of quality.py.
"""

from __future__ import annotations

import threads  # noqa: F401 - sets the environment

import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial

from optimizers import OPTIMIZERS, Ours
from quality import compared, folders_of, marks_of, parser_of, problem_names, show_beliefs, show_cost, show_count
from rich.console import Console
from scores import scale_of
from trajectories import Task, run

from carbs.tuning import DEFAULT, Tuning

GAIN, LIMIT, MODEL = DEFAULT.gain, DEFAULT.limit, DEFAULT.model
LEAST_NOISE = math.log(1e-6)
# The ideas, and the values that switch each off.
IDEAS: dict[str, Tuning] = {
    "everything on": DEFAULT,
    "no bands of cost": replace(DEFAULT, gain=replace(GAIN, band_share=0.0)),
    "no limit to growth": replace(DEFAULT, limit=replace(LIMIT, growth=math.log(1e9))),
    "short horizon": replace(DEFAULT, gain=replace(GAIN, horizon=(1.0, 1.0))),
    "no draws where gains stop": replace(DEFAULT, patience=replace(DEFAULT.patience, draw_share=0.0)),
    "no refinement of candidates": replace(DEFAULT, gain=replace(GAIN, refine_steps=())),
    "no candidates over the space": replace(DEFAULT, gain=replace(GAIN, num_global=10)),
    "no candidates around the frontier": replace(DEFAULT, gain=replace(GAIN, num_local=10)),
    "one setting of the hyperparameters": replace(DEFAULT, model=replace(MODEL, alternatives=(0, 0))),
    "no candidates on bounds": replace(DEFAULT, gain=replace(GAIN, clip_share=0.0)),
    "no warps": replace(DEFAULT, model=replace(MODEL, warp_deviation=1e-6, saturation=0.0)),
    "no amplitude": replace(DEFAULT, model=replace(MODEL, amplitude_deviation=0.0)),
    "no saturation": replace(DEFAULT, model=replace(MODEL, saturation=0.0)),
    "no pulling up of outliers": replace(DEFAULT, model=replace(MODEL, outlier_reach=math.inf)),
    "no noise": replace(
        DEFAULT, model=replace(MODEL, objective_noise=(LEAST_NOISE, 0.1), noise_bounds=(LEAST_NOISE, LEAST_NOISE))
    ),
}
OPTIMIZERS.update({idea: partial(Ours, tuning=tuning) for idea, tuning in IDEAS.items()})


def main() -> None:
    """Run every idea on every problem and print means, tails, and differences by problem."""
    parser = parser_of(__doc__)
    parser.add_argument("--ideas", default=",".join(IDEAS), help="the ideas to switch off, the first for comparison")
    args = parser.parse_args()
    folders, names = folders_of(args), problem_names(args)
    tasks = [
        Task(idea, name, seed, args.runs, args.workers)
        for idea in args.ideas.split(",")
        for name in names
        for seed in range(args.seeds)
    ]
    with ProcessPoolExecutor(args.jobs) as pool:
        trajectories = list(pool.map(partial(run, folders=folders), tasks))
    scales = {name: scale_of(name, folders, [t for t in trajectories if t.task.problem == name]) for name in names}
    groups, console = compared(trajectories), Console(width=max(Console().width, 120))
    show_count(console, groups, scales, marks_of(args.runs))
    show_cost(console, groups, scales)
    show_beliefs(console, groups, scales)


if __name__ == "__main__":
    main()
