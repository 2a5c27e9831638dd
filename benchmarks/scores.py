"""Score searches: hypervolume, regret, the tail, coverage of intervals, and what lies on a bound.

The hypervolume is the area under the frontier of (log10 cost, objective), both scaled to 0..1: the objective from the
first decile of 2000 random configurations to the best known, the log cost from the cheapest of them to the most
expensive. Where all cost the same, it is the best objective. The regret is the distance to the best known objective in
the same scale. The best known is that of an evolution of the random configurations, or of any of the searches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from trajectories import Trajectory, edges
from worlds import Folders, problem

from carbs import SearchSpace
from carbs.intervals import HALF_WIDTH
from carbs.pareto import frontier, hypervolume

NUM_RANDOM = 2000
NUM_GENERATIONS = 40
NUM_CHILDREN = 100
NUM_PARENTS = 10
# Weights of the scaled log cost against the scaled objective: the parents of a generation are the best by each.
COST_WEIGHTS = (0.0, 0.2, 0.5, 1.0, 2.0)
STUCK = 0.15
SHARES = (0.1, 0.3, 1.0)
# A coordinate of the reference's frontier counts as on a bound within this share of its range.
NEAR_BOUND = 0.02


@dataclass(frozen=True)
class Scale:
    """The scale of a problem: objective from `low` to `high`, log10 cost from `cheapest` to `costliest`."""

    low: float
    high: float
    cheapest: float
    costliest: float
    frontier_edges: float  # share of the reference frontier's coordinates on a bound

    @property
    def width(self) -> float:
        """Range of the log10 costs; a tiny one where all are the same."""
        return max(self.costliest - self.cheapest, 1e-12)

    def volume(self, trajectory: Trajectory, number: int) -> float:
        """Return the scaled hypervolume after the first `number` runs."""
        y = (np.array(trajectory.objective[:number]) - self.low) / (self.high - self.low)
        c = (np.log10(trajectory.cost[:number]) - self.cheapest) / self.width
        return hypervolume(np.clip(y, 0, 1), np.clip(c, 0, 1), 0.0, 1.0)

    def regret(self, trajectory: Trajectory, number: int) -> float:
        """Return the scaled distance to the best known objective after the first `number` runs."""
        best = max(trajectory.objective[:number], default=self.low)
        return float((self.high - max(best, self.low)) / (self.high - self.low))


@cache
def reference(name: str, folders: Folders) -> Scale:
    """Derive a problem's scale from random configurations and an evolution of them."""
    searched = problem(name, folders)
    space, rng = SearchSpace(searched.params), np.random.default_rng(0)
    low, high = space.bounds
    points, outcomes = _evaluate(name, folders, low + rng.random((NUM_RANDOM, space.width)) * (high - low))
    first = float(np.quantile(outcomes[:, 0], 0.1))
    cheapest, costliest = float(np.min(outcomes[:, 1])), float(np.max(outcomes[:, 1]))
    for generation in range(NUM_GENERATIONS):
        y = (outcomes[:, 0] - first) / max(np.max(outcomes[:, 0]) - first, 1e-12)
        c = (outcomes[:, 1] - cheapest) / max(costliest - cheapest, 1e-12)
        parents = np.concatenate([np.argsort(weight * c - y)[:NUM_PARENTS] for weight in COST_WEIGHTS])
        step = 0.5 * 0.92**generation * rng.standard_normal((NUM_CHILDREN, space.width))
        moved = rng.random(step.shape) < rng.choice([0.2, 0.5, 1.0], size=(NUM_CHILDREN, 1))
        children = points[rng.choice(parents, NUM_CHILDREN)] + np.where(moved, step, 0.0)
        children = np.where(children < low, 2 * low - children, children)
        children = np.where(children > high, 2 * high - children, children)
        more, of_more = _evaluate(name, folders, np.clip(children, low, high))
        points, outcomes = np.vstack([points, more]), np.vstack([outcomes, of_more])
    members = points[frontier(outcomes[:, 0], outcomes[:, 1])]
    near = [edges(searched.params, config, NEAR_BOUND) for config in space.decode(members)]
    return Scale(first, float(np.max(outcomes[:, 0])), cheapest, costliest, float(np.mean(near)))


def _evaluate(name: str, folders: Folders, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return those of `points` that do not fail, on legal values, and their objectives and log10 costs."""
    searched = problem(name, folders)
    space = SearchSpace(searched.params)
    points = space.round(points)
    outcomes = [searched.evaluate(config) for config in space.decode(points)]
    succeeded = np.array([outcome is not None for outcome in outcomes])
    values = np.array([outcome for outcome in outcomes if outcome is not None], float).reshape(-1, 2)
    return points[succeeded], np.column_stack([values[:, 0], np.log10(values[:, 1])])


def scale_of(name: str, folders: Folders, trajectories: Sequence[Trajectory]) -> Scale:
    """Return a problem's scale; what a search found beyond the reference is the best known."""
    found = reference(name, folders)
    best = max((max(t.objective, default=-math.inf) for t in trajectories), default=-math.inf)
    return Scale(found.low, max(found.high, best), found.cheapest, found.costliest, found.frontier_edges)


def by_count(trajectory: Trajectory, scale: Scale, marks: Sequence[int]) -> list[float]:
    """Return the hypervolumes after each number of runs, then the regret after all."""
    return [*(scale.volume(trajectory, k) for k in marks), scale.regret(trajectory, len(trajectory.cost))]


def by_cost(trajectory: Trajectory, scale: Scale, budget: float) -> list[float]:
    """Return hypervolume, then regret, with each of `SHARES` of a budget spent; a run counts once it is paid."""
    spent = np.cumsum(trajectory.cost)
    numbers = [int(np.sum(spent <= share * budget * (1 + 1e-9))) for share in SHARES]
    return [*(scale.volume(trajectory, k) for k in numbers), *(scale.regret(trajectory, k) for k in numbers)]


def coverage(trajectory: Trajectory) -> tuple[float, float]:
    """Return how many of the predicted 90 % intervals held objective and cost; NaN where nothing was predicted."""
    errors = np.array(trajectory.errors, float).reshape(-1, 2)
    errors = errors[np.isfinite(errors[:, 0])]
    if not len(errors):
        return math.nan, math.nan
    of_objective, of_cost = np.mean(np.abs(errors) < HALF_WIDTH, axis=0).tolist()
    return of_objective, of_cost


def on_bounds(trajectory: Trajectory) -> float:
    """Return which share of what was suggested, the first draws left out, is exactly on a bound."""
    shares = np.array(trajectory.edges, float)
    return float(np.nanmean(shares)) if np.any(np.isfinite(shares)) else math.nan
