"""Optimizers side by side: `ask() -> (handle, config)`, `tell(handle, objective or None, cost)`; asks may overlap."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from carbs import CARBS, CARBSParams, CategoricalSpace, ObservationInParam, Param, ParamDict, SearchSpace
from carbs.tuning import DEFAULT, Tuning


@dataclass(frozen=True)
class Belief:
    """A prediction of one run, its noise included: objective and natural logarithm of the cost, with deviations."""

    objective: float
    objective_std: float
    log_cost: float
    log_cost_std: float


class Optimizer(Protocol):
    def ask(self) -> tuple[Any, ParamDict]: ...

    def belief(self) -> Belief | None:
        """Return the prediction for what was asked last, None if there is none."""

    def tell(self, handle: Any, objective: float | None, cost: float) -> None:
        """Report a run; an objective of None is a failed one."""


Point = tuple[ParamDict, float, float]
"""A point on a run's way: the configuration that it is the result of, its objective and cost."""


class Ours:
    points: Sequence[Point] = ()

    def __init__(self, params: Sequence[Param], seed: int, tuning: Tuning = DEFAULT) -> None:
        self.carbs = CARBS(CARBSParams(seed=seed), params, tuning=tuning)
        self.log: dict[str, Any] = {}
        self.number = 0

    def ask(self) -> tuple[Any, ParamDict]:
        self.number += 1
        output = self.carbs.suggest(str(self.number))
        self.log = output.log
        return output.suggestion, output.suggestion

    def belief(self) -> Belief | None:
        log = self.log
        if "predicted_objective" not in log:
            return None
        return Belief(
            log["predicted_objective"],
            math.hypot(log["predicted_objective_std"], log.get("objective_noise", 0.0)),
            math.log(log["predicted_cost"]),
            math.hypot(log["predicted_cost_std"], log.get("cost_noise", 0.0)),
        )

    def tell(self, handle: Any, objective: float | None, cost: float) -> None:
        output = math.nan if objective is None else objective
        way = [ObservationInParam(*point) for point in self.points]
        self.carbs.observe(ObservationInParam(handle, output, cost, is_failure=objective is None, points=way))


class OursWithPoints(Ours):
    """The same, which also learns from the points on each run's way: set them before the run is told."""

    stops: ClassVar[bool] = False

    def num_seen(self, handle: Any, points: Sequence[Point], progress: str | None) -> int | None:
        """Return after how many of the points on its way a run is stopped; None if it goes to its end."""
        if not self.stops or progress is None:
            return None
        seen = [ObservationInParam(*point) for point in points]
        numbers = range(1, len(seen) + 1)
        return next((n for n in numbers if self.carbs.judge(handle, seen[:n], progress).stop), None)


class OursWithStopping(OursWithPoints):
    """The same, which also stops runs that will hardly improve the frontier."""

    stops = True


class Random:
    def __init__(self, params: Sequence[Param], seed: int) -> None:
        self.space, self.rng = SearchSpace(tuple(params)), np.random.default_rng(seed)

    def ask(self) -> tuple[Any, ParamDict]:
        low, high = self.space.bounds
        points = self.space.round(low + self.rng.random((1, self.space.width)) * (high - low))
        return None, self.space.decode(points)[0]

    def belief(self) -> Belief | None:
        return None

    def tell(self, handle: Any, objective: float | None, cost: float) -> None: ...


class Optuna:
    """Optuna with two objectives, the objective to maximise and the logarithm of the cost to minimise, or just one.

    Args:
        params: What is searched.
        seed: Seed of the sampler.
        sampler: "gp" or "tpe".
        heeds_cost: Whether the cost is an objective, which it should not be where all runs cost the same.
    """

    def __init__(self, params: Sequence[Param], seed: int, sampler: str, *, heeds_cost: bool = True) -> None:
        import optuna  # noqa: PLC0415 - a peer of the benchmarks, installed only for them

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        samplers: dict[str, Callable[[], Any]] = {
            "gp": lambda: optuna.samplers.GPSampler(seed=seed),
            "tpe": lambda: optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True),
        }
        self.params, self.failed = params, optuna.trial.TrialState.FAIL
        self.heeds_cost = heeds_cost
        directions = ["maximize", "minimize"] if heeds_cost else ["maximize"]
        self.study = optuna.create_study(sampler=samplers[sampler](), directions=directions)

    def ask(self) -> tuple[Any, ParamDict]:
        trial = self.study.ask()
        config: ParamDict = {}
        for param in self.params:
            space: Any = param.space
            if isinstance(space, CategoricalSpace):
                config[param.name] = trial.suggest_categorical(param.name, list(space.choices))
            elif space.kind == "logit":  # Optuna has none: hand it the logit
                low, high = (math.log10(value / (1 - value)) for value in (space.min, space.max))
                config[param.name] = 1 / (1 + 10 ** -trial.suggest_float(param.name, low, high))
            elif space.is_integer:
                config[param.name] = trial.suggest_int(param.name, space.min, space.max, log=space.kind == "log")
            else:
                config[param.name] = trial.suggest_float(param.name, space.min, space.max, log=space.kind == "log")
        return trial, config

    def belief(self) -> Belief | None:
        return None

    def tell(self, handle: Any, objective: float | None, cost: float) -> None:
        if objective is None:
            self.study.tell(handle, state=self.failed)
        else:
            self.study.tell(handle, [objective, math.log(cost)] if self.heeds_cost else [objective])


OPTIMIZERS: dict[str, Callable[[Sequence[Param], int], Optimizer]] = {
    "carbs": Ours,
    "carbs-points": OursWithPoints,
    "carbs-stopping": OursWithStopping,
    "optuna-gp": lambda params, seed: Optuna(params, seed, "gp"),
    "optuna-tpe": lambda params, seed: Optuna(params, seed, "tpe"),
    "optuna-gp-single": lambda params, seed: Optuna(params, seed, "gp", heeds_cost=False),
    "optuna-tpe-single": lambda params, seed: Optuna(params, seed, "tpe", heeds_cost=False),
    "random": Random,
}
