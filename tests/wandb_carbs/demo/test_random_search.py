"""Random search, with which the demo compares the search."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from carbs import SearchSpace
from wandb_carbs.demo import random_search, training
from wandb_carbs.demo.problem import MAX_SECONDS, PARAMS


def test_configurations_fill_the_space_evenly_on_its_scales() -> None:
    space = SearchSpace(PARAMS)
    drawn = list(itertools.islice(random_search.draw(np.random.default_rng(0)), 1000))
    assert all(space.problems_with(config) == [] for config in drawn)
    low, high = space.bounds
    shares = (space.encode(drawn) - low) / (high - low)
    assert np.mean(shares, axis=0) == pytest.approx(np.full(len(PARAMS), 0.5), abs=0.04)
    assert np.std(shares, axis=0) == pytest.approx(np.full(len(PARAMS), 12**-0.5), abs=0.04)


def test_same_seed_draws_the_same() -> None:
    first, again, other = (next(random_search.draw(np.random.default_rng(seed))) for seed in (1, 1, 2))
    assert first == again != other


def test_budget_is_spent_and_no_run_is_begun_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = []

    def train(
        _data: object, config: dict[str, Any], _seed: int, _report: Callable[[int, float], None], max_seconds: float
    ) -> tuple[float, float]:
        allowed.append(max_seconds)
        return config["loss"], 2.0

    monkeypatch.setattr(training, "train", train)
    data = training.load_data()
    configurations = ({"loss": float(number)} for number in itertools.count())
    assert list(random_search.outcomes(data, configurations, 5.0, 0)) == [(0.0, 2.0), (1.0, 2.0), (2.0, 2.0)]
    assert allowed == [MAX_SECONDS] * 3
    assert list(random_search.outcomes(data, configurations, 0.0, 0)) == []
