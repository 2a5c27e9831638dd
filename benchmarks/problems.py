"""Cost-aware problems whose answer is known: simulators of training runs.

A problem has `params` (what CARBS searches), `evaluate(config) -> (objective, cost)` without noise, the objective to be
maximised, and `noise`, the standard deviation that a benchmark adds to the objective.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from carbs import CARBS, LinearSpace, LogitSpace, LogSpace, ObservationInParam, Param, ParamValue

_TOKENS_UNIT = 1e6
_FLOP_UNIT = 1e15


@dataclass(frozen=True)
class ScalingLaw:
    """Language-model training after Hoffmann et al. 2022 (arXiv 2203.15556, approach 3), with nuisance hyperparameters.

    The loss is E + A / N^alpha + B / D^beta (their equation 2) for N parameters and D tokens, plus a penalty for every
    other hyperparameter that is quadratic in its distance from an optimum, which moves with N or D. The cost is the
    6 N D floating-point operations, in 10^15. The default has their E, A and B, and equal exponents: then N and D grow
    with the square root of the cost.

    Attributes:
        alpha: Exponent of the parameters.
        beta: Exponent of the tokens.
        rate_exponent: The best learning rate is proportional to N to this power.
        batch_exponent: The best batch size is proportional to D to this power.
        noise: Standard deviation that a benchmark adds to the objective.
    """

    alpha: float = 0.34
    beta: float = 0.34
    rate_exponent: float = -0.18
    batch_exponent: float = 0.35
    noise: float = 0.01

    irreducible = 1.69
    model_weight = 406.4
    data_weight = 410.7
    params = (
        Param("n_params", LogSpace(min=1e5, max=1e10), 3e6),
        Param("n_tokens", LogSpace(min=1e6, max=1e12), 1e8),
        Param("learning_rate", LogSpace(min=1e-5, max=1e-1), 1e-3),
        Param("warmup", LogitSpace(min=1e-3, max=0.5), 0.02),
        Param("batch_size", LogSpace(min=1, max=8192, is_integer=True), 64),
        Param("dropout", LinearSpace(min=0.0, max=0.6), 0.1),
    )

    def evaluate(self, config: Mapping[str, ParamValue]) -> tuple[float, float]:
        """Return minus the loss, and the cost in 10^15 operations."""
        n, d, rate, warmup, batch, dropout = (float(config[param.name]) for param in self.params)
        best = self._optimum(n, d)
        loss = self.irreducible + self.model_weight * n**-self.alpha + self.data_weight * d**-self.beta
        loss += 0.15 * math.log10(rate / best["learning_rate"]) ** 2
        loss += 0.05 * math.log10(batch / best["batch_size"]) ** 2
        loss += 0.05 * (_logit(warmup) - _logit(best["warmup"])) ** 2
        loss += 0.4 * (dropout - best["dropout"]) ** 2
        return -loss, 6 * n * d / _FLOP_UNIT

    def best(self, cost: float) -> dict[str, float]:
        """Return the configuration of the smallest loss at a cost, bounds and integers not heeded.

        With every penalty at zero it minimises A / N^alpha + B / D^beta subject to 6 N D = cost. The solution is
        Hoffmann et al.'s equation 4: N = G (cost / 6)^(beta / (alpha + beta)) with
        G = (alpha A / beta B)^(1 / (alpha + beta)).
        """
        total = self.alpha + self.beta
        factor = (self.alpha * self.model_weight / (self.beta * self.data_weight)) ** (1 / total)
        operations = cost * _FLOP_UNIT / 6
        n = factor * operations ** (self.beta / total)
        return {"n_params": n, "n_tokens": operations / n, **self._optimum(n, operations / n)}

    @property
    def exponents(self) -> dict[str, float]:
        """Slope of each hyperparameter's best value over log10 of the cost, in its space's transform.

        The dropout's is exact only for equal exponents, otherwise that at a cost of a thousand units.
        """
        model, data = self.beta / (self.alpha + self.beta), self.alpha / (self.alpha + self.beta)
        step = self.best(1001.0)["dropout"] - self.best(999.0)["dropout"]
        return {
            "n_params": model,
            "n_tokens": data,
            "learning_rate": self.rate_exponent * model,
            "warmup": 0.0,
            "batch_size": self.batch_exponent * data,
            "dropout": step / math.log10(1001 / 999),
        }

    def _optimum(self, n: float, d: float) -> dict[str, float]:
        ratio = (20 * n / d) ** 0.2
        return {
            "learning_rate": 3e-2 * n**self.rate_exponent,
            "warmup": 0.03,
            "batch_size": 8 * (d / _TOKENS_UNIT) ** self.batch_exponent,
            "dropout": 0.1 * ratio / (1 + ratio),
        }


def run_sweep(problem: ScalingLaw, carbs: CARBS, number: int, seed: int = 0) -> None:
    """Let an optimizer make `number` runs of a problem, one after the other, with the problem's noise."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        suggestion = carbs.suggest().suggestion
        objective, cost = problem.evaluate(suggestion)
        carbs.observe(ObservationInParam(suggestion, objective + problem.noise * float(rng.standard_normal()), cost))


def _logit(value: float) -> float:
    return math.log10(value / (1 - value))
