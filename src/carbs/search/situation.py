"""The situation that a proposal is made in, and the proposal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from carbs.arrays import Array, Flags
from carbs.config import CARBSParams
from carbs.models.surrogate import Surrogate
from carbs.spaces.identity import keys, rounded
from carbs.spaces.search_space import SearchSpace
from carbs.spaces.values import ParamDict
from carbs.tuning import DEFAULT, Tuning


@dataclass(frozen=True)
class OwnRuns:
    """The successful runs of a search that also knows runs of an earlier one.

    Attributes:
        X: Their search coordinates; where there are none yet, the point from which the search grows; shape (k, D).
        log_cost: Natural logarithms of their costs, shape (k,) or empty.
    """

    X: Array
    log_cost: Array


@dataclass(frozen=True)
class Course:
    """How a search has gone so far.

    Attributes:
        num_gains: Runs that have raised the hypervolume of the frontier.
        num_vain: Runs since the last of them, the first draws aside.
    """

    num_gains: int = 0
    num_vain: int = 0


@dataclass(frozen=True)
class Situation:
    """All that a proposal depends on.

    Attributes:
        space: The search space.
        config: The user's options.
        successes: Search coordinates of the runs that succeeded, repeats included, shape (n, D).
        failures: Search coordinates of the runs that failed, shape (f, D).
        pending: Search coordinates of the running configurations, whose outcome is not known yet, shape (p, D).
        surrogate: Models of the successes and failures; None where there are too few runs, or the fit failed.
        generator: Source of randomness.
        tuning: The tuned constants.
        is_valid: The user's rule for whole configurations; None for none.
        own: This search's own runs, by which the limits of cost count; None where it knows no others.
        given: Search coordinates that are fixed, NaN where they are free, shape (D,); None where all are.
        narrows: Whether the caller has fixed some, for this proposal alone.
        course: How the search has gone so far.
    """

    space: SearchSpace
    config: CARBSParams
    successes: Array
    failures: Array
    pending: Array
    surrogate: Surrogate | None
    generator: np.random.Generator
    tuning: Tuning = DEFAULT
    is_valid: Callable[[ParamDict], bool] | None = None
    own: OwnRuns | None = None
    given: Array | None = None
    narrows: bool = False
    course: Course = Course()

    @property
    def models(self) -> Surrogate:
        """The models, for a proposal that is only made with them."""
        assert self.surrogate is not None
        return self.surrogate

    @cached_property
    def seen(self) -> Array:
        """Search coordinates of the configurations that succeeded, and after them of the running ones, shape (m, D)."""
        return np.vstack([self.models.groups.X, self.pending])

    @cached_property
    def tried(self) -> frozenset[bytes]:
        """Keys of the configurations that were run or are running."""
        return frozenset(keys(np.vstack([self.seen, self.failures])))

    def settle(self, points: Array) -> Array:
        """Give `points`, shape (m, D) or (D,), the coordinates that are fixed."""
        return points if self.given is None else np.where(np.isnan(self.given), points, self.given)

    def agree(self, points: Array) -> Flags:
        """Say which of `points`, shape (m, D), have the coordinates that are fixed; shape (m,)."""
        agreeing: Flags = np.all(rounded(points) == rounded(self.settle(points)), axis=1)
        return agreeing

    def obey(self, points: Array) -> Flags:
        """Say which of `points`, shape (m, D), obey the user's rule; shape (m,)."""
        if self.is_valid is None:
            return np.ones(len(points), bool)
        return np.fromiter((self.is_valid(values) for values in self.space.decode(points)), bool, len(points))


@dataclass(frozen=True)
class Proposal:
    """A proposed configuration.

    Attributes:
        x: Its rounded search coordinates, shape (D,).
        log: The models' predictions for it; see `SuggestOutput.log`.
    """

    x: Array
    log: dict[str, Any]


def kind_of(x: Array, situation: Situation) -> str:
    """Say whether a point, shape (D,), is a "resample" of an observed configuration or the "model"'s new one."""
    return "resample" if keys(x[None])[0] in set(keys(situation.models.groups.X)) else "model"


def describe(x: Array, situation: Situation) -> dict[str, float]:
    """Return the models' predictions for a point, shape (D,), in the user's units; see `SuggestOutput.log`."""
    models = situation.models
    beliefs = models.predict(x[None])
    mean, objective_std = models.predict_objective(x[None], beliefs)
    log_cost, log_cost_std = models.predict_cost(x[None])
    objective = situation.config.better_direction_sign * models.objective_scaler.backward(mean[0])
    return {
        "predicted_objective": float(objective),
        "predicted_objective_std": float(objective_std[0] * models.objective_scaler.deviation),
        "objective_noise": float(models.objective_noise),
        "predicted_cost": float(np.exp(log_cost[0])),
        "predicted_cost_std": float(log_cost_std[0]),
        "cost_noise": float(models.log_cost_noise),
        "success_probability": float(np.exp(beliefs.log_success[0])),
    }
