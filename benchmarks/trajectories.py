"""Run an optimizer on a problem, and keep what came of it."""

from __future__ import annotations

import heapq
import json
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from optimizers import OPTIMIZERS, Ours, OursWithPoints, Point
from worlds import Folders, Variant, problem

from carbs import LogSpace, Param, ParamDict
from carbs.spaces import CategoricalSpace

NUM_POINTS = 8
# Correlation of the noise of a point on a run's way with that of its end.
SHARED = 0.9


@dataclass(frozen=True)
class Task:
    """One optimizer on one problem with one seed, so many runs on so many workers."""

    optimizer: str
    problem: str
    seed: int
    runs: int
    workers: int = 1


@dataclass(frozen=True)
class Trajectory:
    """What came of a task, run by run in the order of their ends; failed runs are only counted.

    Attributes:
        task: The task.
        objective: True objectives; minus infinity for a stopped run where only whole ones count.
        cost: Costs.
        seconds: Seconds of the suggestions.
        belief: Errors of the predictions of objective and log cost in predicted deviations, NaN where there is none.
        edges: Share of each configuration's numbers that are exactly on a bound; NaN where no model chose it.
        failures: How many runs failed.
    """

    task: Task
    objective: list[float] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    errors: list[tuple[float, float]] = field(default_factory=list)
    edges: list[float] = field(default_factory=list)
    failures: int = 0


def run(task: Task, folders: Folders) -> Trajectory:
    """Run a task. With several workers each run takes as long as it costs."""
    searched = problem(task.problem, folders)
    params, noise = searched.params, searched.noise
    rng = np.random.default_rng(task.seed + 1000)
    make = OPTIMIZERS[task.optimizer]
    has_points = isinstance(make, type) and issubclass(make, OursWithPoints)
    optimizer = make(searched.params_with_points if has_points else params, task.seed)
    result = Trajectory(task)
    running: list[Any] = []
    asked, clock, failures = 0, 0.0, 0
    while asked < task.runs or running:
        while asked < task.runs and len(running) < task.workers:
            start = time.perf_counter()
            handle, config = optimizer.ask()
            seconds = time.perf_counter() - start
            outcome = searched.evaluate(config)
            cost = 1.0 if outcome is None else outcome[1]
            seen = None if outcome is None else (outcome[0] + noise * rng.standard_normal(), cost)
            belief, points = optimizer.belief(), []
            if isinstance(optimizer, OursWithPoints) and outcome is not None and seen is not None:
                points = way(searched, config, seen[0] - outcome[0], rng)
                stop = optimizer.num_seen(handle, points, searched.progress)
                if stop is not None:  # it is the run of its last point, of which nothing was predicted
                    *points, (config, *seen) = points[:stop]
                    handle, outcome, cost, belief = {**handle, **config}, searched.evaluate(config), seen[1], None
            heapq.heappush(running, (clock + cost, asked, handle, config, outcome, seen, points, belief, seconds))
            asked += 1
        clock, _, handle, config, outcome, seen, points, belief, seconds = heapq.heappop(running)
        if outcome is None:
            optimizer.tell(handle, None, 1.0)
            failures += 1
            continue
        if isinstance(optimizer, OursWithPoints):
            optimizer.points = points
        optimizer.tell(handle, *seen)
        result.objective.append(outcome[0] if searched.counts(config) else -math.inf)
        result.cost.append(outcome[1])
        result.seconds.append(seconds)
        missing = (math.nan, math.nan)
        of_objective = (seen[0] - belief.objective) / belief.objective_std if belief else math.nan
        of_cost = (math.log(seen[1]) - belief.log_cost) / belief.log_cost_std if belief else math.nan
        result.errors.append((of_objective, of_cost) if belief else missing)
        result.edges.append(edges(params, config) if belief or not isinstance(optimizer, Ours) else math.nan)
    return Trajectory(**{**vars(result), "failures": failures})


def way(searched: Variant, config: ParamDict, noise: float, rng: np.random.Generator) -> list[Point]:
    """Return the points on a run's way, at most eight, spaced by the logarithm of the progress.

    Args:
        searched: The problem.
        config: The run's configuration.
        noise: The noise in its objective; most of the noise of a point is the same.
        rng: Source of the rest.
    """
    name = searched.progress
    if name is None:
        return []
    length = int(config[name])  # type: ignore[arg-type]
    found = []
    for step in sorted(set(np.geomspace(1, length, NUM_POINTS + 1).round().astype(int).tolist()) - {length}):
        point = {key: value for key, value in config.items() if key != "suggestion_uuid"} | {name: step}
        outcome = searched.evaluate(point)
        if outcome is not None:
            own = searched.noise * math.sqrt(1 - SHARED**2) * rng.standard_normal()
            found.append((point, outcome[0] + SHARED * noise + own, outcome[1]))
    return found


def edges(params: tuple[Param, ...], config: ParamDict, within: float = 0.0) -> float:
    """Return which share of a configuration's numbers is on a bound, or `within` that share of the range of one."""
    on_edge = []
    for param in params:
        space: Any = param.space
        if isinstance(space, CategoricalSpace):
            continue
        low, high, value = space.min, space.max, float(config[param.name])  # type: ignore[arg-type]
        if isinstance(space, LogSpace):
            low, high, value = math.log(low), math.log(high), math.log(value)
        margin = max(within, 1e-9) * (high - low)
        on_edge.append(value <= low + margin or value >= high - margin)
    return float(np.mean(on_edge))


def write(file: Path, trajectories: list[Trajectory]) -> None:
    """Write trajectories as JSON."""
    file.write_text(json.dumps([asdict(trajectory) for trajectory in trajectories]), encoding="utf-8")


def read(file: Path) -> list[Trajectory]:
    """Read what `write` wrote."""
    rows = json.loads(file.read_text(encoding="utf-8"))
    return [Trajectory(**{**row, "task": Task(**row["task"])}) for row in rows]
