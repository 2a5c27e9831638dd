"""Random search on the demo's problem, with which the search is compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from carbs import SearchSpace
from wandb_carbs.demo import training
from wandb_carbs.demo.problem import MAX_SECONDS, PARAMS


def draw(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield configurations without end, uniform on the scales of their spaces."""
    space = SearchSpace(PARAMS)
    low, high = space.bounds
    while True:
        yield space.decode(space.round(rng.uniform(low, high)[None]))[0]


def outcomes(
    data: training.Digits, configurations: Iterator[Mapping[str, Any]], budget: float, seed: int
) -> Iterator[tuple[float, float]]:
    """Train one configuration after the other, and yield the loss and the seconds of each, until a budget is spent.

    Random search knows no costs: a run that takes longer than the search allows ends there, and its loss counts. The
    last run may exceed the budget.

    Args:
        data: The digits.
        configurations: What to train.
        budget: Seconds of training in all.
        seed: Of the initial weights, as in the search.
    """
    spent = 0.0
    while spent < budget:
        loss, seconds = training.train(data, next(configurations), seed, lambda _epoch, _loss: None, MAX_SECONDS)
        spent += seconds
        yield loss, seconds
