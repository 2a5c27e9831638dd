"""Optimizers side by side: `ask() -> (handle, config)`, `tell(handle, objective, cost)`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from carbs import CARBS, CARBSParams, ObservationInParam, Param, ParamDict, SearchSpace
from carbs.search.candidates import everywhere
from carbs.tuning import DEFAULT, Tuning


class Optimizer(Protocol):
    def ask(self) -> tuple[Any, ParamDict]: ...

    def tell(self, handle: Any, objective: float, cost: float) -> None: ...


class Ours:
    def __init__(self, params: Sequence[Param], seed: int, tuning: Tuning = DEFAULT) -> None:
        self.carbs = CARBS(CARBSParams(seed=seed), params, tuning=tuning)

    def ask(self) -> tuple[Any, ParamDict]:
        suggestion = self.carbs.suggest().suggestion
        return suggestion, suggestion

    def tell(self, handle: Any, objective: float, cost: float) -> None:
        self.carbs.observe(ObservationInParam(handle, objective, cost))


class Random:
    def __init__(self, params: Sequence[Param], seed: int) -> None:
        self.space, self.rng = SearchSpace(tuple(params)), np.random.default_rng(seed)

    def ask(self) -> tuple[Any, ParamDict]:
        points = everywhere(self.space, self.space.center[None], 1, self.rng)
        return None, self.space.decode(points)[0]

    def tell(self, handle: Any, objective: float, cost: float) -> None: ...


class Optuna:
    """Optuna with two objectives: the objective to maximise and the logarithm of the cost to minimise."""

    def __init__(self, params: Sequence[Param], seed: int, sampler: str) -> None:
        import optuna  # noqa: PLC0415 - a peer of the benchmarks, installed only for them

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        samplers: dict[str, Callable[[], Any]] = {
            "gp": lambda: optuna.samplers.GPSampler(seed=seed),
            "tpe": lambda: optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True),
        }
        self.params, self.space = params, SearchSpace(tuple(params))
        self.study = optuna.create_study(sampler=samplers[sampler](), directions=["maximize", "minimize"])

    def ask(self) -> tuple[Any, ParamDict]:
        trial = self.study.ask()
        config: ParamDict = {}
        for param in self.params:
            space: Any = param.space
            if space.kind == "logit":  # Optuna has none: hand it the logit
                low, high = (math.log10(value / (1 - value)) for value in (space.min, space.max))
                config[param.name] = 1 / (1 + 10 ** -trial.suggest_float(param.name, low, high))
            elif space.is_integer:
                config[param.name] = trial.suggest_int(param.name, space.min, space.max, log=space.kind == "log")
            else:
                config[param.name] = trial.suggest_float(param.name, space.min, space.max, log=space.kind == "log")
        return trial, config

    def tell(self, handle: Any, objective: float, cost: float) -> None:
        self.study.tell(handle, [objective, math.log(cost)])


OPTIMIZERS: dict[str, Callable[[Sequence[Param], int], Optimizer]] = {
    "carbs": Ours,
    "optuna-gp": lambda params, seed: Optuna(params, seed, "gp"),
    "optuna-tpe": lambda params, seed: Optuna(params, seed, "tpe"),
    "random": Random,
}
