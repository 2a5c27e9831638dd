"""Predictions of the models at some points, as values."""

from __future__ import annotations

from dataclasses import dataclass

from carbs.arrays import Array


@dataclass(frozen=True)
class Beliefs:
    """Predictions at m points by the most probable models, for S alternative outcomes of the running configurations.

    Attributes:
        objective: Expected objective (standardised, higher is better), shape (m, S).
        objective_std: Its standard deviation, shape (m,).
        log_cost: Expected natural logarithm of the cost, shape (m, S).
        log_cost_std: Its standard deviation, shape (m,).
        log_success: Logarithm of the probability of success, shape (m,).
        known_log_cost: The expected log cost by the observed runs alone, shape (m,).
    """

    objective: Array
    objective_std: Array
    log_cost: Array
    log_cost_std: Array
    log_success: Array
    known_log_cost: Array


@dataclass(frozen=True)
class Means:
    """The expected values of `Beliefs` alone, which take a fraction of the time.

    Attributes:
        objective: As that of `Beliefs`.
        log_cost: Likewise.
        known_log_cost: Likewise.
    """

    objective: Array
    log_cost: Array
    known_log_cost: Array
