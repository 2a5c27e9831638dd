"""Scaling laws on simulated sweeps whose truth is known: errors of the exponents, and how often intervals hold them.

uv run benchmarks/scaling.py --sweeps 50 --runs 150
"""

from __future__ import annotations

import argparse

import numpy as np
from problems import ScalingLaw, run_sweep
from threadpoolctl import threadpool_limits

from carbs import CARBS, CarbsError, CARBSParams
from carbs.scaling import ScalingLaws, scaling_laws


def draw_problem(seed: int) -> ScalingLaw:
    """Return the standard problem for every fourth seed, otherwise one with exponents of its own."""
    if seed % 4 == 0:
        return ScalingLaw()
    rng = np.random.default_rng(seed)
    return ScalingLaw(
        alpha=float(rng.uniform(0.25, 0.45)),
        beta=float(rng.uniform(0.25, 0.45)),
        rate_exponent=float(rng.uniform(-0.4, 0.1)),
        batch_exponent=float(rng.uniform(0.0, 0.6)),
    )


def held_of_objective(problem: ScalingLaw, laws: ScalingLaws) -> tuple[bool, ...]:
    """Tell whether the objective's limit, and its best at the highest cost and at ten times that, are held.

    Where the law does not reach ten times as far, it is asked as far as it reaches.
    """
    low, high = laws.objective.limit_interval
    held = [low <= problem.irreducible <= high]
    reach = laws.objective.reach
    for cost in (reach.high, min(10 * reach.high, reach.limit)):
        predicted = laws.objective.predict(cost)
        held.append(predicted.low <= problem.evaluate(problem.best(cost))[0] <= predicted.high)
    return tuple(held)


def main() -> None:
    """Run the sweeps, one after the other, and print a line for each and a table over all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sweeps", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="seed of the first sweep")
    parser.add_argument("--runs", type=int, default=150)
    arguments = parser.parse_args()
    errors, held, names = [], [], [param.name for param in ScalingLaw.params]
    objectives: list[tuple[bool, ...]] = []
    for seed in range(arguments.first, arguments.first + arguments.sweeps):
        problem = draw_problem(seed)
        carbs = CARBS(CARBSParams(seed=seed), problem.params)
        run_sweep(problem, carbs, arguments.runs, seed)
        try:
            laws = scaling_laws(problem.params, carbs.success_observations, seed=seed)
            objectives.append(held_of_objective(problem, laws))
        except CarbsError as error:  # too little to fit laws to
            print(f"sweep {seed}: {error}")
            continue
        truth = problem.exponents
        errors.append([law.exponent - truth[law.name] for law in laws.params])
        held.append([law.interval[0] <= truth[law.name] <= law.interval[1] for law in laws.params])
        print(f"sweep {seed}:", *(f"{name} {error:+.3f}" for name, error in zip(names, errors[-1], strict=True)))
    print(f"\n{'':15} rms error  held by the 90 % interval")
    for name, error, share in zip(names, np.sqrt(np.mean(np.square(errors), 0)), np.mean(held, 0), strict=True):
        print(f"{name:15} {error:9.4f}  {share:.2f}")
    print(f"{'all':15} {'':9}  {np.mean(held):.2f}")
    print("\nof the objective, held by the 90 % interval")
    whats = ("limit", "best at the highest cost", "best at ten times that")
    for what, share in zip(whats, np.mean(objectives, axis=0), strict=True):
        print(f"{what:25}  {share:.2f}")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
