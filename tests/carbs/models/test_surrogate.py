"""What the models of objective and cost believe from few runs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from carbs import LinearSpace, LogSpace, Param
from carbs.models.groups import group
from carbs.models.surrogate import Surrogate
from carbs.spaces.search_space import SearchSpace, as_space


def space() -> SearchSpace:
    return as_space(
        [
            Param("steps", LogSpace(1, 1e6), 2.0),
            Param("rate", LogSpace(1e-5, 1e-1), 1e-3),
            Param("dropout", LinearSpace(0, 1), 0.3),
        ]
    )


def fit(configs: list[dict[str, float]], objective: list[float], cost: list[float]) -> Surrogate:
    searched = space()
    X = searched.encode(configs)
    return Surrogate.fit(searched, group(X, np.array(objective), np.log(cost)), np.empty((0, searched.width)))


def configs(number: int, dearest: float, seed: int) -> list[dict[str, float]]:
    rng = np.random.default_rng(seed)
    return [
        {"steps": dearest ** rng.random(), "rate": 10 ** rng.uniform(-5, -1), "dropout": rng.random()}
        for _ in range(number)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_runs_in_a_cheap_corner_do_not_make_the_whole_space_cheap(seed: int) -> None:
    seen = configs(8, dearest=4, seed=seed)
    noise = np.random.default_rng(seed).lognormal(0.0, 0.1, len(seen))
    cost = [config["steps"] * float(factor) for config, factor in zip(seen, noise, strict=True)]
    model = fit(seen, list(noise), cost)
    beliefs = model.predict(space().encode([{"steps": 1e5, "rate": 1e-3, "dropout": 0.5}]))
    # Nobody can tell from a factor of four what a factor of 25000 costs; but that it may be a hundred times as dear.
    assert beliefs.log_cost[0, 0] + 2.5 * beliefs.log_cost_std[0] > math.log(4 * 100)


def test_costs_that_are_a_power_law_are_extrapolated_by_orders_of_magnitude() -> None:
    seen = configs(12, dearest=100, seed=1)
    model = fit(seen, [config["dropout"] for config in seen], [3 * config["steps"] ** 0.8 for config in seen])
    beliefs = model.predict(space().encode([{"steps": 1e5, "rate": 1e-2, "dropout": 0.9}]))
    assert beliefs.log_cost[0, 0] == pytest.approx(math.log(3 * 1e5**0.8), abs=math.log(2))


def test_noise_is_found_beside_more_runs_than_the_fit_takes() -> None:
    rng = np.random.default_rng(0)
    seen = [config for config in configs(300, dearest=1e6, seed=3) for _ in range(2)]
    cost = [config["steps"] * rng.lognormal(0.0, 0.05) for config in seen]
    model = fit(seen, [config["dropout"] + 0.1 * rng.standard_normal() for config in seen], cost)
    assert math.sqrt(model.cost.hyper.noise) == pytest.approx(0.05, rel=0.2)
    assert math.sqrt(model.objective.hyper.noise) * model.objective_scaler.deviation == pytest.approx(0.1, rel=0.2)


def test_what_drives_the_cost_is_expected_to_saturate() -> None:
    seen = configs(8, dearest=1e6, seed=2)
    cost = [config["steps"] for config in seen]
    # The objective tells nothing yet: what the model holds of it is what it expects beforehand.
    warps = fit(seen, [0.0] * len(seen), cost).objective.hyper.warps
    assert warps is not None
    assert warps == pytest.approx([-1.0, 0.0, 0.0], abs=0.3)
    seen = configs(30, dearest=1e6, seed=2)
    cost = [config["steps"] for config in seen]
    told_otherwise = fit(seen, [config["steps"] ** 0.3 for config in seen], cost).objective.hyper.warps
    assert told_otherwise is not None
    assert told_otherwise[0] > warps[0] + 0.5
