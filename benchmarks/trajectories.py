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
from optimizers import OPTIMIZERS, Ours
from worlds import Folders, problem

from carbs import LogSpace, Param, ParamDict
from carbs.spaces import CategoricalSpace


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
        objective: True objectives.
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
    optimizer = OPTIMIZERS[task.optimizer](params, task.seed)
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
            heapq.heappush(running, (clock + cost, asked, handle, config, outcome, seen, optimizer.belief(), seconds))
            asked += 1
        clock, _, handle, config, outcome, seen, belief, seconds = heapq.heappop(running)
        if outcome is None:
            optimizer.tell(handle, None, 1.0)
            failures += 1
            continue
        optimizer.tell(handle, *seen)
        result.objective.append(outcome[0])
        result.cost.append(outcome[1])
        result.seconds.append(seconds)
        missing = (math.nan, math.nan)
        of_objective = (seen[0] - belief.objective) / belief.objective_std if belief else math.nan
        of_cost = (math.log(seen[1]) - belief.log_cost) / belief.log_cost_std if belief else math.nan
        result.errors.append((of_objective, of_cost) if belief else missing)
        result.edges.append(edges(params, config) if belief or not isinstance(optimizer, Ours) else math.nan)
    return Trajectory(**{**vars(result), "failures": failures})


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
